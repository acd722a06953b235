/** Histories, whole or by the page. */
import { type Kysely, type RawBuilder, type SqlBool, sql } from 'kysely';
import { isGreater } from '../../../dialect/query-words.js';
import type { Metric, Page } from '../../records.js';
import { decodeHistoryToken, encodeHistoryToken, type LastPoint } from '../../search/index.js';
import type { Context } from '../context.js';
import type { Tables } from '../entities/index.js';
import { manyRows } from '../statements.js';
import { inOrder, metricOf, POINT, POINT_COLUMNS, POINTS_TABLE, type PointRow, pointsOf } from './rows.js';

const BY_TIME = inOrder('timestamp', 'step', 'value', 'is_nan');

export async function history(
  context: Context,
  runId: string,
  key: string,
  { max_results, page_token }: { readonly max_results?: number | undefined; readonly page_token?: string | undefined },
): Promise<Page<Metric>> {
  const { offset, after } = decodeHistoryToken(page_token);
  const { pool } = context;
  const { words } = pool;
  // With the last point there is nothing to be counted off.
  const skipped = after ? 0 : offset;
  const end =
    max_results === undefined && skipped === 0
      ? sql``
      : words.page(max_results === undefined ? Number.MAX_SAFE_INTEGER : max_results + 1, skipped);
  const from = after ? sql`AND ${comesAfter(after)}` : sql``;
  const query = sql<PointRow>`SELECT ${POINT} FROM ${POINTS_TABLE} WHERE ${pointsOf(runId, key)} ${from} ORDER BY ${BY_TIME} ${end}`;
  const rows = await pool.read((db) => manyRows(context, db, POINT_COLUMNS, query));
  const more = max_results !== undefined && rows.length > max_results;
  const shown = more ? rows.slice(0, max_results) : rows;
  const last = shown.at(-1);
  return {
    items: shown.map((row) => metricOf(key, row)),
    next_page_token: more && last ? encodeHistoryToken(offset + max_results, lastPoint(last)) : undefined,
  };
}

const lastPoint = ({ timestamp, step, value, is_nan }: PointRow): LastPoint => ({
  timestamp,
  step,
  value,
  nan: Boolean(is_nan),
});

/** The time is said once more by itself: a database that cannot look for a whole order in an index can look for that. */
function comesAfter({ timestamp, step, value, nan }: LastPoint): RawBuilder<SqlBool> {
  const later = isGreater([
    [sql.ref('timestamp'), sql.val(timestamp)],
    [sql.ref('step'), sql.val(step)],
    [sql.ref('value'), sql.val(value)],
    [sql.ref('is_nan'), sql.val(nan)],
  ]);
  return sql`${sql.ref('timestamp')} >= ${timestamp} AND ${later}`;
}

/** Run by run, so that no more is read than is given. */
export async function bulkHistory(
  context: Context,
  runIds: readonly string[],
  key: string,
  maxResults: number,
): Promise<(Metric & { readonly run_id: string })[]> {
  const { words } = context.pool;
  return context.pool.read(async (db: Kysely<Tables>) => {
    const points: (Metric & { readonly run_id: string })[] = [];
    for (const runId of [...new Set(runIds)].sort()) {
      const left = maxResults - points.length;
      if (left <= 0) break;
      const query = sql<PointRow>`SELECT ${POINT} FROM ${POINTS_TABLE} WHERE ${pointsOf(runId, key)} ORDER BY ${BY_TIME} ${words.page(left)}`;
      for (const row of await manyRows(context, db, POINT_COLUMNS, query))
        points.push({ ...metricOf(key, row), run_id: runId });
    }
    return points;
  });
}
