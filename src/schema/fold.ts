/**
 * What an operation makes of a schema: pure functions, model in, model out. Applied to the empty schema in the order of
 * the lineage they give the expected schema of every revision; applied to a live table they give the state that an
 * operation aims at. Applying an operation to a state in which it is already done changes nothing, which is what makes
 * a half-done revision resumable (see delta.ts).
 */
import {
  type Column,
  columnOf,
  type ForeignKey,
  type Index,
  type IndexColumn,
  type Key,
  type Schema,
  sameExpression,
  sameForeignKey,
  sameNames,
  type Table,
  withTable,
} from './model.js';
import type { ColumnAlteration, Operation, TableChange } from './operations.js';
import type { Trait, Traits } from './traits.js';

/**
 * Names that the server gives to constraints which a migration leaves unnamed. Only needed where the outcome of one
 * step must be foretold to write the next without a database in between.
 */
export interface Naming {
  foreignKey(table: Table, columns: readonly string[]): string | null;
  unique(table: Table, columns: readonly string[]): string | null;
  check(table: Table, column: string): string | null;
}

const UNNAMED: Naming = { foreignKey: () => null, unique: () => null, check: () => null };

/** The operations, and changes within them, that are meant for a dialect with these traits. */
export function applies(on: { readonly where?: Trait }, traits: Traits): boolean {
  return on.where === undefined || traits[on.where];
}

/** @throws {Error} when an operation changes a table that the schema does not have: a fault in a migration. */
export function applyOperation(schema: Schema, operation: Operation, traits: Traits, naming = UNNAMED): Schema {
  if (!applies(operation, traits)) return schema;
  switch (operation.op) {
    case 'createTable': {
      const { name } = operation.table;
      const present = schema.tables.get(name);
      const made = created(operation.table, traits, naming);
      return withTable(schema, name, present ? completed(present, made) : made);
    }
    case 'alterTable': {
      const table = schema.tables.get(operation.table);
      if (!table) throw new Error(`no table ${operation.table} to alter`);
      return withTable(schema, operation.table, alteredTable(table, operation.changes, traits, naming));
    }
    case 'createTrigger':
      return schema.triggers.some(({ name }) => name === operation.trigger.name)
        ? schema
        : { ...schema, triggers: [...schema.triggers, operation.trigger] };
    case 'dropTable':
      return withTable(schema, operation.table, null);
    case 'dropTrigger':
      return { ...schema, triggers: schema.triggers.filter(({ name }) => name !== operation.trigger.name) };
    case 'insertRow':
    case 'backfill':
    case 'deriveRows':
    case 'deriveValues':
    case 'require':
      return schema;
  }
}

/** A table after changes, in their order. @param naming what the database calls constraints that are made without a name */
export function alteredTable(
  table: Table,
  changes: readonly TableChange[],
  traits: Traits,
  naming: Naming = UNNAMED,
): Table {
  return changes
    .filter((change) => applies(change, traits))
    .reduce((state, change) => changed(state, change, traits, naming), table);
}

/** The table as the server makes it from the declaration. */
function created(declared: Table, traits: Traits, naming: Naming): Table {
  const bare: Table = { ...declared, uniques: [], foreignKeys: [], checks: [], indexes: [] };
  const merged = declared.uniques.filter(
    ({ columns }) => !(traits.mergesUniqueIntoPrimaryKey && sameNames(columns, declared.primaryKey?.columns ?? [])),
  );
  const changes: TableChange[] = [
    ...merged.map((key): TableChange => ({ change: 'addUnique', key })),
    ...declared.foreignKeys.map((foreignKey): TableChange => ({ change: 'addForeignKey', foreignKey })),
    ...declared.checks.map((check): TableChange => ({ change: 'addCheck', check, copies: 1 })),
    ...declared.indexes.map((index): TableChange => ({ change: 'addIndex', index })),
  ];
  return alteredTable(bare, changes, traits, naming);
}

/** A table that is already there, with the indexes that it lacks: they were statements of their own to MLflow. */
function completed(present: Table, declared: Table): Table {
  const missing = declared.indexes.filter(({ name }) => !present.indexes.some((index) => index.name === name));
  const uniques = declared.uniques.filter(
    ({ columns }) => !uniqueOn(present, columns) && !present.indexes.some((index) => coversUniquely(index, columns)),
  );
  return {
    ...present,
    indexes: [...present.indexes, ...missing],
    uniques: [...present.uniques, ...uniques],
  };
}

function changed(table: Table, change: TableChange, traits: Traits, naming: Naming): Table {
  switch (change.change) {
    case 'addColumn': {
      const present = columnOf(table, change.column.name);
      if (!present) return { ...table, columns: [...table.columns, change.column] };
      return table;
    }
    case 'alterColumn':
      return withColumn(table, change.name, (column) => altered(column, change.to));
    case 'dropColumn':
      return { ...table, columns: table.columns.filter(({ name }) => name !== change.name) };
    case 'renameColumn':
      return renamed(table, change.from, change.to, traits);
    case 'setPrimaryKey':
      // The name a primary key was born with varies with the MLflow version; it is its columns that count.
      return sameNames(table.primaryKey?.columns ?? [], change.key.columns)
        ? table
        : { ...table, primaryKey: change.key };
    case 'addUnique':
      return uniqueOn(table, change.key.columns)
        ? table
        : { ...table, uniques: [...table.uniques, named(change.key, naming.unique(table, change.key.columns))] };
    case 'dropUnique':
      return {
        ...table,
        uniques: table.uniques.filter(({ columns }) => !sameNames(columns, change.columns)),
        indexes: table.indexes.filter((index) => !coversUniquely(index, change.columns)),
      };
    case 'addForeignKey':
      return addedForeignKey(table, change.foreignKey, naming);
    case 'dropForeignKey':
      return {
        ...table,
        foreignKeys: table.foreignKeys.filter(
          (key) => !(key.table === change.table && sameNames(key.columns, change.columns)),
        ),
      };
    case 'addCheck': {
      const { expression } = change.check;
      const equal = table.checks.filter((check) => sameExpression(check.expression, expression)).length;
      let checks = table.checks;
      for (let n = equal; n < change.copies; n++) {
        const name =
          change.check.name ?? ('column' in expression ? naming.check({ ...table, checks }, expression.column) : null);
        checks = [...checks, { ...change.check, name }];
      }
      return { ...table, checks };
    }
    case 'dropCheck':
      return {
        ...table,
        checks: table.checks.filter((check) => !sameExpression(check.expression, change.expression)),
      };
    case 'addIndex': {
      const index = written(change.index, traits);
      if (index.unique && traits.uniqueIndexIsConstraint) {
        const key: Key = { name: index.name, columns: index.columns.map(({ name }) => name) };
        return table.uniques.some(({ name }) => name === index.name)
          ? table
          : { ...table, uniques: [...table.uniques, key] };
      }
      return { ...table, indexes: [...table.indexes.filter(({ name }) => name !== index.name), index] };
    }
    case 'dropIndex':
      return {
        ...table,
        indexes: table.indexes.filter(({ name }) => name !== change.name),
        uniques: traits.uniqueIndexIsConstraint
          ? table.uniques.filter(({ name }) => name !== change.name)
          : table.uniques,
      };
  }
}

function named(key: Key, name: string | null): Key {
  return { ...key, name: key.name ?? name };
}

function addedForeignKey(table: Table, foreignKey: ForeignKey, naming: Naming): Table {
  const equal = table.foreignKeys.some(
    (key) => sameForeignKey(key, foreignKey) && (foreignKey.name === null || key.name === foreignKey.name),
  );
  if (equal) return table;
  const name = foreignKey.name ?? naming.foreignKey(table, foreignKey.columns);
  return { ...table, foreignKeys: [...table.foreignKeys, { ...foreignKey, name }] };
}

function withColumn(table: Table, name: string, edit: (column: Column) => Column): Table {
  if (!columnOf(table, name)) throw new Error(`no column ${table.name}.${name} to change`);
  return { ...table, columns: table.columns.map((column) => (column.name === name ? edit(column) : column)) };
}

function altered(column: Column, to: ColumnAlteration): Column {
  return {
    ...column,
    ...(to.type && { type: to.type }),
    ...(to.nullable !== undefined && { nullable: to.nullable }),
    ...(to.default !== undefined && { default: to.default }),
  };
}

/** Keys, checks and indexes follow the column. */
function renamed(table: Table, from: string, to: string, traits: Traits): Table {
  if (!columnOf(table, from)) {
    if (columnOf(table, to)) return table;
    throw new Error(`no column ${table.name}.${from} to rename`);
  }
  const name = (column: string) => (column === from ? to : column);
  const key = <K extends Key>(key: K): K => ({ ...key, columns: key.columns.map(name) });
  const restated = traits.restatesColumns ? { nullable: true, default: null } : {};
  return {
    ...table,
    columns: table.columns.map((column) => (column.name === from ? { ...column, name: to, ...restated } : column)),
    primaryKey: table.primaryKey && key(table.primaryKey),
    uniques: table.uniques.map(key),
    foreignKeys: table.foreignKeys.map(key),
    checks: table.checks.map((check) =>
      'column' in check.expression
        ? { ...check, expression: { ...check.expression, column: name(check.expression.column) } }
        : check,
    ),
    indexes: table.indexes.map((index) => ({
      ...index,
      columns: index.columns.map((column): IndexColumn => ({ ...column, name: name(column.name) })),
    })),
  };
}

/** An index as a dialect with these traits writes it. */
function written(index: Index, traits: Traits): Index {
  const { include, where, ...rest } = index;
  const columns = traits.prefixIndexes
    ? index.columns
    : index.columns.map(({ prefix: _, ...column }): IndexColumn => column);
  return {
    ...rest,
    columns,
    ...(traits.coveringIndexes && include && { include }),
    ...(traits.coveringIndexes && where && { where }),
  };
}

function uniqueOn(table: Table, columns: readonly string[]): boolean {
  return table.uniques.some((key) => sameNames(key.columns, columns));
}

function coversUniquely(index: Index, columns: readonly string[]): boolean {
  return (
    index.unique &&
    index.where === undefined &&
    sameNames(
      index.columns.map(({ name }) => name),
      columns,
    )
  );
}
