import { type RawBuilder, type SqlBool, sql } from 'kysely';
import { type Columns, columnList } from '../../../dialect/query-words.js';
import type { Metric } from '../../records.js';
import type { Tables } from '../entities/index.js';

export type PointRow = Pick<Tables['metrics'], 'value' | 'timestamp'> & {
  readonly step: number;
  readonly is_nan: unknown;
};

export const POINT_COLUMNS: Columns<PointRow> = {
  value: 'double',
  timestamp: 'bigint',
  step: 'bigint',
  is_nan: 'boolean',
};
export const POINT = columnList(Object.keys(POINT_COLUMNS));
export const POINTS_TABLE = sql.table('metrics');

/** The points of one metric of one run. */
export const pointsOf = (runId: string, key: string): RawBuilder<SqlBool> =>
  sql`${sql.ref('run_uuid')} = ${runId} AND ${sql.ref('key')} = ${key}`;

export const metricOf = (key: string, { value, timestamp, step, is_nan }: PointRow): Metric => ({
  key,
  value: is_nan ? Number.NaN : value,
  timestamp,
  step,
});

export const inOrder = (...columns: readonly string[]) => sql.join(columns.map((column) => sql.ref(column)));
