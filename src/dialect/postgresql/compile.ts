/** Structural operations in PostgreSQL's SQL. All changes of a table that one ALTER TABLE can make are made by one. */
import { deltaOf, isEmpty, type TableDelta } from '../../schema/delta.js';
import { alteredTable, applies, applyOperation } from '../../schema/fold.js';
import type { Check, ForeignKey, Index, Schema, Table, Trigger } from '../../schema/model.js';
import { withTable } from '../../schema/model.js';
import type { Operation, TableChange } from '../../schema/operations.js';
import type { Compiled, Effect, Statement } from '../dialect.js';
import { naming } from './naming.js';
import { definition, literal, quote, spellColumn, spellDefault, spellType } from './spell.js';
import { TRAITS } from './traits.js';

const NOTHING = { statements: [], effects: [] };

/**
 * The statements of an operation on a schema as it is; none for what is done already.
 * @throws where a table to alter is not there
 */
export function compile(operation: Operation, schema: Schema): Compiled {
  if (!applies(operation, TRAITS)) return { ...NOTHING, after: schema };
  switch (operation.op) {
    case 'createTable': {
      const { name } = operation.table;
      const after = applyOperation(schema, operation, TRAITS, naming);
      const made = after.tables.get(name);
      const present = schema.tables.get(name);
      if (!made) return { ...NOTHING, after };
      if (present) return changeTable(present, made, [], schema);
      const indexes = made.indexes.map((index) => ({ sql: indexSql(name, index) }));
      return { statements: [{ sql: tableSql(operation.table) }, ...indexes], effects: parents(made), after };
    }
    case 'alterTable': {
      const before = schema.tables.get(operation.table);
      if (!before) throw new Error(`no table ${operation.table} to alter`);
      const target = alteredTable(before, operation.changes, TRAITS, naming);
      return changeTable(before, target, operation.changes, schema);
    }
    case 'createTrigger': {
      const after = applyOperation(schema, operation, TRAITS);
      if (after === schema) return { ...NOTHING, after };
      return { statements: triggerSql(operation.trigger), effects: [trigger(operation.trigger)], after };
    }
    case 'dropTable': {
      const after = applyOperation(schema, operation, TRAITS);
      const table = schema.tables.get(operation.table);
      if (!table) return { ...NOTHING, after: schema };
      return { statements: [{ sql: `DROP TABLE ${quote(table.name)}` }], effects: dropped(table), after };
    }
    case 'dropTrigger': {
      const { name, table } = operation.trigger;
      const after = applyOperation(schema, operation, TRAITS);
      // The function is of no use without its trigger, and stays where only the trigger, or its table, was dropped.
      const statements = [
        ...(schema.triggers.some((each) => each.name === name)
          ? [{ sql: `DROP TRIGGER ${quote(name)} ON ${quote(table)}` }]
          : []),
        { sql: `DROP FUNCTION IF EXISTS ${quote(name)}()` },
      ];
      return { statements, effects: [{ table, ...ALTER, work: 'none' }], after };
    }
    default:
      return { ...NOTHING, after: schema };
  }
}

function changeTable(before: Table, target: Table, changes: readonly TableChange[], schema: Schema): Compiled {
  const delta = deltaOf(before, target, changes, (a, b) => spellColumn(a) === spellColumn(b));
  if (isEmpty(delta)) return { ...NOTHING, after: schema };
  const table = quote(before.name);
  const clauses = alterClauses(delta);
  const statements = [
    ...delta.dropIndexes.map((index) => `DROP INDEX ${quote(index.name)}`),
    ...delta.renameColumns.map(({ from, to }) => `ALTER TABLE ${table} RENAME COLUMN ${quote(from)} TO ${quote(to)}`),
    ...(clauses.length > 0 ? [`ALTER TABLE ${table}\n  ${clauses.join(',\n  ')}`] : []),
    ...delta.addIndexes.map((index) => indexSql(before.name, index)),
  ].map((sql): Statement => ({ sql }));
  return { statements, effects: effectsOf(before.name, delta), after: withTable(schema, before.name, target) };
}

function alterClauses(delta: TableDelta): string[] {
  const drop = ({ name }: { readonly name: string | null }) => `DROP CONSTRAINT ${quote(name ?? '')}`;
  const { primaryKey } = delta;
  return [
    ...delta.dropForeignKeys.map(drop),
    ...delta.dropUniques.map(drop),
    ...delta.dropChecks.map(drop),
    ...(primaryKey?.from ? [drop(primaryKey.from)] : []),
    ...delta.dropColumns.map((column) => `DROP COLUMN ${quote(column.name)}`),
    ...delta.addColumns.map((column) => `ADD COLUMN ${quote(column.name)} ${definition(column)}`),
    ...delta.alterColumns.flatMap(({ name, from, to }) => {
      const column = `ALTER COLUMN ${quote(name)}`;
      const [was, is] = [spellDefault(from), spellDefault(to)];
      return [
        ...(spellType(from.type) === spellType(to.type) ? [] : [`${column} TYPE ${spellType(to.type)}`]),
        ...(from.nullable === to.nullable ? [] : [`${column} ${to.nullable ? 'DROP' : 'SET'} NOT NULL`]),
        ...(was === is ? [] : [is === null ? `${column} DROP DEFAULT` : `${column} SET DEFAULT ${is}`]),
      ];
    }),
    ...(primaryKey?.to
      ? [`ADD CONSTRAINT ${quote(primaryKey.to.name ?? '')} PRIMARY KEY (${list(primaryKey.to.columns)})`]
      : []),
    ...delta.addUniques.map((key) => `ADD ${constraint(key.name)}UNIQUE (${list(key.columns)})`),
    ...delta.addForeignKeys.map((key) => `ADD ${foreignKeySql(key)}`),
    ...delta.addChecks.map((check) => `ADD ${checkSql(check)}`),
  ];
}

const list = (names: readonly string[]) => names.map(quote).join(', ');
const constraint = (name: string | null) => (name === null ? '' : `CONSTRAINT ${quote(name)} `);

/** From the declaration, so that the server names what MLflow left to it to name. */
function tableSql(table: Table): string {
  const lines = [
    ...table.columns.map((column) => `${quote(column.name)} ${definition(column)}`),
    ...(table.primaryKey
      ? [`${constraint(table.primaryKey.name)}PRIMARY KEY (${list(table.primaryKey.columns)})`]
      : []),
    ...table.uniques.map((key) => `${constraint(key.name)}UNIQUE (${list(key.columns)})`),
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
function triggerSql({ name, table }: Trigger): Statement[] {
  return [
    {
      sql: `CREATE OR REPLACE FUNCTION ${name}()
RETURNS TRIGGER AS $$
BEGIN
    IF OLD.secret_id != NEW.secret_id OR OLD.secret_name != NEW.secret_name THEN
        RAISE EXCEPTION 'secret_id and secret_name are immutable (used as AAD in encryption)';
    END IF;
    RETURN NEW;
END;
$$ LANGUAGE plpgsql`,
    },
    { sql: `CREATE TRIGGER ${name}\nBEFORE UPDATE ON ${table}\nFOR EACH ROW\nEXECUTE FUNCTION ${name}()` },
  ];
}

// ---------------------------------------------------------------- effects

const ALTER = { lock: 'ACCESS EXCLUSIVE', blocks: 'reads and writes' } as const;
const REFERENCED = { lock: 'SHARE ROW EXCLUSIVE', blocks: 'writes' } as const;

/** https://www.postgresql.org/docs/current/sql-altertable.html (locks and rewrites are in its notes). */
function effectsOf(table: string, delta: TableDelta): Effect[] {
  const alters = alterClauses(delta).length > 0 || delta.renameColumns.length > 0 || delta.dropIndexes.length > 0;
  return [
    ...(alters ? [{ table, ...ALTER, work: workOf(delta) }] : []),
    ...delta.addForeignKeys.map((key): Effect => ({ table: key.table, ...REFERENCED, work: 'none' })),
    // The triggers that watch over the reference are on that side, too.
    ...delta.dropForeignKeys.map((key): Effect => ({ table: key.table, ...ALTER, work: 'none' })),
    ...delta.addIndexes.map((): Effect => ({ table, lock: 'SHARE', blocks: 'writes', work: 'index' })),
  ];
}

const trigger = ({ table }: Trigger): Effect => ({ table, ...REFERENCED, work: 'none' });

function workOf(delta: TableDelta): Effect['work'] {
  if (delta.alterColumns.some(({ from, to }) => rewrites(spellType(from.type), spellType(to.type)))) return 'rewrite';
  if (delta.primaryKey?.to || delta.addUniques.length > 0) return 'index';
  const scans =
    delta.addForeignKeys.length > 0 ||
    delta.addChecks.length > 0 ||
    delta.alterColumns.some(({ from, to }) => from.nullable && !to.nullable);
  return scans ? 'scan' : 'none';
}

/** A longer varchar, or text in its place, is a change of the catalog alone. */
function rewrites(from: string, to: string): boolean {
  const length = (type: string) => Number(/^character varying\((\d+)\)$/.exec(type)?.[1] ?? Number.NaN);
  return from !== to && !(to === 'text' && length(from) > 0) && !(length(to) >= length(from));
}

/** The triggers that watch over references are on both sides. */
function dropped(table: Table): Effect[] {
  const both = [table.name, ...table.foreignKeys.map((key) => key.table)];
  return [...new Set(both)].map((each) => ({ table: each, ...ALTER, work: 'none' }));
}

function parents(table: Table): Effect[] {
  return table.foreignKeys.map((key) => ({ table: key.table, ...REFERENCED, work: 'none' }));
}
