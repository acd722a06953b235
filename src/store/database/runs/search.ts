/**
 * A search for runs in two steps, so that what a run is made of is read for the page alone: the ids of the page first, and
 * then the rows of these runs with what belongs to them.
 */
import type { Kysely } from 'kysely';
import type { Page, Run } from '../../records.js';
import { decodePageToken, encodePageToken, parseSearch } from '../../search/index.js';
import { stagesOf } from '../../stages.js';
import type { Runs } from '../../store.js';
import { validateMaxResults } from '../../validate.js';
import { inChunks } from '../chunks.js';
import type { Context } from '../context.js';
import type { Tables } from '../entities/index.js';
import { columnIds } from '../experiments/rows.js';
import { runsOf } from './children.js';
import { findIds } from './find.js';
import type { Tuning } from './led-search.js';

const BY_DEFAULT = 1000;

/** @param tuning of how the runs are found, for tests */
export async function searchRuns(
  context: Context,
  question: Parameters<Runs['search']>[0],
  tuning?: Tuning,
): Promise<Page<Run>> {
  const { filter, order_by, max_results = BY_DEFAULT, page_token } = question;
  validateMaxResults(max_results);
  const { where, orderBy } = parseSearch('runs', filter, order_by);
  const offset = decodePageToken(page_token);
  const experimentIds = columnIds(question.experiment_ids);
  if (experimentIds.length === 0) return { items: [] };
  const asked = {
    where,
    asked: orderBy.slice(0, order_by?.length ?? 0),
    ties: orderBy.slice(order_by?.length ?? 0),
    experimentIds,
    stages: stagesOf(question.run_view_type),
  };
  return context.pool.read(async (db) => {
    const ids = await findIds(context.pool.words, db, asked, { limit: max_results + 1, offset }, tuning);
    const items = await inChunks(ids.slice(0, max_results), (chunk) => runsInOrder(context, db, chunk));
    return {
      items,
      next_page_token: ids.length > max_results ? encodePageToken(offset + max_results) : undefined,
    };
  });
}

/** Runs in the order of their ids. One that was deleted for good in the meantime is left out. */
async function runsInOrder(context: Context, db: Kysely<Tables>, ids: readonly string[]): Promise<Run[]> {
  const runs = await runsOf(context, db, ids, { modelInputs: false });
  const byId = new Map(runs.map((run) => [run.info.run_id, run]));
  return ids.flatMap((id) => byId.get(id) ?? []);
}
