/**
 * The vocabulary that migrations are written in. A migration declares operations; everything else (the schema at each
 * revision, the SQL of each dialect, the probe, the hazards) is derived from the declaration. Nothing here knows a
 * dialect: where MLflow treats one differently, the operation names the trait that makes the difference (`where`).
 */
import type {
  Check,
  CheckExpression,
  Column,
  ColumnDefault,
  ColumnType,
  ForeignKey,
  Index,
  IndexColumn,
  Key,
  ReferentialAction,
  Table,
  Trigger,
} from './model.js';
import type { Trait } from './traits.js';
import type { Literal, SqlWords } from './words.js';

export * as python from './python.js';
export type { Literal, SqlWords } from './words.js';

// ---------------------------------------------------------------- types of columns

export const integer = (): ColumnType => ({ kind: 'integer' });
export const bigint = (): ColumnType => ({ kind: 'bigint' });
export const boolean = (): ColumnType => ({ kind: 'boolean' });
/** The database's default precision: single on MySQL, double elsewhere. */
export const float = (): ColumnType => ({ kind: 'float' });
export const double = (): ColumnType => ({ kind: 'double' });
export const date = (): ColumnType => ({ kind: 'date' });
export const json = (): ColumnType => ({ kind: 'json' });
export const binary = (): ColumnType => ({ kind: 'binary' });
export const varchar = (length: number, options: { caseSensitive?: boolean } = {}): ColumnType => ({
  kind: 'varchar',
  length,
  ...options,
});
export const text = (options: { atLeast?: 'medium' | 'long'; unicode?: boolean } = {}): ColumnType => ({
  kind: 'text',
  ...options,
});

// ---------------------------------------------------------------- parts of a table

interface ColumnOptions {
  /** A quoted literal, as MLflow gives most of its server defaults, or `false`. */
  readonly default?: string | false;
  readonly generated?: string;
  readonly numbered?: 'serial' | 'identity';
}

function column(name: string, type: ColumnType, nullable: boolean, options: ColumnOptions): ColumnPart {
  const value = options.default;
  const given: ColumnDefault | null =
    value === undefined ? null : value === false ? { kind: 'false' } : { kind: 'text', value };
  return {
    part: 'column',
    column: {
      name,
      type,
      nullable,
      default: given,
      generated: options.generated ?? null,
      numbered: options.numbered ?? null,
    },
  };
}

/** A NOT NULL column. */
export const required = (name: string, type: ColumnType, options: ColumnOptions = {}): ColumnPart =>
  column(name, type, false, options);
/** A column that may be null. */
export const optional = (name: string, type: ColumnType, options: ColumnOptions = {}): ColumnPart =>
  column(name, type, true, options);

/** The primary key; the name is kept where the database keeps one. */
export const primaryKey = (name: string, ...columns: string[]): TablePart => ({
  part: 'primaryKey',
  key: { name, columns },
});
/**
 * A unique key.
 * @param name null to let the database name it
 */
export const unique = (name: string | null, ...columns: string[]): TablePart => ({
  part: 'unique',
  key: { name, columns },
});
/**
 * A check.
 * @param name null to let the database name it
 */
export const check = (name: string | null, expression: CheckExpression): TablePart => ({
  part: 'check',
  check: { name, expression },
});
/** What a check says: the column holds one of the values, or NULL. */
export const isOneOf = (column: string, values: readonly (string | number)[]): CheckExpression => ({
  column,
  in: values,
});

interface References {
  readonly columns: readonly string[];
  readonly table: string;
  /** The columns referred to; the same names when left out. */
  readonly references?: readonly string[];
  readonly onDelete?: ReferentialAction;
  readonly onUpdate?: ReferentialAction;
}

function reference(name: string | null, to: References): ForeignKey {
  return {
    name,
    columns: to.columns,
    table: to.table,
    references: to.references ?? to.columns,
    onDelete: to.onDelete ?? 'no action',
    onUpdate: to.onUpdate ?? 'no action',
  };
}

/**
 * A reference.
 * @param name null to let the database name it
 */
export const foreignKey = (name: string | null, to: References): TablePart => ({
  part: 'foreignKey',
  foreignKey: reference(name, to),
});

interface IndexOptions {
  readonly unique?: boolean;
  /** Characters of a column that are indexed where the dialect has `prefixIndexes`. */
  readonly prefix?: Readonly<Record<string, number>>;
  /** Carried and restricted only where the dialect has `coveringIndexes`. */
  readonly include?: readonly string[];
  readonly where?: string;
  readonly descending?: readonly string[];
}

function indexOf(name: string, columns: readonly string[], options: IndexOptions): Index {
  const part = (column: string): IndexColumn => ({
    name: column,
    ...(options.descending?.includes(column) && { descending: true }),
    ...(options.prefix?.[column] && { prefix: options.prefix[column] }),
  });
  return {
    name,
    unique: options.unique ?? false,
    columns: columns.map(part),
    ...(options.include && { include: options.include }),
    ...(options.where && { where: options.where }),
  };
}

/** An index; unique, partial or descending by its options. */
export const index = (name: string, columns: readonly string[], options: IndexOptions = {}): TablePart => ({
  part: 'index',
  index: indexOf(name, columns, options),
});

export interface ColumnPart {
  readonly part: 'column';
  readonly column: Column;
}
export type TablePart =
  | ColumnPart
  | { readonly part: 'primaryKey'; readonly key: Key }
  | { readonly part: 'unique'; readonly key: Key }
  | { readonly part: 'foreignKey'; readonly foreignKey: ForeignKey }
  | { readonly part: 'check'; readonly check: Check }
  | { readonly part: 'index'; readonly index: Index };

// ---------------------------------------------------------------- changes of a table

export type TableChange = { readonly where?: Trait } & (
  | { readonly change: 'addColumn'; readonly column: Column }
  | { readonly change: 'alterColumn'; readonly name: string; readonly to: ColumnAlteration }
  | { readonly change: 'dropColumn'; readonly name: string }
  | { readonly change: 'renameColumn'; readonly from: string; readonly to: string }
  | { readonly change: 'setPrimaryKey'; readonly key: Key }
  | { readonly change: 'addUnique'; readonly key: Key }
  | { readonly change: 'dropUnique'; readonly columns: readonly string[] }
  | { readonly change: 'addForeignKey'; readonly foreignKey: ForeignKey }
  | { readonly change: 'dropForeignKey'; readonly columns: readonly string[]; readonly table: string }
  /** `copies`: how many equal checks there are afterwards. MLflow's own migrations make a second one in places. */
  | { readonly change: 'addCheck'; readonly check: Check; readonly copies: number }
  | { readonly change: 'dropCheck'; readonly expression: CheckExpression }
  | { readonly change: 'addIndex'; readonly index: Index }
  | { readonly change: 'dropIndex'; readonly name: string }
);

/** What of a column changes; what is left out stays. */
export interface ColumnAlteration {
  readonly type?: ColumnType;
  readonly nullable?: boolean;
  readonly default?: ColumnDefault | null;
}

export const addColumn = (part: ColumnPart): TableChange => ({ change: 'addColumn', column: part.column });
export const dropColumn = (name: string): TableChange => ({ change: 'dropColumn', name });
/** Where `restatesColumns`, the renamed column keeps neither NOT NULL nor its default: Alembic does not restate them. */
export const renameColumn = (from: string, to: string): TableChange => ({ change: 'renameColumn', from, to });
/** Puts another primary key in the place of the one that is there. */
export const setPrimaryKey = (name: string, ...columns: string[]): TableChange => ({
  change: 'setPrimaryKey',
  key: { name, columns },
});
/** Adds a unique key. */
export const addUnique = (name: string, ...columns: string[]): TableChange => ({
  change: 'addUnique',
  key: { name, columns },
});
/** Drops the unique constraint, or unique index, on exactly these columns, by whatever name it has. */
export const dropUnique = (...columns: string[]): TableChange => ({ change: 'dropUnique', columns });
/** Adds a reference. */
export const addForeignKey = (name: string, to: References): TableChange => ({
  change: 'addForeignKey',
  foreignKey: reference(name, to),
});
/** Drops the foreign key from these columns to that table, by whatever name it has. */
export const dropForeignKey = (columns: readonly string[], table: string): TableChange => ({
  change: 'dropForeignKey',
  columns,
  table,
});
/**
 * Adds a check.
 * @param copies how many of it the database is to have, as MLflow made some twice
 */
export const addCheck = (name: string | null, expression: CheckExpression, copies = 1): TableChange => ({
  change: 'addCheck',
  check: { name, expression },
  copies,
});
/** Drops the checks that say this, by whatever name they have. */
export const dropCheck = (expression: CheckExpression): TableChange => ({ change: 'dropCheck', expression });
/** Adds an index. */
export const addIndex = (name: string, columns: readonly string[], options: IndexOptions = {}): TableChange => ({
  change: 'addIndex',
  index: indexOf(name, columns, options),
});
export const dropIndex = (name: string): TableChange => ({ change: 'dropIndex', name });

/** Changes what is given of a column, and leaves the rest as it is. */
export function alterColumn(
  name: string,
  to: { type?: ColumnType; nullable?: boolean; default?: string | null },
): TableChange {
  const { default: given, ...rest } = to;
  const value: { default?: ColumnDefault | null } =
    given === undefined ? {} : { default: given === null ? null : { kind: 'text', value: given } };
  return { change: 'alterColumn', name, to: { ...rest, ...value } };
}

/** The change, or operation, on dialects that have the trait only. */
export function where<T extends TableChange | Operation>(trait: Trait, change: T): T {
  return { ...change, where: trait };
}

// ---------------------------------------------------------------- moving data

/** The rows a data operation works through, in ranges of one column that an index leads with. */
export interface Range {
  readonly table: string;
  readonly key: string;
}

export interface Backfill {
  readonly op: 'backfill';
  readonly title: string;
  /** Where several columns would do, in order of preference: the one is taken that an index leads with. */
  readonly over: { readonly table: string; readonly key: string | readonly string[] };
  /** Tables read and written, `over.table` aside. */
  readonly reads?: readonly string[];
  readonly writes: readonly string[];
  /** Those of them that have fewer rows afterwards. */
  readonly removes?: readonly string[];
  /** Statements of one chunk by `key`. Run twice, they must leave what they leave when run once. */
  readonly statements: (sql: SqlWords, key: string) => readonly string[];
  readonly where?: Trait;
}

/** Rows of a table computed in TypeScript, where SQL cannot be trusted to agree with Python (case folding, SHA-256). */
export interface DeriveRows {
  readonly op: 'deriveRows';
  readonly title: string;
  readonly over: Range;
  /** Columns read besides the key; rows where `present` is null are passed over. */
  readonly read: readonly string[];
  readonly present: string;
  readonly into: string;
  /** The column of `into` that holds the key of the row it was derived from: a chunk's old rows are removed by it. */
  readonly owner: string;
  /** The rows of `into` that are meant, where it has others of the same owner. */
  readonly only?: (sql: SqlWords) => string;
  readonly derive: (row: Readonly<Record<string, unknown>>) => readonly Readonly<Record<string, Literal>>[];
  readonly where?: Trait;
}

/**
 * Values of columns computed in TypeScript, for the rows whose texts SQL reads otherwise than Python does. The others
 * are set by a backfill before.
 */
export interface DeriveValues {
  readonly op: 'deriveValues';
  readonly title: string;
  readonly over: Range;
  readonly reads: readonly string[];
  /** The columns that tell a row of the table from all others. */
  readonly identity: readonly string[];
  /** A query for such rows of the chunk at hand: those columns, and what `derive` needs. */
  readonly source: (sql: SqlWords) => string;
  /** What the columns are to hold: the same columns for every row. */
  readonly derive: (row: Readonly<Record<string, unknown>>) => Readonly<Record<string, Literal>>;
  readonly where?: Trait;
}

/** A condition on the data that must hold before a revision is begun. */
export interface Require {
  readonly op: 'require';
  readonly title: string;
  readonly reads: readonly string[];
  /** A query for rows that break the condition; columns `a`, `b`, … are handed to `explain`. */
  readonly offending: (sql: SqlWords) => string;
  readonly explain: (row: Readonly<Record<string, unknown>>) => string;
  readonly fix: string;
  readonly where?: Trait;
}

// ---------------------------------------------------------------- operations

export type Operation =
  | { readonly op: 'createTable'; readonly table: Table; readonly where?: Trait }
  | {
      readonly op: 'alterTable';
      readonly table: string;
      readonly changes: readonly TableChange[];
      readonly where?: Trait;
      readonly ifNecessary?: boolean;
    }
  | { readonly op: 'createTrigger'; readonly trigger: Trigger; readonly where?: Trait }
  /** No revision of MLflow's drops a table or a trigger: these take a revision back (inverse.ts). */
  | { readonly op: 'dropTable'; readonly table: string; readonly where?: Trait }
  | { readonly op: 'dropTrigger'; readonly trigger: Trigger; readonly where?: Trait }
  | {
      readonly op: 'insertRow';
      readonly table: string;
      readonly row: Readonly<Record<string, Literal>>;
      readonly where?: Trait;
    }
  | Backfill
  | DeriveRows
  | DeriveValues
  | Require;

/** Whether it is TypeScript that works out what is written. */
export function isComputed(operation: Operation): operation is DeriveRows | DeriveValues {
  return operation.op === 'deriveRows' || operation.op === 'deriveValues';
}

/** Makes a table of its parts, in their order. */
export function createTable(name: string, ...parts: TablePart[]): Operation {
  const pick = <P extends TablePart['part']>(part: P) =>
    parts.filter((each): each is Extract<TablePart, { part: P }> => each.part === part);
  return {
    op: 'createTable',
    table: {
      name,
      columns: pick('column').map((part) => part.column),
      primaryKey: pick('primaryKey')[0]?.key ?? null,
      uniques: pick('unique').map((part) => part.key),
      foreignKeys: pick('foreignKey').map((part) => part.foreignKey),
      checks: pick('check').map((part) => part.check),
      indexes: pick('index').map((part) => part.index),
    },
  };
}

/** Changes of one table, in their order: where the database can, one statement. */
export const alterTable = (table: string, ...changes: TableChange[]): Operation => ({
  op: 'alterTable',
  table,
  changes,
});
/** Changes that some releases had made before: to find them done is no sign that the revision was begun. */
export const alterTableIfNecessary = (table: string, ...changes: TableChange[]): Operation => ({
  op: 'alterTable',
  table,
  changes,
  ifNecessary: true,
});
/** Makes a trigger; its body is each dialect's own. */
export const createTrigger = (trigger: Trigger): Operation => ({ op: 'createTrigger', trigger });
/** Inserts a row unless there is one with the value of its first column. */
export const insertRow = (table: string, row: Readonly<Record<string, Literal>>): Operation => ({
  op: 'insertRow',
  table,
  row,
});
/** Moves rows by SQL, in ranges of a key: running a range twice is harmless. */
export const backfill = (backfill: Omit<Backfill, 'op'>): Operation => ({ op: 'backfill', ...backfill });
/** Makes rows from rows, computed in TypeScript. */
export const deriveRows = (derive: Omit<DeriveRows, 'op'>): Operation => ({ op: 'deriveRows', ...derive });
/** Sets values of rows, computed in TypeScript. */
export const deriveValues = (derive: Omit<DeriveValues, 'op'>): Operation => ({ op: 'deriveValues', ...derive });
/** Stops the upgrade where rows break a condition. */
export const requireThat = (condition: Omit<Require, 'op'>): Operation => ({ op: 'require', ...condition });

// ---------------------------------------------------------------- revisions

/**
 * Why a revision cannot be undone, in words an operator reads before agreeing. `counts` are put to the database at
 * hand when its tables are there, shown, and decide: agreement is asked for when one of them is above zero, or always.
 */
export interface Irreversible {
  readonly because: string;
  readonly always?: boolean;
  readonly counts: readonly Fact[];
}

/** A number about the database at hand, with the sentence it completes. */
export interface Fact {
  readonly label: string;
  readonly tables: readonly string[];
  /** A query for one row with one column `n`. */
  readonly query: (sql: SqlWords) => string;
  /** A fact that informs only, and does not make agreement necessary. */
  readonly informs?: boolean;
}

/**
 * What takes a revision back beyond its schema, whose way back is worked out from the declarations (inverse.ts). Not what
 * MLflow's own `downgrade()` does, which for 30 of them is nothing.
 */
export interface Undo {
  /** Why it cannot be taken back, in words an operator reads. */
  readonly never?: string;
  /**
   * Moves rows back to where the schema before keeps them: run when the columns that the revision dropped are there again,
   * and those that it added are there still.
   */
  readonly operations?: readonly Operation[];
  /** Tables, and columns as `table.column`, whose values `operations` move or the revision works out again. */
  readonly comesBack?: readonly string[];
}

export interface Revision {
  /** The Alembic id that MLflow writes to alembic_version. */
  readonly id: string;
  readonly parent: string | null;
  readonly title: string;
  readonly irreversible?: Irreversible;
  readonly undo?: Undo;
  /** What an operator should know besides: printed with the plan. */
  readonly notes?: readonly string[];
  readonly operations: readonly Operation[];
}

/**
 * One step of MLflow's lineage.
 * @param id Alembic's
 */
export function revision(id: string, declared: Omit<Revision, 'id'>): Revision {
  return { id, ...declared };
}

/** Rows in a table, as a fact. */
export const rowsIn = (table: string, label: string, condition?: (sql: SqlWords) => string): Fact => ({
  label,
  tables: [table],
  query: (sql) => `SELECT ${sql.count()} AS n FROM ${sql.id(table)}${condition ? ` WHERE ${condition(sql)}` : ''}`,
});
