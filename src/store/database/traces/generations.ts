/**
 * A trace's spans can be moved to an archive by another program, meanwhile. Each write of ours counts the trace's generation
 * up, which is what the mover looks at; and a trace that was moved takes no more writes.
 */
import { sql } from 'kysely';
import { hole } from '../../../dialect/query-words.js';
import { StoreError } from '../../errors.js';
import type { Context } from '../context.js';
import { change, rowsOf } from '../statements.js';
import { IN_ARCHIVE, IN_STORE, SPANS_LOCATION } from './keys.js';
import { type Db, traceRows } from './rows.js';

/** @param traceIds each once. @throws StoreError where the spans of one are elsewhere, or it is not there */
export async function advanceGenerations(context: Context, db: Db, traceIds: readonly string[]): Promise<void> {
  const { words } = context.pool;
  const ids = words.among(traceIds);
  const changed = await change(
    context,
    db,
    `generations ${ids.shape}`,
    () => sql`
      UPDATE ${sql.table('trace_info')} SET ${sql.ref('db_payload_generation')} = ${sql.ref('db_payload_generation')} + 1
      WHERE ${ids.has(sql.ref('trace_info.request_id'))} AND NOT EXISTS (
        SELECT 1 FROM ${sql.table('trace_tags')} AS g WHERE ${sql.ref('g.request_id')} = ${sql.ref('trace_info.request_id')}
        AND ${sql.ref('g.key')} = ${hole()} AND ${sql.ref('g.value')} != ${hole()})`,
    [...ids.values, SPANS_LOCATION, IN_STORE],
  );
  if (changed === traceIds.length) return;
  const elsewhere = await spansElsewhere(context, db, traceIds);
  const known = (await traceRows(context, db, traceIds)).map(({ request_id }) => request_id);
  throw unavailable(
    elsewhere,
    traceIds.filter((id) => !known.includes(id)),
  );
}

/** Traces whose spans are not in the store, and where they are. */
export async function spansElsewhere(
  context: Context,
  db: Db,
  traceIds: readonly string[],
): Promise<readonly { readonly request_id: string; readonly value: string | null }[]> {
  const { words } = context.pool;
  const ids = words.among(traceIds);
  return rowsOf(
    context,
    db,
    `spans elsewhere ${ids.shape}`,
    () =>
      db
        .selectFrom('trace_tags')
        .select(['request_id', 'value'])
        .where(ids.has(sql.ref('request_id')))
        .where('key', '=', hole<string>())
        .where('value', '!=', hole<string>()),
    [...ids.values, SPANS_LOCATION, IN_STORE],
  );
}

const quoted = (ids: readonly string[]) => ids.map((id) => `'${id}'`).join(', ');

function unavailable(elsewhere: Awaited<ReturnType<typeof spansElsewhere>>, missing: readonly string[]): StoreError {
  const idsIn = (archived: boolean) =>
    elsewhere
      .filter(({ value }) => (value === IN_ARCHIVE) === archived)
      .map(({ request_id }) => request_id)
      .sort();
  const groups = { archived: idsIn(true), other: idsIn(false), missing };
  const only = Object.entries(groups).filter(([, ids]) => ids.length > 0);
  const [[name] = []] = only;
  if (only.length === 1 && name === 'archived') {
    return new StoreError('INVALID_STATE', `Cannot log spans to archived traces: ${quoted(groups.archived)}.`);
  }
  if (only.length === 1 && name === 'missing') {
    return new StoreError(
      'RESOURCE_DOES_NOT_EXIST',
      `Cannot log spans to traces that no longer exist: ${quoted(missing)}.`,
    );
  }
  const details = only.map(([group, ids]) => `${group}=${quoted(ids)}`).join('; ');
  return new StoreError(
    'INVALID_STATE',
    'Cannot log spans because one or more traces are unavailable for DB-backed span writes' +
      (details === '' ? '.' : `: ${details}`),
  );
}
