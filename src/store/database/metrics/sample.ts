/**
 * Points of a history, sampled as MLflow samples them: all of them in as many groups as points are wanted, of nearly the
 * same size, and the first of each group; and the very last point in place of the last group's.
 */
import { type Kysely, sql } from 'kysely';
import { invalidParameter } from '../../errors.js';
import type { Metric } from '../../records.js';
import type { Context } from '../context.js';
import type { Tables } from '../entities/index.js';
import { manyRows } from '../statements.js';
import { inOrder, metricOf, POINT, POINT_COLUMNS, POINTS_TABLE, type PointRow, pointsOf } from './rows.js';

interface Range {
  readonly start_step?: number | undefined;
  readonly end_step?: number | undefined;
}

export async function sampledHistory(
  context: Context,
  runIds: readonly string[],
  key: string,
  maxResults: number,
  range: Range,
): Promise<(Metric & { readonly run_id: string })[]> {
  if ((range.start_step === undefined) !== (range.end_step === undefined)) {
    throw invalidParameter('Both start_step and end_step must be specified together, or neither may be specified.');
  }
  const most = Math.max(1, maxResults);
  return context.pool.read(async (db) => {
    const points: (Metric & { readonly run_id: string })[] = [];
    for (const runId of runIds) {
      for (const row of await sample(context, db, runId, key, most, range)) {
        points.push({ ...metricOf(key, row), run_id: runId });
      }
    }
    return points;
  });
}

const BY_STEP = inOrder('step', 'timestamp', 'value', 'is_nan');

async function sample(
  context: Context,
  db: Kysely<Tables>,
  runId: string,
  key: string,
  most: number,
  { start_step, end_step }: Range,
): Promise<PointRow[]> {
  const { words } = context.pool;
  const step = sql.ref('step');
  const within = start_step === undefined ? sql`` : sql`AND ${step} >= ${start_step} AND ${step} <= ${end_step}`;
  const from = sql`FROM ${POINTS_TABLE} WHERE ${pointsOf(runId, key)} ${within}`;
  const whole = sql<PointRow>`SELECT ${POINT} ${from} ORDER BY ${BY_STEP} ${words.page(most + 1)}`;
  const first = await manyRows(context, db, POINT_COLUMNS, whole);
  if (first.length <= most) return first;
  const counted = await sql<{ n: number }>`SELECT COUNT(*) AS n ${from}`.execute(db);
  const n = Number(counted.rows[0]?.n ?? 0);
  const at = sql.ref('at');
  const numbered = sql`SELECT ${POINT}, ROW_NUMBER() OVER (ORDER BY ${BY_STEP}) - 1 AS ${at} ${from}`;
  const sampled = sql<PointRow>`SELECT ${POINT} FROM (${numbered}) AS p WHERE ${isFirstOfGroup(n, most)} OR ${at} = ${n - 1} ORDER BY ${at}`;
  const rows = await manyRows(context, db, POINT_COLUMNS, sampled);
  // Where the last group has one point, that is the last one itself.
  return rows.length > most ? [...rows.slice(0, most - 1), ...rows.slice(-1)] : rows;
}

/** The first `n % groups` groups have a point more than the others. */
function isFirstOfGroup(n: number, groups: number) {
  const size = Math.floor(n / groups);
  const inLarger = (n % groups) * (size + 1);
  const at = sql.ref('at');
  return sql`((${at} < ${inLarger} AND ${at} % ${size + 1} = 0) OR (${at} >= ${inLarger} AND (${at} - ${inLarger}) % ${size} = 0))`;
}
