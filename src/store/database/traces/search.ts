/** The search for traces: by themselves, their tags, metadata, spans, assessments, and what they are linked to. */
import { type RawBuilder, type SqlBool, sql } from 'kysely';
import { invalidParameter } from '../../errors.js';
import type { Page, TraceInfo } from '../../records.js';
import { decodePageToken, encodePageToken, type Order, parseSearch } from '../../search/index.js';
import type { Traces } from '../../store.js';
import { validateMaxResults } from '../../validate.js';
import type { Context } from '../context.js';
import { columnIds } from '../experiments/rows.js';
import { traceConditions } from './conditions.js';
import { SESSION, TRACE_NAME } from './keys.js';
import { type TraceRow, tracesOf } from './rows.js';

type Question = Parameters<Traces['search']>[0];

const BY_DEFAULT = 100;
/** Attributes whose column can be NULL. */
const NULLABLE = ['execution_time_ms', 'client_request_id'];

export async function searchTraces(context: Context, question: Question): Promise<Page<TraceInfo>> {
  const { experiment_ids, filter, order_by, max_results = BY_DEFAULT, page_token } = question;
  checkLocations(experiment_ids);
  validateMaxResults(max_results);
  const { where, orderBy } = parseSearch('traces', filter, order_by);
  const offset = decodePageToken(page_token);
  const ids = columnIds(experiment_ids);
  if (ids.length === 0) return { items: [] };
  const { words } = context.pool;
  const within = sql<SqlBool>`${sql.ref('t.experiment_id')} IN (${sql.join(ids.map((id) => sql.val(id)))})`;
  const conditions = [within, ...traceConditions(words, where, ids)];
  const { columns, sorted } = ordering(orderBy);
  const table = sql`${sql.table('trace_info')} AS t WHERE ${sql.join(conditions, sql` AND `)}`;
  const from = columns.length === 0 ? table : sql`(SELECT t.*, ${sql.join(columns)} FROM ${table}) AS t`;
  const query = sql<TraceRow>`SELECT t.* FROM ${from} ORDER BY ${sorted} ${words.page(max_results, offset)}`;
  return context.pool.read(async (db) => {
    const { rows } = await query.execute(db);
    const items = await tracesOf(context, db, rows);
    // Whether a full page is the last one, is found out with the next.
    return rows.length === max_results ? { items, next_page_token: encodePageToken(offset + max_results) } : { items };
  });
}

function checkLocations(experimentIds: readonly string[]): void {
  const wrong = experimentIds.filter((id) => id.includes('.')).join(', ');
  if (wrong === '') return;
  throw invalidParameter(
    `Locations must be a list of experiment IDs. Found invalid experiment IDs: ${wrong.length > 20 ? `${wrong.slice(0, 20)}...` : wrong}.`,
  );
}

/** What is ordered by, and the columns that it needs beside those of the table; NULL comes last. */
function ordering(orderBy: readonly Order[]) {
  const child = (table: string, key: string) =>
    sql`(SELECT x.value FROM ${sql.table(table)} AS x WHERE ${sql.ref('x.request_id')} = ${sql.ref('t.request_id')} AND ${sql.ref('x.key')} = ${key})`;
  const columns: RawBuilder<unknown>[] = [];
  const sorted = orderBy.map((order, at) => {
    const direction = sql.raw(order.ascending ? 'ASC' : 'DESC');
    const column = columnFor(order);
    if (column === undefined) {
      const table = order.kind === 'tag' ? 'trace_tags' : 'trace_request_metadata';
      columns.push(sql`${child(table, order.key)} AS ${sql.ref(`o${at}`)}`);
    }
    const value = sql.ref(`t.${column ?? `o${at}`}`);
    const nullable = column === undefined || order.kind !== 'attribute' || NULLABLE.includes(column);
    return nullable
      ? sql`CASE WHEN ${value} IS NULL THEN 1 ELSE 0 END, ${value} ${direction}`
      : sql`${value} ${direction}`;
  });
  return { columns, sorted: sql.join(sorted) };
}

/** The column of the table that holds it; undefined where another table does. */
function columnFor({ kind, key }: Order): string | undefined {
  if (kind === 'attribute') return key;
  if (kind === 'tag' && key === TRACE_NAME) return 'trace_name';
  return kind === 'request_metadata' && key === SESSION ? 'session_id' : undefined;
}
