/** The tag in which a run keeps what models it has logged: what MLflow 2 knows of them. */
import { StoreError } from './errors.js';
import { type Json, readJson, writeJson } from './search/index.js';

export const MODEL_HISTORY = 'mlflow.log-model.history';
/** Of an MLmodel file, in the order in which MLflow writes them. The last one is there even if it has no value. */
const KEPT = ['run_id', 'artifact_path', 'utc_time_created'];

type JsonObject = { readonly [key: string]: Json };

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * The value of the tag with one more model.
 * @param before the value so far
 * @param model JSON of an MLmodel file
 * @throws StoreError where the value so far is no list
 */
export function withModel(before: string | undefined, model: Readonly<Record<string, unknown>>, runId: string): string {
  const list = before === undefined ? [] : parsed(before);
  if (!Array.isArray(list)) {
    throw new StoreError('INTERNAL_ERROR', `The tag ${MODEL_HISTORY} of run ${runId} is no list in JSON`);
  }
  return writeJson([...list, entryOf(parsed(JSON.stringify(model)))]);
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
