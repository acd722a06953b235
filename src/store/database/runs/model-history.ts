/** Writes a model into the tag in which a run keeps what models it has logged. */
import { MODEL_HISTORY, withModel } from '../../model-history.js';
import { validateTag } from '../../validate.js';
import type { Context } from '../context.js';
import { activeRunRow } from './rows.js';
import { setTags } from './tags.js';

export async function recordModel(
  context: Context,
  runId: string,
  model: Readonly<Record<string, unknown>>,
): Promise<void> {
  await context.pool.write(async (db) => {
    const { run_uuid } = await activeRunRow(context, db, runId);
    const row = await db
      .selectFrom('tags')
      .select('value')
      .where('run_uuid', '=', run_uuid)
      .where('key', '=', MODEL_HISTORY)
      .executeTakeFirst();
    const value = withModel(row && (row.value ?? ''), model, run_uuid);
    validateTag({ key: MODEL_HISTORY, value }, context.limits);
    await setTags(context, db, run_uuid, [{ key: MODEL_HISTORY, value }]);
  });
}
