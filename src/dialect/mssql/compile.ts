/**
 * Structural operations in T-SQL. A column that is part of a key, check, index or default cannot be changed (error 5074,
 * https://learn.microsoft.com/en-us/sql/t-sql/statements/alter-table-transact-sql#alter-column): these are dropped before
 * and made again after, all in the transaction of the revision.
 */
import { deltaOf, isEmpty, type TableDelta } from '../../schema/delta.js';
import { alteredTable, applies, applyOperation } from '../../schema/fold.js';
import {
  type Check,
  type ForeignKey,
  type Index,
  type Key,
  type Schema,
  type Table,
  type Trigger,
  withTable,
} from '../../schema/model.js';
import type { Operation, TableChange } from '../../schema/operations.js';
import type { Compiled, Effect } from '../dialect.js';
import { alters, type Dependents, dependentsOf } from './dependents.js';
import { dropCheck, dropDefault, dropForeignKey, dropKey } from './lookup.js';
import { naming } from './naming.js';
import { definition, literal, nullability, quote, spellColumn, spellDefault, spellType, unicode } from './spell.js';
import { TRAITS } from './traits.js';

const NOTHING = { statements: [], effects: [] };

/** @param collation the database's own; null when it is not known */
export function compile(operation: Operation, schema: Schema, collation: string | null): Compiled {
  if (!applies(operation, TRAITS)) return { ...NOTHING, after: schema };
  switch (operation.op) {
    case 'createTable': {
      const { name } = operation.table;
      const after = applyOperation(schema, operation, TRAITS, naming);
      const made = after.tables.get(name);
      const present = schema.tables.get(name);
      if (!made) return { ...NOTHING, after };
      if (present) return changeTable(present, made, [], schema, collation);
      const statements = [tableSql(made), ...made.indexes.map((index) => indexSql(name, index))];
      return { statements: statements.map((sql) => ({ sql })), effects: made.foreignKeys.map(referencedBy), after };
    }
    case 'alterTable': {
      const before = schema.tables.get(operation.table);
      if (!before) throw new Error(`no table ${operation.table} to alter`);
      const target = alteredTable(before, operation.changes, TRAITS, naming);
      return changeTable(before, target, operation.changes, schema, collation);
    }
    case 'createTrigger': {
      const after = applyOperation(schema, operation, TRAITS);
      if (after === schema) return { ...NOTHING, after };
      return { statements: [{ sql: triggerSql(operation.trigger) }], effects: [], after };
    }
    case 'dropTable': {
      const table = schema.tables.get(operation.table);
      if (!table) return { ...NOTHING, after: schema };
      const effects: Effect[] = [
        { table: table.name, ...MODIFY, work: 'none' },
        ...table.foreignKeys.map(referencedBy),
      ];
      return {
        statements: [{ sql: `DROP TABLE ${quote(table.name)}` }],
        effects,
        after: applyOperation(schema, operation, TRAITS),
      };
    }
    case 'dropTrigger': {
      const after = applyOperation(schema, operation, TRAITS);
      if (after.triggers.length === schema.triggers.length) return { ...NOTHING, after: schema };
      return { statements: [{ sql: `DROP TRIGGER ${quote(operation.trigger.name)}` }], effects: [], after };
    }
    default:
      return { ...NOTHING, after: schema };
  }
}

function changeTable(
  before: Table,
  target: Table,
  changes: readonly TableChange[],
  schema: Schema,
  collation: string | null,
): Compiled {
  const spell = (column: Table['columns'][number]) => spellColumn(column, collation);
  const delta = deltaOf(before, target, changes, (a, b) => spell(a) === spell(b));
  if (isEmpty(delta)) return { ...NOTHING, after: schema };
  const kept = dependentsOf(before, target, delta, schema);
  const statements = [...drops(delta, kept), ...columnChanges(delta), ...additions(delta, kept)];
  return {
    statements: statements.map((sql) => ({ sql })),
    effects: effectsOf(delta, kept),
    after: withTable(schema, before.name, target),
  };
}

/** References first, as they hold the keys; then all that holds the columns. */
function drops(delta: TableDelta, kept: Dependents): string[] {
  const { table, primaryKey } = delta;
  const oldKey = primaryKey ? primaryKey.from : kept.primaryKey;
  return [
    ...kept.referencing.map(([other, key]) => drop(other, key, () => dropForeignKey(other, key))),
    ...[...delta.dropForeignKeys, ...kept.foreignKeys].map((key) => drop(table, key, () => dropForeignKey(table, key))),
    ...[...delta.dropChecks, ...kept.checks].map((check) =>
      drop(table, check, () => dropCheck(table, check.expression)),
    ),
    ...[...delta.dropIndexes, ...kept.indexes].map(({ name }) => `DROP INDEX ${quote(name)} ON ${quote(table)}`),
    ...[...delta.dropUniques, ...kept.uniques].map((key) => drop(table, key, () => dropKey(table, 'UQ', key.columns))),
    ...(oldKey ? [drop(table, oldKey, () => dropKey(table, 'PK', oldKey.columns))] : []),
  ];
}

function drop(table: string, { name }: { readonly name: string | null }, lookUp: () => string): string {
  return name === null ? lookUp() : `ALTER TABLE ${quote(table)} DROP CONSTRAINT ${quote(name)}`;
}

/** ALTER COLUMN restates type and NOT NULL: what it leaves out is lost. The default is a constraint and not its concern. */
function columnChanges(delta: TableDelta): string[] {
  const table = quote(delta.table);
  return [
    // sp_rename takes its first name quoted and its second one bare.
    ...delta.renameColumns.map(
      ({ from, to }) => `EXEC sp_rename ${unicode(`${table}.${quote(from)}`)}, ${unicode(to)}, N'COLUMN'`,
    ),
    ...[...delta.alterColumns.map(({ from }) => from), ...delta.dropColumns]
      .filter(({ default: value }) => value)
      .map(({ name }) => dropDefault(delta.table, name)),
    ...(delta.dropColumns.length > 0
      ? [`ALTER TABLE ${table} DROP COLUMN ${list(delta.dropColumns.map(({ name }) => name))}`]
      : []),
    ...delta.alterColumns
      .filter(alters)
      .map(
        ({ name, to }) => `ALTER TABLE ${table} ALTER COLUMN ${quote(name)} ${spellType(to.type)} ${nullability(to)}`,
      ),
    // Together, so that the rows are written again once at the most.
    ...(delta.addColumns.length > 0
      ? [
          `ALTER TABLE ${table} ADD\n  ${delta.addColumns.map((column) => `${quote(column.name)} ${definition(column)}`).join(',\n  ')}`,
        ]
      : []),
  ];
}

function additions(delta: TableDelta, kept: Dependents): string[] {
  const table = quote(delta.table);
  const key = delta.primaryKey ? delta.primaryKey.to : kept.primaryKey;
  const add = (to: string) => (text: string) => `ALTER TABLE ${quote(to)} ADD ${text}`;
  return [
    ...delta.alterColumns.flatMap(({ name, to }) => {
      const value = spellDefault(to);
      return value === null ? [] : [`ALTER TABLE ${table} ADD DEFAULT ${value} FOR ${quote(name)}`];
    }),
    ...[
      ...(key ? [primaryKeySql(key)] : []),
      ...[...delta.addUniques, ...kept.uniques].map(uniqueSql),
      ...[...delta.addForeignKeys, ...kept.foreignKeys].map(foreignKeySql),
      ...[...delta.addChecks, ...kept.checks].map(checkSql),
    ].map(add(delta.table)),
    ...[...delta.addIndexes, ...kept.indexes].map((index) => indexSql(delta.table, index)),
    ...kept.referencing.map(([other, reference]) => add(other)(foreignKeySql(reference))),
  ];
}

// ---------------------------------------------------------------- parts of statements

const list = (names: readonly string[]) => names.map(quote).join(', ');
const constraint = (name: string | null) => (name === null ? '' : `CONSTRAINT ${quote(name)} `);
const primaryKeySql = (key: Key) => `${constraint(key.name)}PRIMARY KEY (${list(key.columns)})`;
const uniqueSql = (key: Key) => `${constraint(key.name)}UNIQUE (${list(key.columns)})`;

function tableSql(table: Table): string {
  const lines = [
    ...table.columns.map((column) => `${quote(column.name)} ${definition(column)}`),
    ...(table.primaryKey ? [primaryKeySql(table.primaryKey)] : []),
    ...table.uniques.map(uniqueSql),
    ...table.foreignKeys.map(foreignKeySql),
    ...table.checks.map(checkSql),
  ];
  return `CREATE TABLE ${quote(table.name)} (\n  ${lines.join(',\n  ')}\n)`;
}

function foreignKeySql(key: ForeignKey): string {
  const onDelete = key.onDelete === 'no action' ? '' : ` ON DELETE ${key.onDelete.toUpperCase()}`;
  const onUpdate = key.onUpdate === 'no action' ? '' : ` ON UPDATE ${key.onUpdate.toUpperCase()}`;
  return `${constraint(key.name)}FOREIGN KEY (${list(key.columns)}) REFERENCES ${quote(key.table)} (${list(key.references)})${onDelete}${onUpdate}`;
}

function checkSql({ name, expression }: Check): string {
  const text =
    'sql' in expression ? expression.sql : `${quote(expression.column)} IN (${expression.in.map(literal).join(', ')})`;
  return `${constraint(name)}CHECK (${text})`;
}

function indexSql(table: string, index: Index): string {
  const columns = index.columns.map(({ name, descending }) => `${quote(name)}${descending ? ' DESC' : ''}`);
  const include = index.include ? ` INCLUDE (${list(index.include)})` : '';
  const where = index.where ? ` WHERE ${index.where}` : '';
  return `CREATE ${index.unique ? 'UNIQUE ' : ''}INDEX ${quote(index.name)} ON ${quote(table)} (${columns.join(', ')})${include}${where}`;
}

/** MLflow's one trigger: a secret's id and name are authenticated with its value, and must not change. */
function triggerSql({ name, table }: Trigger): string {
  return `CREATE TRIGGER ${quote(name)}
ON ${quote(table)}
AFTER UPDATE
AS
BEGIN
    SET NOCOUNT ON;
    IF EXISTS (
        SELECT 1 FROM inserted i
        INNER JOIN deleted d ON i.secret_id = d.secret_id
        WHERE i.secret_id != d.secret_id OR i.secret_name != d.secret_name
    )
    BEGIN
        RAISERROR('secret_id and secret_name are immutable (used as AAD in encryption)', 16, 1);
        ROLLBACK TRANSACTION;
    END
END`;
}

// ---------------------------------------------------------------- effects

const MODIFY = { lock: 'Sch-M', blocks: 'reads and writes' } as const;

/**
 * Locks are kept to the end of the revision. Building an index takes S, which lets others read
 * (https://learn.microsoft.com/en-us/sql/relational-databases/sql-server-transaction-locking-and-row-versioning-guide#lock_modes).
 */
function effectsOf(delta: TableDelta, kept: Dependents): Effect[] {
  const { table } = delta;
  const indexes = [...delta.addIndexes, ...kept.indexes];
  const { addIndexes: _, ...others } = delta;
  const onlyIndexes = isEmpty({ ...others, addIndexes: [] });
  return [
    ...(onlyIndexes ? [] : [{ table, ...MODIFY, work: workOf(delta, kept) }]),
    ...indexes.map((): Effect => ({ table, lock: 'S', blocks: 'writes', work: 'index' })),
    ...[...delta.addForeignKeys, ...kept.foreignKeys].map(referencedBy),
    ...kept.referencing.map(([other]): Effect => ({ table: other, ...MODIFY, work: 'scan' })),
  ];
}

const referencedBy = (key: ForeignKey): Effect => ({ table: key.table, ...MODIFY, work: 'none' });

function workOf(delta: TableDelta, kept: Dependents): Effect['work'] {
  const rewritten =
    // The primary key is the order of the table itself.
    delta.primaryKey !== null ||
    kept.primaryKey !== null ||
    delta.alterColumns.some(({ from, to }) => rewrites(spellType(from.type), spellType(to.type))) ||
    // With a default for the rows that are there it is a change of the catalog in the Enterprise edition and in Azure only.
    delta.addColumns.some((column) => !column.nullable);
  if (rewritten) return 'rewrite';
  if (delta.addUniques.length + kept.uniques.length > 0) return 'index';
  const scans =
    delta.addForeignKeys.length + kept.foreignKeys.length + delta.addChecks.length + kept.checks.length > 0 ||
    delta.alterColumns.some(({ from, to }) => from.nullable && !to.nullable);
  return scans ? 'scan' : 'none';
}

/** A longer varchar is a change of the catalog alone; max, Unicode and another collation are not. */
function rewrites(from: string, to: string): boolean {
  const length = (type: string) => Number(/^varchar\((\d+)\)/.exec(type)?.[1] ?? Number.NaN);
  return from !== to && !(length(to) >= length(from) && !to.includes(' COLLATE '));
}
