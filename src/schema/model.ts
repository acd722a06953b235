/**
 * What a database schema is, as plain data. The same shapes hold the expected schema of a revision (folded from the
 * migrations, see fold.ts) and the live one (read by a dialect's catalog reader), so the two can be compared, and an
 * operation can be applied to either.
 */

/**
 * A column type in MLflow's own terms; each dialect spells it in its own words (`Dialect.spellType`). `native` is a type
 * as a catalog reader found it, in the spelling of the dialect it came from.
 */
export type ColumnType =
  | { readonly kind: 'integer' | 'bigint' | 'boolean' | 'float' | 'double' | 'date' | 'json' | 'binary' }
  /** `caseSensitive`: compared by code points on databases whose usual collation folds case. Length in characters. */
  | { readonly kind: 'varchar'; readonly length: number; readonly caseSensitive?: boolean }
  /** `atLeast`: 16 MiB (`medium`) or 4 GiB (`long`) where a plain text column holds less; `unicode`: where text has a code page. */
  | { readonly kind: 'text'; readonly atLeast?: 'medium' | 'long'; readonly unicode?: boolean }
  | { readonly kind: 'native'; readonly sql: string };

/**
 * A column's default. `text` is a quoted literal (MLflow writes `server_default="0"` so even for numbers), `false` the
 * boolean keyword; `native` is the dialect's own spelling.
 */
export type ColumnDefault =
  | { readonly kind: 'text'; readonly value: string }
  | { readonly kind: 'false' }
  | { readonly kind: 'native'; readonly sql: string };

export interface Column {
  readonly name: string;
  readonly type: ColumnType;
  readonly nullable: boolean;
  readonly default?: ColumnDefault | null;
  /** Expression of a stored generated column, in SQL that all dialects read alike. */
  readonly generated?: string | null;
  /** Numbers itself: serial, AUTO_INCREMENT or IDENTITY. `serial` and `identity` differ on PostgreSQL only. */
  readonly numbered?: 'serial' | 'identity' | null;
}

/** A primary key or unique constraint; `name` null means that the database chose the name, or that there is none. */
export interface Key {
  readonly name: string | null;
  readonly columns: readonly string[];
}

export type ReferentialAction = 'no action' | 'cascade' | 'set null' | 'set default';

export interface ForeignKey {
  readonly name: string | null;
  readonly columns: readonly string[];
  readonly table: string;
  readonly references: readonly string[];
  readonly onDelete: ReferentialAction;
  readonly onUpdate: ReferentialAction;
}

/** Every check in MLflow's lineage says that a column holds one of a few values; anything else is kept as text. */
export type CheckExpression =
  | { readonly column: string; readonly in: readonly (string | number)[] }
  | { readonly sql: string };

export interface Check {
  readonly name: string | null;
  readonly expression: CheckExpression;
}

export interface IndexColumn {
  readonly name: string;
  readonly descending?: boolean;
  /** Characters indexed, where the dialect can index a prefix and the whole would be too long. */
  readonly prefix?: number;
}

export interface Index {
  readonly name: string;
  readonly unique: boolean;
  readonly columns: readonly IndexColumn[];
  /** Columns carried in the leaves, and the rows that are indexed: where the dialect has covering and partial indexes. */
  readonly include?: readonly string[];
  readonly where?: string;
  /** A live index's own CREATE statement, where the dialect keeps it (SQLite). */
  readonly sql?: string;
}

export interface Table {
  readonly name: string;
  readonly columns: readonly Column[];
  readonly primaryKey: Key | null;
  readonly uniques: readonly Key[];
  readonly foreignKeys: readonly ForeignKey[];
  readonly checks: readonly Check[];
  readonly indexes: readonly Index[];
  /** A live table's own CREATE statement, where the dialect keeps it (SQLite). */
  readonly sql?: string;
  /** A live table's character collation, where the dialect has one for each table (MySQL). */
  readonly collation?: string;
}

export interface Trigger {
  readonly name: string;
  readonly table: string;
  /** A live trigger's text, where there is one to keep. */
  readonly sql?: string;
}

export interface Schema {
  readonly tables: ReadonlyMap<string, Table>;
  readonly triggers: readonly Trigger[];
  /** The user may not see triggers: none of them is known to be missing. */
  readonly triggersHidden?: true;
}

/** Of a database without tables. */
export const EMPTY_SCHEMA: Schema = { tables: new Map(), triggers: [] };

/** The schema with one table put in place of the one of the same name, or added; `null` removes it. */
export function withTable(schema: Schema, name: string, table: Table | null): Schema {
  const tables = new Map(schema.tables);
  if (table) tables.set(name, table);
  else tables.delete(name);
  return { ...schema, tables };
}

/** The column of a name. */
export function columnOf(table: Table, name: string): Column | undefined {
  return table.columns.find((column) => column.name === name);
}

/** Whether two lists have the same names in the same order. */
export function sameNames(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name, i) => name === b[i]);
}

/** Whether two checks say the same: structure where it is understood, text otherwise. The order of values is of no account. */
export function sameExpression(a: CheckExpression, b: CheckExpression): boolean {
  if ('sql' in a || 'sql' in b) return 'sql' in a && 'sql' in b && a.sql === b.sql;
  return a.column === b.column && sameNames([...a.in].map(String).sort(), [...b.in].map(String).sort());
}

/** Whether a foreign key does what another does, whatever the two are called. */
export function sameForeignKey(a: ForeignKey, b: ForeignKey): boolean {
  return (
    a.table === b.table &&
    sameNames(a.columns, b.columns) &&
    sameNames(a.references, b.references) &&
    a.onDelete === b.onDelete &&
    a.onUpdate === b.onUpdate
  );
}

/** Whether two indexes do the same, whatever they are called. */
export function sameIndex(a: Index, b: Index): boolean {
  const spell = (index: Index) =>
    JSON.stringify([
      index.unique,
      index.columns.map((column) => [column.name, column.descending ?? false, column.prefix ?? null]),
      index.include ?? [],
      index.where ?? null,
    ]);
  return spell(a) === spell(b);
}
