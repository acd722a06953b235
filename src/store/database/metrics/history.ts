/** Histories, whole or by the page. */
import { type Kysely, sql } from 'kysely';
import type { Metric, Page } from '../../records.js';
import { decodePageToken, encodePageToken } from '../../search/index.js';
import type { Context } from '../context.js';
import type { Tables } from '../entities/index.js';
import { inOrder, metricOf, POINT, POINTS_TABLE, type PointRow, pointsOf } from './rows.js';

const BY_TIME = inOrder('timestamp', 'step', 'value');

export async function history(
  { pool }: Context,
  runId: string,
  key: string,
  { max_results, page_token }: { readonly max_results?: number | undefined; readonly page_token?: string | undefined },
): Promise<Page<Metric>> {
  const offset = decodePageToken(page_token);
  // Where there is no end, the page is as long as any can be.
  const limit = max_results === undefined ? Number.MAX_SAFE_INTEGER : max_results + 1;
  const page = max_results === undefined && offset === 0 ? sql`` : pool.words.page(limit, offset);
  const rows = await pool.read(async (db) => {
    const found =
      await sql<PointRow>`SELECT ${POINT} FROM ${POINTS_TABLE} WHERE ${pointsOf(runId, key)} ORDER BY ${BY_TIME} ${page}`.execute(
        db,
      );
    return found.rows;
  });
  const more = max_results !== undefined && rows.length > max_results;
  return {
    items: (more ? rows.slice(0, max_results) : rows).map((row) => metricOf(key, row)),
    next_page_token: more ? encodePageToken(offset + max_results) : undefined,
  };
}

/** Run by run, so that no more is read than is given. */
export async function bulkHistory(
  { pool }: Context,
  runIds: readonly string[],
  key: string,
  maxResults: number,
): Promise<(Metric & { readonly run_id: string })[]> {
  return pool.read(async (db: Kysely<Tables>) => {
    const points: (Metric & { readonly run_id: string })[] = [];
    for (const runId of [...new Set(runIds)].sort()) {
      const left = maxResults - points.length;
      if (left <= 0) break;
      const { rows } =
        await sql<PointRow>`SELECT ${POINT} FROM ${POINTS_TABLE} WHERE ${pointsOf(runId, key)} ORDER BY ${BY_TIME} ${pool.words.page(left)}`.execute(
          db,
        );
      for (const row of rows) points.push({ ...metricOf(key, row), run_id: runId });
    }
    return points;
  });
}
