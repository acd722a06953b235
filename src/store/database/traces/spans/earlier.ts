/** What traces say already, when more spans of them come in. */
import { sql } from 'kysely';
import { hole } from '../../../../dialect/query-words.js';
import type { Json } from '../../../records.js';
import { readJsonText } from '../../../search/index.js';
import type { Context } from '../../context.js';
import { rowsOf } from '../../statements.js';
import { isDictionary } from '../analytics.js';
import { FINALIZED } from '../keys.js';
import type { Db } from '../rows.js';

/** Those that a client has started. */
export async function finalizedAmong(context: Context, db: Db, traceIds: readonly string[]): Promise<Set<string>> {
  if (traceIds.length === 0) return new Set();
  const { words } = context.pool;
  const ids = words.among(traceIds);
  const rows = await rowsOf(
    context,
    db,
    `finalized ${ids.shape}`,
    () =>
      db
        .selectFrom('trace_request_metadata')
        .select('request_id')
        .where(ids.has(sql.ref('request_id')))
        .where('key', '=', hole<string>()),
    [...ids.values, FINALIZED],
  );
  return new Set(rows.map(({ request_id }) => request_id));
}

export interface EarlierSpan {
  readonly trace_id: string;
  readonly span_id: string;
  readonly parent_span_id: string | null;
  readonly attributes: { readonly [key: string]: Json };
}

/**
 * Spans that are there. They are read locked: else a database whose transaction sees one moment would not show those that
 * somebody else has written while we waited for the trace.
 */
export async function earlierSpans(context: Context, db: Db, traceIds: readonly string[]): Promise<EarlierSpan[]> {
  if (traceIds.length === 0) return [];
  const { words } = context.pool;
  const ids = words.among(traceIds);
  const columns = ['trace_id', 'span_id', 'parent_span_id', 'content'].map((column) => sql.ref(column));
  const rows = await rowsOf<Omit<EarlierSpan, 'attributes'> & { readonly content: string }>(
    context,
    db,
    `earlier spans ${ids.shape}`,
    () => sql`
      SELECT ${sql.join(columns)} FROM ${sql.table('spans')} ${words.locking.from}
      WHERE ${ids.has(sql.ref('trace_id'))} AND ${sql.ref('content')} != ${hole()} ${words.locking.end}`,
    [...ids.values, ''],
  );
  return rows.map(({ content, ...row }) => {
    const parsed = readJsonText(content);
    const attributes = isDictionary(parsed) ? parsed.attributes : undefined;
    return { ...row, attributes: isDictionary(attributes) ? attributes : {} };
  });
}
