/** The live schema of a PostgreSQL database: of the schema that unqualified names go to, as for MLflow. */
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';

import type {
  Check,
  CheckExpression,
  Column,
  ForeignKey,
  Index,
  IndexColumn,
  Key,
  ReferentialAction,
  Schema,
  Table,
  Trigger,
} from '../../schema/model.js';
import { codeOf, messageIncludes } from '../faults.js';
import { alteredMeanwhile } from '../patience.js';
import type { Session } from '../session.js';

interface ColumnRow {
  table: string;
  name: string;
  type: string;
  not_null: boolean;
  has_default: boolean;
  default: string | null;
  identity: string;
  generated: string;
}
interface ConstraintRow {
  table: string;
  name: string;
  kind: 'p' | 'u' | 'c' | 'f';
  definition: string | null;
  columns: string[] | null;
  referenced: string | null;
  references: string[] | null;
  on_delete: string;
  on_update: string;
}
interface IndexRow {
  table: string;
  name: string;
  unique: boolean;
  valid: boolean;
  columns: (string | null)[];
  keys: number;
  options: string;
  is_partial: boolean;
  where: string | null;
}

const TABLES = sql`pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = current_schema() AND c.relkind IN ('r', 'p')`;

/** How often the catalog is read anew while somebody else alters tables, and how long is waited before, in milliseconds. */
const ATTEMPTS = 20;
const BETWEEN_MS = 100;

/**
 * The tables of the schema that unqualified names are made in.
 * @throws {MtrackError} LOCKED where other sessions go on altering tables while they are looked at
 */
export async function readCatalog(session: Session): Promise<Schema> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await readOnce(session);
    } catch (error) {
      if (!hasMoved(error)) throw error;
      if (attempt === ATTEMPTS) throw alteredMeanwhile(error);
      await sleep(BETWEEN_MS);
    }
  }
}

/**
 * Functions such as pg_get_constraintdef look at the catalog as it is by then, not as it was when the query began: for what
 * was dropped in between they give NULL, or fail with an internal error.
 */
const hasMoved = (error: unknown): boolean =>
  error instanceof Vanished ||
  (codeOf(error) === 'XX000' && messageIncludes(error, 'could not open relation with OID', 'cache lookup failed'));

class Vanished extends Error {}

function there<T>(text: T | null): T {
  if (text === null) throw new Vanished('dropped while it was looked at');
  return text;
}

async function readOnce(session: Session): Promise<Schema> {
  const names = await session.rows<{ name: string }>(sql`SELECT c.relname AS name FROM ${TABLES} ORDER BY 1`);
  const columns = Map.groupBy(
    await session.rows<ColumnRow>(sql`
      SELECT c.relname AS "table", a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull AS not_null,
             d.oid IS NOT NULL AS has_default, pg_get_expr(d.adbin, d.adrelid) AS "default", a.attidentity::text AS identity, a.attgenerated::text AS generated
      FROM ${TABLES}
      JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
      LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
      ORDER BY c.relname, a.attnum`),
    ({ table }) => table,
  );
  const constraints = Map.groupBy(
    await session.rows<ConstraintRow>(sql`
      SELECT c.relname AS "table", k.conname AS name, k.contype::text AS kind, pg_get_constraintdef(k.oid) AS definition,
             (SELECT array_agg(a.attname::text ORDER BY x.at) FROM unnest(k.conkey) WITH ORDINALITY x(num, at)
              JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = x.num) AS columns,
             r.relname AS referenced,
             (SELECT array_agg(a.attname::text ORDER BY x.at) FROM unnest(k.confkey) WITH ORDINALITY x(num, at)
              JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = x.num) AS "references",
             k.confdeltype::text AS on_delete, k.confupdtype::text AS on_update
      FROM ${TABLES}
      JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype IN ('p', 'u', 'c', 'f')
      LEFT JOIN pg_class r ON r.oid = k.confrelid
      ORDER BY c.relname, k.oid`),
    ({ table }) => table,
  );
  const indexes = Map.groupBy(
    await session.rows<IndexRow>(sql`
      SELECT c.relname AS "table", i.relname AS name, x.indisunique AS "unique", x.indisvalid AS valid,
             (SELECT array_agg(pg_get_indexdef(x.indexrelid, p, true) ORDER BY p) FROM generate_series(1, x.indnatts) p) AS columns,
             x.indnkeyatts::int AS keys, x.indoption::text AS options,
             x.indpred IS NOT NULL AS is_partial, pg_get_expr(x.indpred, x.indrelid) AS "where"
      FROM ${TABLES}
      JOIN pg_index x ON x.indrelid = c.oid
      JOIN pg_class i ON i.oid = x.indexrelid
      WHERE NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = x.indexrelid AND k.contype IN ('p', 'u', 'x'))
      ORDER BY c.relname, i.relname`),
    ({ table }) => table,
  );
  const triggers = await session.rows<Trigger>(sql`
    SELECT t.tgname AS name, c.relname AS "table" FROM ${TABLES} JOIN pg_trigger t ON t.tgrelid = c.oid AND NOT t.tgisinternal ORDER BY 1`);
  return {
    tables: new Map(
      names.map(({ name }) => [
        name,
        tableOf(name, columns.get(name) ?? [], constraints.get(name) ?? [], indexes.get(name) ?? []),
      ]),
    ),
    triggers,
  };
}

function tableOf(
  name: string,
  columns: readonly ColumnRow[],
  constraints: readonly ConstraintRow[],
  indexes: readonly IndexRow[],
): Table {
  const ofKind = (kind: ConstraintRow['kind']) => constraints.filter((row) => row.kind === kind);
  const key = (row: ConstraintRow): Key => ({ name: row.name, columns: row.columns ?? [] });
  return {
    name,
    columns: columns.map(columnOf),
    primaryKey: ofKind('p').map(key)[0] ?? null,
    uniques: ofKind('u').map(key),
    foreignKeys: ofKind('f').map(foreignKeyOf),
    checks: ofKind('c').map((row): Check => ({ name: row.name, expression: checkOf(there(row.definition)) })),
    indexes: indexes.map(indexOf),
  };
}

function columnOf(row: ColumnRow): Column {
  const value = row.has_default ? there(row.default) : null;
  const generated = row.generated === 's' && value !== null ? withoutParentheses(value) : null;
  const serial = generated === null && /^nextval\(/.test(value ?? '');
  return {
    name: row.name,
    type: { kind: 'native', sql: row.type },
    nullable: !row.not_null,
    default: value === null || serial || generated !== null ? null : { kind: 'native', sql: value },
    generated,
    numbered: serial ? 'serial' : row.identity ? 'identity' : null,
  };
}

const ACTIONS: Readonly<Record<string, ReferentialAction>> = {
  a: 'no action',
  r: 'no action',
  c: 'cascade',
  n: 'set null',
  d: 'set default',
};

function foreignKeyOf(row: ConstraintRow): ForeignKey {
  return {
    name: row.name,
    columns: row.columns ?? [],
    table: row.referenced ?? '',
    references: row.references ?? [],
    onDelete: ACTIONS[row.on_delete] ?? 'no action',
    onUpdate: ACTIONS[row.on_update] ?? 'no action',
  };
}

/** Bit 1 of `indoption` is descending order. An index that a failed CONCURRENTLY left invalid is as good as none. */
function indexOf(row: IndexRow): Index {
  const options = row.options.split(' ').map(Number);
  const part = (text: string, i: number): IndexColumn => ({
    name: text.replace(/^"(.*)"$/, '$1').replaceAll('""', '"'),
    ...(((options[i] ?? 0) & 1) === 1 && { descending: true }),
  });
  const names = row.columns.map(there);
  const columns = names.slice(0, row.keys).map(part);
  const include = names.slice(row.keys).map((text) => part(text, -1).name);
  return {
    name: row.name,
    unique: row.unique,
    columns: row.valid ? columns : [],
    ...(include.length > 0 && { include }),
    ...(row.is_partial && { where: there(row.where) }),
  };
}

/** `CHECK (((status)::text = ANY ((ARRAY['A'::character varying, …])::text[])))` says that status is one of these. */
export function checkOf(definition: string): CheckExpression {
  const inner = definition.replace(/^CHECK\s*/, '');
  const bare = inner.replaceAll(/::(?:character varying|text|bpchar)(?:\(\d+\))?(?:\[\])?/g, '');
  const found = /^\(*"?(\w+)"?\)* = ANY \(+ARRAY\[(.*)\]\)+$/.exec(bare);
  if (found?.[1] && found[2] !== undefined) {
    const values = [...found[2].matchAll(/'((?:[^']|'')*)'/g)].map((match) => (match[1] ?? '').replaceAll("''", "'"));
    return { column: found[1], in: values };
  }
  return { sql: withoutParentheses(inner) };
}

function withoutParentheses(text: string): string {
  return /^\((.*)\)$/s.exec(text)?.[1] ?? text;
}
