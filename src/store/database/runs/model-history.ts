/** The tag in which a run keeps what models it has logged: what MLflow 2 knows of them. */
import { StoreError } from '../../errors.js';
import { type Json, readJson, writeJson } from '../../search/index.js';
import { validateTag } from '../../validate.js';
import type { Context } from '../context.js';
import { activeRunRow } from './rows.js';
import { setTags } from './tags.js';

const HISTORY = 'mlflow.log-model.history';
/** Of an MLmodel file, in the order in which MLflow writes them. The last one is there even if it has no value. */
const KEPT = ['run_id', 'artifact_path', 'utc_time_created'];

type JsonObject = { readonly [key: string]: Json };

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

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
      .where('key', '=', HISTORY)
      .executeTakeFirst();
    const before = row ? parsed(row.value ?? '') : [];
    if (!Array.isArray(before)) {
      throw new StoreError('INTERNAL_ERROR', `The tag ${HISTORY} of run ${run_uuid} is no list in JSON`);
    }
    const value = writeJson([...before, entryOf(parsed(JSON.stringify(model)))]);
    validateTag({ key: HISTORY, value }, context.limits);
    await setTags(context, db, run_uuid, [{ key: HISTORY, value }]);
  });
}

const parsed = (text: string): Json | undefined => readJson(Buffer.from(text, 'utf8'));

function entryOf(model: Json | undefined): JsonObject {
  const given = isObject(model) ? model : {};
  const kept = KEPT.flatMap((key) =>
    given[key] === undefined || given[key] === null ? [] : [[key, given[key]] as const],
  );
  const flavors = isObject(given.flavors) ? Object.entries(given.flavors) : [];
  return {
    ...Object.fromEntries(kept),
    model_uuid: given.model_uuid ?? null,
    flavors: Object.fromEntries(flavors.map(([name, flavor]) => [name, withoutConfig(flavor)])),
  };
}

/** A flavour's configuration can be long, and the tag must not. */
function withoutConfig(flavor: Json): Json {
  if (!isObject(flavor)) return flavor;
  return Object.fromEntries(Object.entries(flavor).filter(([key]) => key !== 'config'));
}
