/** The live schema of a SQL Server database: of the user's default schema, where unqualified names go, as for MLflow. */
import type {
  Check,
  CheckExpression,
  Column,
  ForeignKey,
  Index,
  Key,
  ReferentialAction,
  Schema,
  Table,
  Trigger,
} from '../../schema/model.js';
import type { Session } from '../session.js';

interface ColumnRow {
  table: string;
  name: string;
  type: string;
  /** Bytes, or -1 for max. */
  length: number;
  precision: number;
  scale: number;
  nullable: boolean;
  numbered: boolean;
  collation: string | null;
  default: string | null;
  generated: string | null;
}
interface KeyRow {
  table: string;
  name: string;
  kind: string;
  column: string;
}
interface ReferenceRow {
  table: string;
  name: string;
  column: string;
  referenced: string;
  reference: string;
  on_delete: string;
  on_update: string;
}
interface CheckRow {
  table: string;
  name: string;
  definition: string;
}
interface IndexRow {
  table: string;
  name: string;
  unique: boolean;
  disabled: boolean;
  where: string | null;
  column: string;
  descending: boolean;
  included: boolean;
}

const OURS = 't.schema_id = SCHEMA_ID() AND t.is_ms_shipped = 0';

/** https://learn.microsoft.com/en-us/sql/relational-databases/system-catalog-views/object-catalog-views-transact-sql */
export const QUERIES = {
  tables: `SELECT t.name AS [name] FROM sys.tables t WHERE ${OURS} ORDER BY t.name`,
  columns: `SELECT t.name AS [table], c.name AS [name], y.name AS [type], c.max_length AS [length], c.precision AS [precision], c.scale AS [scale],
  c.is_nullable AS [nullable], c.is_identity AS [numbered], c.collation_name AS [collation], d.definition AS [default], k.definition AS [generated]
FROM sys.tables t
JOIN sys.columns c ON c.object_id = t.object_id
JOIN sys.types y ON y.user_type_id = c.user_type_id
LEFT JOIN sys.default_constraints d ON d.object_id = c.default_object_id
LEFT JOIN sys.computed_columns k ON k.object_id = c.object_id AND k.column_id = c.column_id AND k.is_persisted = 1
WHERE ${OURS} ORDER BY t.name, c.column_id`,
  keys: `SELECT t.name AS [table], k.name AS [name], RTRIM(k.type) AS [kind], c.name AS [column]
FROM sys.tables t
JOIN sys.key_constraints k ON k.parent_object_id = t.object_id
JOIN sys.index_columns x ON x.object_id = t.object_id AND x.index_id = k.unique_index_id AND x.key_ordinal > 0
JOIN sys.columns c ON c.object_id = t.object_id AND c.column_id = x.column_id
WHERE ${OURS} ORDER BY t.name, k.name, x.key_ordinal`,
  foreignKeys: `SELECT t.name AS [table], k.name AS [name], c.name AS [column], r.name AS [referenced], rc.name AS [reference],
  k.delete_referential_action_desc AS [on_delete], k.update_referential_action_desc AS [on_update]
FROM sys.tables t
JOIN sys.foreign_keys k ON k.parent_object_id = t.object_id
JOIN sys.foreign_key_columns x ON x.constraint_object_id = k.object_id
JOIN sys.columns c ON c.object_id = t.object_id AND c.column_id = x.parent_column_id
JOIN sys.tables r ON r.object_id = k.referenced_object_id
JOIN sys.columns rc ON rc.object_id = r.object_id AND rc.column_id = x.referenced_column_id
WHERE ${OURS} ORDER BY t.name, k.name, x.constraint_column_id`,
  checks: `SELECT t.name AS [table], k.name AS [name], k.definition AS [definition]
FROM sys.tables t JOIN sys.check_constraints k ON k.parent_object_id = t.object_id
WHERE ${OURS} ORDER BY t.name, k.name`,
  indexes: `SELECT t.name AS [table], i.name AS [name], i.is_unique AS [unique], i.is_disabled AS [disabled], i.filter_definition AS [where],
  c.name AS [column], x.is_descending_key AS [descending], x.is_included_column AS [included]
FROM sys.tables t
JOIN sys.indexes i ON i.object_id = t.object_id AND i.type IN (1, 2) AND i.is_primary_key = 0 AND i.is_unique_constraint = 0 AND i.is_hypothetical = 0
JOIN sys.index_columns x ON x.object_id = t.object_id AND x.index_id = i.index_id
JOIN sys.columns c ON c.object_id = t.object_id AND c.column_id = x.column_id
WHERE ${OURS} ORDER BY t.name, i.name, x.is_included_column, x.key_ordinal, x.index_column_id`,
  triggers: `SELECT g.name AS [name], t.name AS [table] FROM sys.tables t JOIN sys.triggers g ON g.parent_id = t.object_id
WHERE ${OURS} ORDER BY g.name`,
} as const;

/** The tables of the user's own schema, as `sys` has them. */
export async function readCatalog(session: Session): Promise<Schema> {
  const tables = await session.rows<{ name: string }>(QUERIES.tables);
  const columns = byTable(await session.rows<ColumnRow>(QUERIES.columns));
  const keys = byTable(await session.rows<KeyRow>(QUERIES.keys));
  const references = byTable(await session.rows<ReferenceRow>(QUERIES.foreignKeys));
  const checks = byTable(await session.rows<CheckRow>(QUERIES.checks));
  const indexes = byTable(await session.rows<IndexRow>(QUERIES.indexes));
  const triggers = await session.rows<Trigger>(QUERIES.triggers);
  return {
    tables: new Map(
      tables.map(({ name }) => [
        name,
        tableOf(name, {
          columns: columns.get(name) ?? [],
          keys: keys.get(name) ?? [],
          references: references.get(name) ?? [],
          checks: checks.get(name) ?? [],
          indexes: indexes.get(name) ?? [],
        }),
      ]),
    ),
    triggers,
  };
}

const byTable = <Row extends { table: string }>(rows: readonly Row[]) => Map.groupBy(rows, ({ table }) => table);

interface Rows {
  readonly columns: readonly ColumnRow[];
  readonly keys: readonly KeyRow[];
  readonly references: readonly ReferenceRow[];
  readonly checks: readonly CheckRow[];
  readonly indexes: readonly IndexRow[];
}

function tableOf(name: string, rows: Rows): Table {
  const groups = <Row extends { name: string }>(of: readonly Row[]) => [...Map.groupBy(of, (row) => row.name)];
  const ofKind = (kind: string) =>
    groups(rows.keys.filter((row) => row.kind === kind)).map(
      ([key, group]): Key => ({ name: key, columns: group.map(({ column }) => column) }),
    );
  return {
    name,
    columns: rows.columns.map(columnOf),
    primaryKey: ofKind('PK')[0] ?? null,
    uniques: ofKind('UQ'),
    foreignKeys: groups(rows.references).map(([key, group]) => foreignKeyOf(key, group)),
    checks: rows.checks.map((row): Check => ({ name: row.name, expression: checkOf(row.definition) })),
    indexes: groups(rows.indexes).map(([index, group]) => indexOf(index, group)),
  };
}

function columnOf(row: ColumnRow): Column {
  return {
    name: row.name,
    type: { kind: 'native', sql: `${typeOf(row)}${row.collation === null ? '' : ` COLLATE ${row.collation}`}` },
    nullable: row.nullable,
    default: row.default === null ? null : { kind: 'native', sql: row.default },
    generated: row.generated,
    numbered: row.numbered ? 'identity' : null,
  };
}

function typeOf({ type, length, precision, scale }: ColumnRow): string {
  switch (type) {
    case 'varchar':
    case 'char':
    case 'varbinary':
    case 'binary':
      return `${type}(${length === -1 ? 'max' : length})`;
    case 'nvarchar':
    case 'nchar':
      return `${type}(${length === -1 ? 'max' : length / 2})`;
    case 'decimal':
    case 'numeric':
      return `${type}(${precision},${scale})`;
    case 'datetime2':
    case 'datetimeoffset':
    case 'time':
      return `${type}(${scale})`;
    default:
      return type;
  }
}

const ACTIONS: Readonly<Record<string, ReferentialAction>> = {
  CASCADE: 'cascade',
  SET_NULL: 'set null',
  SET_DEFAULT: 'set default',
};

function foreignKeyOf(name: string, group: readonly ReferenceRow[]): ForeignKey {
  const [first] = group;
  return {
    name,
    columns: group.map(({ column }) => column),
    table: first?.referenced ?? '',
    references: group.map(({ reference }) => reference),
    onDelete: ACTIONS[first?.on_delete ?? ''] ?? 'no action',
    onUpdate: ACTIONS[first?.on_update ?? ''] ?? 'no action',
  };
}

/** An index that is disabled is as good as none: one without columns equals no other. */
function indexOf(name: string, group: readonly IndexRow[]): Index {
  const [first] = group;
  const include = group.filter(({ included }) => included).map(({ column }) => column);
  return {
    name,
    unique: first?.unique ?? false,
    columns: first?.disabled
      ? []
      : group
          .filter(({ included }) => !included)
          .map(({ column, descending }) => ({ name: column, ...(descending && { descending: true }) })),
    ...(include.length > 0 && { include }),
    ...(first?.where && { where: first.where }),
  };
}

const ALTERNATIVE = /\[(\w+)\]=(?:\(?(-?\d+)\)?|N?'((?:[^']|'')*)')/g;

/** IN becomes alternatives in reverse order: `([status]='B' OR [status]='A')`, `([is_nan]=(1) OR [is_nan]=(0))`. */
export function checkOf(definition: string): CheckExpression {
  const found = [...definition.matchAll(ALTERNATIVE)];
  const columns = new Set(found.map(([, column]) => column));
  const [column] = columns;
  const isAlternatives = /^[( ]*( OR [( ]*)*[) ]*$/.test(definition.replaceAll(ALTERNATIVE, ''));
  if (columns.size !== 1 || column === undefined || !isAlternatives) return { sql: definition };
  const values = found.map(([, , number, text]) =>
    number === undefined ? (text ?? '').replaceAll("''", "'") : Number(number),
  );
  return { column, in: values.reverse() };
}
