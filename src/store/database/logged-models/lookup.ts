/** The row that an id stands for. */
import type { Kysely, Selectable } from 'kysely';
import { hole } from '../../../dialect/query-words.js';
import { StoreError } from '../../errors.js';
import type { Context } from '../context.js';
import type { Tables } from '../entities/index.js';
import { rowsOf } from '../statements.js';

export type Db = Kysely<Tables>;
export type LoggedModelRow = Selectable<Tables['logged_models']>;

/** @throws StoreError RESOURCE_DOES_NOT_EXIST, for a deleted one too unless that is allowed */
export async function loggedModelRow(
  context: Context,
  db: Db,
  modelId: string,
  allowDeleted = false,
): Promise<LoggedModelRow> {
  const query = () => db.selectFrom('logged_models').selectAll().where('model_id', '=', hole<string>());
  const [row] = await rowsOf(context, db, 'logged model', query, [modelId]);
  if (row && (allowDeleted || row.lifecycle_stage === 'active')) return row;
  throw new StoreError('RESOURCE_DOES_NOT_EXIST', `Logged model with ID '${modelId}' not found.`);
}
