/**
 * Structural operations in SQLite's SQL. SQLite adds, renames and drops columns by itself; any other change of a table
 * writes its CREATE TABLE anew and copies the rows (https://www.sqlite.org/lang_altertable.html#otheralter).
 */
import { deltaOf, isEmpty, type TableDelta } from '../../schema/delta.js';
import { alteredTable, applies, applyOperation } from '../../schema/fold.js';
import {
  type Check,
  type CheckExpression,
  type Column,
  type ForeignKey,
  type Index,
  type Key,
  type Schema,
  sameExpression,
  sameForeignKey,
  sameNames,
  type Table,
  type Trigger,
  withTable,
} from '../../schema/model.js';
import type { Operation, TableChange } from '../../schema/operations.js';
import type { Compiled, Effect, Statement } from '../dialect.js';
import { rangeMarker } from '../ranges.js';
import { ROWID_NAMES, type RowidName } from './rowid.js';
import { clausesOf, declaredType, literal, spellColumn, spellDefault } from './spell.js';
import {
  type Clause,
  type ColumnDefinition,
  type ConstraintDefinition,
  checkOf,
  type Definition,
  foreignKeyOf,
  formatTable,
  isKeyOn,
  parseTable,
  quoteIfNeeded,
  quoteName,
  type TableSql,
} from './table-sql.js';
import { TRAITS } from './traits.js';

/** Rows copied between two looks at the clock: long enough to be fast, short enough to show progress and obey a signal. */
const COPY_ROWS = 50_000;

/** The table that a rebuild fills. Left over by a killed run only if the transaction was not rolled back, which SQLite does. */
export const REBUILD_PREFIX = '_mtrack_new_';

const NOTHING = { statements: [], effects: [] };

/**
 * The statements of an operation on a schema as it is; none for what is done already.
 * @throws where a table to alter is not there
 */
export function compile(operation: Operation, schema: Schema): Compiled {
  if (!applies(operation, TRAITS)) return { ...NOTHING, after: schema };
  switch (operation.op) {
    case 'createTable':
      return createTable(operation, schema);
    case 'alterTable':
      return alterTable(operation.table, operation.changes, schema);
    case 'createTrigger': {
      const after = applyOperation(schema, operation, TRAITS);
      if (after === schema) return { ...NOTHING, after };
      return { statements: [{ sql: triggerSql(operation.trigger) }], effects: [], after };
    }
    case 'dropTable': {
      const { table } = operation;
      if (!schema.tables.has(table)) return { ...NOTHING, after: schema };
      return {
        statements: [{ sql: `DROP TABLE ${quoteName(table)}` }],
        effects: [{ table, lock: 'EXCLUSIVE, on the whole database', blocks: 'reads and writes', work: 'none' }],
        after: applyOperation(schema, operation, TRAITS),
      };
    }
    case 'dropTrigger': {
      const after = applyOperation(schema, operation, TRAITS);
      if (after.triggers.length === schema.triggers.length) return { ...NOTHING, after: schema };
      return { statements: [{ sql: `DROP TRIGGER ${quoteName(operation.trigger.name)}` }], effects: [], after };
    }
    default:
      return { ...NOTHING, after: schema };
  }
}

function createTable(operation: Extract<Operation, { op: 'createTable' }>, schema: Schema): Compiled {
  const { name } = operation.table;
  const after = applyOperation(schema, operation, TRAITS);
  const made = after.tables.get(name);
  if (!made) return { ...NOTHING, after: schema };
  const present = schema.tables.get(name);
  if (present) return changeTable(present, made, [], schema);
  const create = formatTable({
    head: `CREATE TABLE ${quoteIfNeeded(name)} (`,
    definitions: definitionsOf(made),
    options: '',
  });
  return {
    statements: [{ sql: create }, ...made.indexes.map((index) => ({ sql: indexSql(name, index) }))],
    effects: [],
    after: withTable(after, name, { ...made, sql: create }),
  };
}

function alterTable(name: string, changes: readonly TableChange[], schema: Schema): Compiled {
  const before = schema.tables.get(name);
  if (!before) throw new Error(`no table ${name} to alter`);
  const target = alteredTable(before, changes, TRAITS);
  return changeTable(before, target, changes, schema);
}

function changeTable(before: Table, target: Table, changes: readonly TableChange[], schema: Schema): Compiled {
  const delta = deltaOf(before, target, changes, (a, b) => spellColumn(a) === spellColumn(b));
  if (isEmpty(delta)) return { ...NOTHING, after: schema };
  const sql = rewritten(before, delta);
  const after = withTable(schema, before.name, { ...target, sql });
  const statements = canAlter(delta)
    ? alterStatements(before, delta)
    : rebuildStatements(before, target, sql, schema.triggers);
  return { statements, effects: effectsOf(before.name, delta), after };
}

// ---------------------------------------------------------------- what SQLite can alter

/** ADD COLUMN takes a NOT NULL column only with a default that is not null, and none with a generated value that is stored. */
function canAlter(delta: TableDelta): boolean {
  const addable = (column: Column) => !column.generated && (column.nullable || Boolean(column.default));
  return (
    delta.addColumns.every(addable) &&
    delta.alterColumns.length === 0 &&
    delta.primaryKey === null &&
    delta.addUniques.length + delta.dropUniques.length === 0 &&
    delta.addForeignKeys.length + delta.dropForeignKeys.length === 0 &&
    delta.addChecks.length + delta.dropChecks.length === 0
  );
}

function alterStatements(table: Table, delta: TableDelta): Statement[] {
  const name = quoteName(table.name);
  return [
    ...delta.dropIndexes.map((index) => `DROP INDEX ${quoteName(index.name)}`),
    ...delta.renameColumns.map(
      ({ from, to }) => `ALTER TABLE ${name} RENAME COLUMN ${quoteName(from)} TO ${quoteIfNeeded(to)}`,
    ),
    ...delta.addColumns.map((column) => `ALTER TABLE ${name} ADD COLUMN ${spellColumn(column)}`),
    ...delta.dropColumns.map((column) => `ALTER TABLE ${name} DROP COLUMN ${quoteName(column.name)}`),
    ...delta.addIndexes.map((index) => indexSql(table.name, index)),
  ].map((sql) => ({ sql }));
}

// ---------------------------------------------------------------- what it cannot

function rebuildStatements(before: Table, target: Table, sql: string, triggers: readonly Trigger[]): Statement[] {
  const temporary = `${REBUILD_PREFIX}${before.name}`;
  const parsed = parseTable(sql);
  const old = quoteName(before.name);
  const fresh = quoteName(temporary);
  const kept = before.columns.filter(
    ({ name, generated }) => !generated && target.columns.some((column) => column.name === name && !column.generated),
  );
  const columns = kept.map(({ name }) => quoteName(name)).join(', ');
  const rowid = rowidOf(before, parsed);
  // Rows keep their rowid, which a user's own tables may refer to.
  const all = rowid === null || isNumbered(before) || isNumbered(target) ? columns : `${rowid}, ${columns}`;
  const copy = `INSERT INTO ${fresh} (${all}) SELECT ${all} FROM ${old}`;
  const own = triggers.filter((trigger) => trigger.table === before.name);
  return [
    { sql: formatTable(parsed, temporary) },
    rowid === null
      ? { sql: copy, note: `copy ${before.name}` }
      : {
          sql: `${copy} WHERE ${rangeMarker(rowid)} ORDER BY ${rowid}`,
          over: { table: before.name, key: rowid, rows: COPY_ROWS },
          note: `copy ${before.name}`,
        },
    ...(/\bAUTOINCREMENT\b/i.test(sql) ? sequenceStatements(before.name, temporary) : []),
    { sql: `DROP TABLE ${old}` },
    { sql: `ALTER TABLE ${fresh} RENAME TO ${old}` },
    ...target.indexes.map((index) => ({ sql: index.sql ?? indexSql(before.name, index), note: `index ${index.name}` })),
    ...own.map((trigger) => ({ sql: triggerSql(trigger) })),
  ];
}

/** By what name a table's rowid can be read (https://www.sqlite.org/rowidtable.html); null where it has none, or no name is free. */
function rowidOf(table: Table, { options }: TableSql): RowidName | null {
  if (/\bWITHOUT\s+ROWID\b/i.test(options)) return null;
  const taken = new Set(table.columns.map(({ name }) => name.toLowerCase()));
  return ROWID_NAMES.find((name) => !taken.has(name)) ?? null;
}

/** Whether the primary key is another name for the rowid. */
function isNumbered({ primaryKey, columns }: Table): boolean {
  const [key, ...others] = primaryKey?.columns ?? [];
  const type = columns.find(({ name }) => name === key)?.type;
  return others.length === 0 && type?.kind === 'native' && /^integer$/i.test(type.sql);
}

/** Numbers that AUTOINCREMENT has given out are not given again, also where their rows are gone. */
function sequenceStatements(table: string, temporary: string): Statement[] {
  const name = literal(temporary);
  return [
    { sql: `DELETE FROM sqlite_sequence WHERE name = ${name}` },
    {
      sql: `INSERT INTO sqlite_sequence (name, seq) SELECT ${name}, seq FROM sqlite_sequence WHERE name = ${literal(table)}`,
    },
  ];
}

/** The CREATE TABLE with the changes written into it, everything else to the letter. */
function rewritten(before: Table, delta: TableDelta): string {
  if (before.sql === undefined) throw new Error(`table ${before.name} was read without its CREATE statement`);
  const parsed = parseTable(before.sql);
  const rename = (name: string) => delta.renameColumns.find(({ from }) => from === name)?.to ?? name;
  const dropped = new Set(delta.dropColumns.map(({ name }) => name));
  const altered = new Map(delta.alterColumns.map((change) => [change.name, change]));

  const columns = parsed.definitions.flatMap((definition): ColumnDefinition[] => {
    if (definition.is !== 'column') return [];
    const name = rename(definition.name);
    if (dropped.has(name)) return [];
    const change = altered.get(name);
    const edited = change ? alteredDefinition(definition, change.from, change.to) : definition;
    return [withoutKeys({ ...edited, name }, delta)];
  });
  const constraints = parsed.definitions
    .filter((definition) => definition.is === 'constraint')
    .filter((definition) => !isDropped(definition, delta));
  return formatTable({
    ...parsed,
    definitions: [
      ...columns,
      ...delta.addColumns.map(columnDefinition),
      ...(delta.primaryKey?.to ? [keyDefinition('primary key', delta.primaryKey.to)] : []),
      ...constraints,
      ...delta.addUniques.map((key) => keyDefinition('unique', key)),
      ...delta.addForeignKeys.map(foreignKeyDefinition),
      ...delta.addChecks.map(checkDefinition),
    ],
  });
}

/** Only the clauses that change are written anew: a collation, a check, a default that is an expression stay as they are. */
function alteredDefinition(definition: ColumnDefinition, from: Column, to: Column): ColumnDefinition {
  const type = declaredType(from) === declaredType(to) ? definition.type : declaredType(to);
  const text = ({ default: value }: Column) => (value ? spellDefault(value) : null);
  const clauses = (changes: boolean, ...kinds: Clause['kind'][]) =>
    (changes ? columnDefinition(to) : definition).clauses.filter(({ kind }) => kinds.includes(kind));
  const other = definition.clauses.filter(({ kind }) => kind !== 'default' && kind !== 'not null' && kind !== 'null');
  return {
    ...definition,
    type,
    clauses: [
      ...clauses(text(from) !== text(to), 'default'),
      ...clauses(from.nullable !== to.nullable, 'not null', 'null'),
      ...other,
    ],
  };
}

/** A key, reference or check that is part of a column's own definition, when it goes. */
function withoutKeys(definition: ColumnDefinition, delta: TableDelta): ColumnDefinition {
  const own = [definition.name];
  const goes = ({ kind, text }: ColumnDefinition['clauses'][number]) =>
    (kind === 'primary key' && delta.primaryKey !== null) ||
    (kind === 'unique' && delta.dropUniques.some(({ columns }) => sameNames(columns, own))) ||
    (kind === 'references' &&
      delta.dropForeignKeys.some((key) => sameForeignKey(key, foreignKeyOf(text, null, definition.name)))) ||
    (kind === 'check' && delta.dropChecks.some(({ expression }) => sameExpression(expression, checkOf(text))));
  return { ...definition, clauses: definition.clauses.filter((clause) => !goes(clause)) };
}

function isDropped(definition: ConstraintDefinition, delta: TableDelta): boolean {
  switch (definition.kind) {
    case 'primary key':
      return delta.primaryKey !== null;
    case 'unique':
      return delta.dropUniques.some(({ columns }) => isKeyOn(definition, 'unique', columns));
    case 'foreign key': {
      const own = foreignKeyOf(definition.text, definition.name);
      return delta.dropForeignKeys.some((key) => key.name === own.name && sameForeignKey(key, own));
    }
    case 'check':
      return delta.dropChecks.some(({ expression }) => sameExpression(expression, checkOf(definition.text)));
  }
}

// ---------------------------------------------------------------- definitions from the model

function definitionsOf(table: Table): Definition[] {
  return [
    ...table.columns.map(columnDefinition),
    ...(table.primaryKey ? [keyDefinition('primary key', table.primaryKey)] : []),
    ...table.uniques.map((key) => keyDefinition('unique', key)),
    ...table.foreignKeys.map(foreignKeyDefinition),
    ...table.checks.map(checkDefinition),
  ];
}

function columnDefinition(column: Column): ColumnDefinition {
  return {
    is: 'column',
    name: column.name,
    type: declaredType(column),
    clauses: clausesOf(column).map((text) => ({
      kind: text.startsWith('DEFAULT') ? 'default' : text.startsWith('NOT') ? 'not null' : 'generated',
      text,
    })),
  };
}

const prefix = (name: string | null) => (name === null ? '' : `CONSTRAINT ${quoteIfNeeded(name)} `);
const list = (columns: readonly string[]) => columns.map(quoteIfNeeded).join(', ');

function keyDefinition(kind: 'primary key' | 'unique', key: Key): ConstraintDefinition {
  return {
    is: 'constraint',
    kind,
    name: key.name,
    text: `${prefix(key.name)}${kind.toUpperCase()} (${list(key.columns)})`,
  };
}

function foreignKeyDefinition(key: ForeignKey): ConstraintDefinition {
  const actions = [
    ...(key.onDelete === 'no action' ? [] : [` ON DELETE ${key.onDelete.toUpperCase()}`]),
    ...(key.onUpdate === 'no action' ? [] : [` ON UPDATE ${key.onUpdate.toUpperCase()}`]),
  ].join('');
  return {
    is: 'constraint',
    kind: 'foreign key',
    name: key.name,
    text: `${prefix(key.name)}FOREIGN KEY(${list(key.columns)}) REFERENCES ${quoteIfNeeded(key.table)} (${list(key.references)})${actions}`,
  };
}

function checkDefinition(check: Check): ConstraintDefinition {
  return {
    is: 'constraint',
    kind: 'check',
    name: check.name,
    text: `${prefix(check.name)}CHECK (${expressionSql(check.expression)})`,
  };
}

function expressionSql(expression: CheckExpression): string {
  if ('sql' in expression) return expression.sql;
  return `${quoteIfNeeded(expression.column)} IN (${expression.in.map(literal).join(', ')})`;
}

function indexSql(table: string, index: Index): string {
  const columns = index.columns.map(({ name, descending }) => `${quoteIfNeeded(name)}${descending ? ' DESC' : ''}`);
  return `CREATE ${index.unique ? 'UNIQUE ' : ''}INDEX ${quoteIfNeeded(index.name)} ON ${quoteIfNeeded(table)} (${columns.join(', ')})`;
}

/** MLflow's one trigger: a secret's id and name are authenticated with its value, and must not change. */
function triggerSql(trigger: Trigger): string {
  return (
    trigger.sql ??
    `CREATE TRIGGER ${trigger.name}
BEFORE UPDATE ON ${trigger.table}
FOR EACH ROW
WHEN OLD.secret_id != NEW.secret_id OR OLD.secret_name != NEW.secret_name
BEGIN
    SELECT RAISE(ABORT, 'secret_id and secret_name are immutable (used as AAD in encryption)');
END`
  );
}

// ---------------------------------------------------------------- effects

function effectsOf(table: string, delta: TableDelta): Effect[] {
  const work = !canAlter(delta)
    ? 'rewrite'
    : delta.dropColumns.length > 0
      ? 'rewrite'
      : delta.addIndexes.length > 0
        ? 'index'
        : 'none';
  return [{ table, lock: 'EXCLUSIVE, on the whole database', blocks: 'reads and writes', work }];
}
