/** Where the files of a model version are, when its source is a model itself: `models:/…`. */
import { invalidParameter, StoreError } from '../../errors.js';
import type { Context } from '../context.js';
import { loggedModelRow } from '../logged-models/lookup.js';
import { versionRow } from './lookup.js';
import { checkModelName } from './names.js';
import type { Db } from './rows.js';

/** What a `models:/` URI names: a logged model, or a version of a registered one. */
export type ModelUri =
  | { readonly modelId: string }
  /** Without a version where the URI names a stage, an alias or the latest one: these have no place of their own. */
  | { readonly name: string; readonly version: string | undefined };

/** Undefined for a URI of another scheme. @throws StoreError where nothing is named */
export function parseModelUri(uri: string): ModelUri | undefined {
  if (!/^models:/i.test(uri)) return undefined;
  const [path = ''] = uri
    .slice('models:'.length)
    .replace(/^\/\/[^/?]*/, '')
    .split('?');
  const [first = '', second, ...more] = path.replace(/^\/+/, '').split('/');
  if (!path.startsWith('/') || path.length < 2 || more.length > 0 || first.trim() === '') throw improper(uri);
  if (second !== undefined) {
    if (second.trim() === '') throw improper(uri);
    return { name: first, version: /^\p{Nd}+$/u.test(second) ? second : undefined };
  }
  if (!path.includes('@')) return { modelId: first };
  const alias = first.slice(first.lastIndexOf('@') + 1);
  if (alias.trim() === '') throw improper(uri);
  return { name: first.slice(0, first.lastIndexOf('@')), version: undefined };
}

const improper = (uri: string) =>
  new StoreError(
    'INTERNAL_ERROR',
    `Not a proper models:/ URI: ${uri}. Models URIs must be of the form 'models:/name/suffix' or 'models:/name@alias' ` +
      "where suffix is a version, stage, or the string 'latest' and where alias is a registered model alias. " +
      'Only one of suffix or alias can be defined at a time.',
  );

/** Where a version comes from, as far as its source or its logged model says it. */
export async function origin(
  context: Context,
  db: Db,
  {
    source,
    run_id,
    model_id,
  }: { readonly source: string; readonly run_id?: string | undefined; readonly model_id?: string | undefined },
): Promise<{ readonly storage_location: string | null; readonly run_id: string | null }> {
  const uri = parseModelUri(source);
  const from = uri === undefined ? { storage_location: source, run_id: null } : await placeOf(context, db, uri, source);
  const run = run_id || from.run_id;
  if (run || !model_id) return { ...from, run_id: run ?? run_id ?? null };
  const { source_run_id } = await loggedModelRow(context, db, model_id);
  return { ...from, run_id: source_run_id };
}

async function placeOf(context: Context, db: Db, uri: ModelUri, source: string) {
  try {
    if ('modelId' in uri) {
      const model = await loggedModelRow(context, db, uri.modelId);
      return { storage_location: model.artifact_location, run_id: model.source_run_id };
    }
    checkModelName(uri.name);
    if (uri.version === undefined) throw noVersion;
    const row = await versionRow(context, db, uri.name, uri.version);
    return { storage_location: row.storage_location || row.source, run_id: null };
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    throw new StoreError(
      'INTERNAL_ERROR',
      `Unable to fetch model from model URI source artifact location '${source}'.Error: ${error.message}`,
      { cause: error },
    );
  }
}

/** In Python's words: MLflow takes it for the number of a version. */
const noVersion = invalidParameter(
  "int() argument must be a string, a bytes-like object or a real number, not 'NoneType'",
);
