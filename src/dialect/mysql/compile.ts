/**
 * Structural operations in MySQL's SQL. Every statement of DDL commits by itself, so that as much as possible of what a
 * revision does to a table is one ALTER TABLE: it happens whole or not at all
 * (https://dev.mysql.com/doc/refman/8.4/en/atomic-ddl.html), and the table is copied once.
 */
import { type ColumnChange, deltaOf, isEmpty, type TableDelta } from '../../schema/delta.js';
import { alteredTable, applies, applyOperation, type Naming } from '../../schema/fold.js';
import {
  type Check,
  type Column,
  type ForeignKey,
  type Index,
  type Schema,
  type Table,
  type Trigger,
  withTable,
} from '../../schema/model.js';
import type { Operation, TableChange } from '../../schema/operations.js';
import type { Compiled, Effect, Statement } from '../dialect.js';
import { isAtLeast, type Server } from './flavour.js';
import { namingOf } from './naming.js';
import { definition, literal, quote, spellColumn, spellType } from './spell.js';
import { TRAITS } from './traits.js';

const NOTHING = { statements: [], effects: [] };

export interface CompileOptions {
  readonly server: Server;
  /** Collation that a table gets when none is named; null when it is not known. */
  readonly defaultCollation: string | null;
}

/**
 * The statements of an operation on a schema as it is; none for what is done already.
 * @throws where a table to alter is not there
 */
export function compile(operation: Operation, schema: Schema, options: CompileOptions): Compiled {
  if (!applies(operation, TRAITS)) return { ...NOTHING, after: schema };
  const naming = namingOf(options.server);
  switch (operation.op) {
    case 'createTable': {
      const { name } = operation.table;
      const after = applyOperation(schema, operation, TRAITS, naming);
      const made = after.tables.get(name);
      const present = schema.tables.get(name);
      if (!made) return { ...NOTHING, after };
      if (present) return changeTable(present, made, [], schema, options.server);
      return {
        statements: [{ sql: tableSql(operation.table, collationFor(schema, options)) }],
        effects: operation.table.foreignKeys.map((key) => referencedBy(key)),
        after,
      };
    }
    case 'alterTable':
      return alterTable(operation.table, operation.changes, schema, naming, options.server);
    case 'createTrigger': {
      const after = applyOperation(schema, operation, TRAITS);
      if (after === schema) return { ...NOTHING, after };
      return { statements: [{ sql: triggerSql(operation.trigger) }], effects: [], after };
    }
    case 'dropTable': {
      const table = schema.tables.get(operation.table);
      if (!table) return { ...NOTHING, after: schema };
      const effects = [{ table: table.name, ...GONE }, ...table.foreignKeys.map(referencedBy)];
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

function alterTable(
  name: string,
  changes: readonly TableChange[],
  schema: Schema,
  naming: Naming,
  server: Server,
): Compiled {
  const before = schema.tables.get(name);
  if (!before) throw new Error(`no table ${name} to alter`);
  return changeTable(before, alteredTable(before, changes, TRAITS, naming), changes, schema, server);
}

function changeTable(
  before: Table,
  wanted: Table,
  changes: readonly TableChange[],
  schema: Schema,
  server: Server,
): Compiled {
  const target = withIndexesOfReferences(before, wanted);
  const delta = deltaOf(before, target, changes, (a, b) => spellColumn(a) === spellColumn(b));
  if (isEmpty(delta)) return { ...NOTHING, after: schema };
  const clauses = alterClauses(delta, target);
  // A name that is dropped cannot be given again by the same statement.
  const again = delta.addForeignKeys.some((key) => delta.dropForeignKeys.some(({ name }) => name === key.name));
  const parts = again ? [clauses.dropForeignKeys, clauses.rest] : [[...clauses.dropForeignKeys, ...clauses.rest]];
  const statements = parts
    .filter((part) => part.length > 0)
    .map((part): Statement => ({ sql: `ALTER TABLE ${quote(before.name)}\n  ${part.join(',\n  ')}` }));
  return { statements, effects: effectsOf(before, delta, server), after: withTable(schema, before.name, target) };
}

/**
 * A reference needs an index (https://dev.mysql.com/doc/refman/8.4/en/create-table-foreign-keys.html): the server makes one
 * with the reference, gives it up for one of ours, and refuses to drop that one. So its own comes back in the same statement.
 */
function withIndexesOfReferences(before: Table, target: Table): Table {
  const dropped = before.indexes.filter(({ name }) => !target.indexes.some((index) => index.name === name));
  const isNew = ({ name }: ForeignKey) => !before.foreignKeys.some((key) => key.name === name);
  const bare = target.foreignKeys.filter(
    (key) =>
      (dropped.some((index) => leads(namesOf(index), key.columns)) || (isNew(key) && isNamedByServer(key))) &&
      !isIndexed(key.columns, target),
  );
  const indexes = bare.map(
    ({ name, columns }): Index => ({
      // Where the server has chosen the name of the reference, it calls the index after the first column.
      name: isNamedByServer({ name }) ? (columns[0] ?? '') : (name ?? ''),
      unique: false,
      columns: columns.map((column) => ({ name: column })),
    }),
  );
  return indexes.length === 0 ? target : { ...target, indexes: [...target.indexes, ...indexes] };
}

const isNamedByServer = ({ name }: Pick<ForeignKey, 'name'>) => name === null || /_ibfk_\d+$/.test(name);
const namesOf = ({ columns }: Index) => columns.map(({ name }) => name);
const leads = (index: readonly string[], columns: readonly string[]) =>
  columns.every((column, i) => index[i] === column);
const isIndexed = (columns: readonly string[], { primaryKey, uniques, indexes }: Table) =>
  [primaryKey?.columns ?? [], ...uniques.map((key) => key.columns), ...indexes.map(namesOf)].some((each) =>
    leads(each, columns),
  );

function alterClauses(delta: TableDelta, target: Table): { dropForeignKeys: string[]; rest: string[] } {
  const renamed = new Set(delta.renameColumns.map(({ to }) => to));
  const columnNow = (name: string) => {
    const column = target.columns.find((each) => each.name === name);
    if (!column) throw new Error(`no column ${target.name}.${name}`);
    return definition(column);
  };
  return {
    dropForeignKeys: delta.dropForeignKeys.map(({ name }) => `DROP FOREIGN KEY ${quote(name ?? '')}`),
    rest: [
      ...delta.dropIndexes.map(({ name }) => `DROP INDEX ${quote(name)}`),
      ...delta.dropUniques.map(({ name }) => `DROP INDEX ${quote(name ?? '')}`),
      ...delta.dropChecks.map(({ name }) => `DROP CONSTRAINT ${quote(name ?? '')}`),
      ...(delta.primaryKey?.from ? ['DROP PRIMARY KEY'] : []),
      ...delta.dropColumns.map(({ name }) => `DROP COLUMN ${quote(name)}`),
      ...delta.renameColumns.map(({ from, to }) => `CHANGE COLUMN ${quote(from)} ${quote(to)} ${columnNow(to)}`),
      ...delta.alterColumns
        .filter(({ name }) => !renamed.has(name))
        .map(({ name }) => `MODIFY COLUMN ${quote(name)} ${columnNow(name)}`),
      ...delta.addColumns.map((column) => `ADD COLUMN ${quote(column.name)} ${definition(column)}`),
      ...(delta.primaryKey?.to ? [`ADD PRIMARY KEY (${list(delta.primaryKey.to.columns)})`] : []),
      ...delta.addUniques.map((key) => `ADD ${uniqueSql(key)}`),
      ...delta.addChecks.map((check) => `ADD ${checkSql(check)}`),
      // One without a name of its own is named, and finds the index that there is, as the server did the first time.
      ...delta.addForeignKeys.map((key) => `ADD ${foreignKeySql(isNamedByServer(key) ? { ...key, name: null } : key)}`),
      ...delta.addIndexes.map((index) => `ADD ${indexSql(index)}`),
    ],
  };
}

const list = (names: readonly string[]) => names.map(quote).join(', ');
const constraint = (name: string | null) => (name === null ? '' : `CONSTRAINT ${quote(name)} `);
const uniqueSql = (key: Table['uniques'][number]) => `${constraint(key.name)}UNIQUE (${list(key.columns)})`;

/** From the declaration, so that the server names what MLflow left to it to name. Its indexes are made with it. */
function tableSql(table: Table, collation: string | null): string {
  const lines = [
    ...table.columns.map((column) => `${quote(column.name)} ${definition(column)}`),
    ...(table.primaryKey ? [`PRIMARY KEY (${list(table.primaryKey.columns)})`] : []),
    ...table.uniques.map(uniqueSql),
    ...table.foreignKeys.map(foreignKeySql),
    ...table.checks.map(checkSql),
    ...table.indexes.map(indexSql),
  ];
  const options = collation === null ? '' : ` COLLATE ${collation}`;
  return `CREATE TABLE ${quote(table.name)} (\n  ${lines.join(',\n  ')}\n)${options}`;
}

/**
 * A foreign key needs both sides in one collation. Where the database's default is not that of the tables that are
 * there (it was changed, or the tables were loaded from elsewhere), new tables follow the tables.
 */
function collationFor(schema: Schema, { defaultCollation }: CompileOptions): string | null {
  const own = (schema.tables.get('runs') ?? schema.tables.get('experiments'))?.collation ?? null;
  return own === defaultCollation ? null : own;
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

function indexSql(index: Index): string {
  const columns = index.columns.map(
    ({ name, descending, prefix }) => `${quote(name)}${prefix ? `(${prefix})` : ''}${descending ? ' DESC' : ''}`,
  );
  return `${index.unique ? 'UNIQUE ' : ''}INDEX ${quote(index.name)} (${columns.join(', ')})`;
}

/** MLflow's one trigger: a secret's id and name are authenticated with its value, and must not change. */
function triggerSql({ name, table }: Trigger): string {
  return `CREATE TRIGGER ${name}
BEFORE UPDATE ON ${table}
FOR EACH ROW
BEGIN
    IF OLD.secret_id != NEW.secret_id OR OLD.secret_name != NEW.secret_name THEN
        SIGNAL SQLSTATE '45000'
        SET MESSAGE_TEXT = 'secret_id and secret_name are immutable (used as AAD in encryption)';
    END IF;
END`;
}

// ---------------------------------------------------------------- effects

const COPY = { lock: 'ALGORITHM=COPY, LOCK=SHARED', blocks: 'writes', work: 'rewrite' } as const;
const REBUILD = { lock: 'ALGORITHM=INPLACE, with a rebuild', blocks: 'nothing', work: 'rewrite' } as const;
const INPLACE = { lock: 'ALGORITHM=INPLACE', blocks: 'nothing', work: 'index' } as const;
const GONE = { lock: 'metadata lock, for a moment', blocks: 'reads and writes', work: 'none' } as const;
const INSTANT = { lock: 'metadata lock, for a moment', blocks: 'nothing', work: 'none' } as const;

/** https://dev.mysql.com/doc/refman/8.4/en/innodb-online-ddl-operations.html, https://mariadb.com/kb/en/innodb-online-ddl-overview/ */
function effectsOf(before: Table, delta: TableDelta, server: Server): Effect[] {
  const types = delta.alterColumns.filter(({ from, to }) => spellType(from.type) !== spellType(to.type));
  const collations = types.filter((change) => collatesOnline(change, server));
  const isIn = ({ name }: ColumnChange, columns: readonly string[] = []) => columns.includes(name);
  const copies =
    types.some((change) =>
      collations.includes(change)
        ? isIn(change, before.primaryKey?.columns)
        : !growsInPlace(spellType(change.from.type), spellType(change.to.type)),
    ) ||
    delta.addForeignKeys.length > 0 ||
    delta.addChecks.length > 0;
  const indexes =
    delta.addIndexes.length + delta.addUniques.length > 0 ||
    collations.some((change) =>
      before.indexes.some(({ columns }) =>
        isIn(
          change,
          columns.map(({ name }) => name),
        ),
      ),
    );
  const rebuilds =
    delta.primaryKey !== null ||
    delta.dropColumns.length > 0 ||
    // A column is added in an instant only by a statement that does nothing else.
    (delta.addColumns.length > 0 && indexes) ||
    delta.alterColumns.some(({ from, to }) => from.nullable !== to.nullable);
  const effect = copies ? COPY : rebuilds ? REBUILD : indexes ? INPLACE : INSTANT;
  return [{ table: before.name, ...effect }, ...delta.addForeignKeys.map(referencedBy)];
}

/**
 * Whether only the collation of a column changes, and the server writes just the indexes over it anew
 * (https://mariadb.com/kb/en/innodb-online-ddl-operations-with-the-instant-alter-algorithm/).
 */
function collatesOnline({ from, to }: ColumnChange, server: Server): boolean {
  const length = (column: Column) => /^varchar\((\d+)\)/.exec(spellType(column.type))?.[1];
  const keepsLength = length(to) !== undefined && length(from) === length(to);
  return keepsLength && server.flavour === 'mariadb' && isAtLeast(server, [10, 4, 3]);
}

const referencedBy = (key: ForeignKey): Effect => ({ table: key.table, ...INSTANT });

/**
 * A VARCHAR grows in place while its length keeps its bytes: one up to 255 bytes, two above. At four bytes a character
 * that is 63 characters, and every VARCHAR that MLflow widens is longer before.
 */
function growsInPlace(from: string, to: string): boolean {
  const length = (type: string) => Number(/^varchar\((\d+)\)$/.exec(type)?.[1] ?? Number.NaN);
  return length(from) > 63 && length(to) >= length(from);
}
