/** The row that an id stands for. */
import type { Kysely, Selectable } from 'kysely';
import { StoreError } from '../../errors.js';
import type { Tables } from '../entities/index.js';

export type Db = Kysely<Tables>;
export type LoggedModelRow = Selectable<Tables['logged_models']>;

/** @throws StoreError RESOURCE_DOES_NOT_EXIST, for a deleted one too unless that is allowed */
export async function loggedModelRow(db: Db, modelId: string, allowDeleted = false): Promise<LoggedModelRow> {
  const query = db.selectFrom('logged_models').selectAll().where('model_id', '=', modelId);
  const row = await (allowDeleted ? query : query.where('lifecycle_stage', '!=', 'deleted')).executeTakeFirst();
  if (row) return row;
  throw new StoreError('RESOURCE_DOES_NOT_EXIST', `Logged model with ID '${modelId}' not found.`);
}
