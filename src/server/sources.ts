/** Where the files of a model version may come from: MLflow's rules, so that a version does not open files of others. */
import { realpath } from 'node:fs/promises';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { invalidParameter, StoreError } from '../store/errors.js';
import type { KeyValue } from '../store/records.js';
import type { Registry } from '../store/store.js';
import { unquote } from '../uri.js';
import type { Context } from './context.js';
import { checkHostNamed } from './locations.js';
import { isLocal, localPath, parseUri, unquoteAll } from './uris.js';

const PROMPT_TAG = 'mlflow.prompt.is_prompt';
/** A prompt has no files; its source is one of the words that MLflow writes there. */
const PROMPT_SOURCES = ['dummy-source', 'prompt-template'];

export const isPrompt = (tags: readonly KeyValue[]): boolean =>
  tags.findLast(({ key }) => key === PROMPT_TAG)?.value.toLowerCase() === 'true';

export interface Lineage {
  readonly source: string;
  readonly run_id: string | undefined;
  readonly model_id: string | undefined;
}

/**
 * The source of a new version with the run and the model that it comes from.
 * @throws {StoreError} INVALID_PARAMETER_VALUE when it is not in what the request names
 */
export async function sourceOf(
  context: Context,
  registry: Registry,
  given: Lineage & { readonly tags: readonly KeyValue[] },
): Promise<Lineage> {
  const { source, run_id, model_id, tags } = given;
  const prompt = isPrompt(tags);
  if (prompt && !PROMPT_SOURCES.includes(source)) {
    throw invalidParameter(`Invalid prompt source: '${source}'. Prompt sources must use an MLflow placeholder.`);
  }
  checkHostNamed(source, 'source', context.artifacts.hosts);
  if (prompt) return { source, run_id: run_id ?? '', model_id };
  const lineage = await ofVersion(registry, { source, run_id, model_id });
  if (lineage.model_id) await checkInModel(context, lineage.source, lineage.model_id);
  else await checkInRun(context, lineage.source, lineage.run_id);
  return lineage;
}

/** A source `models:/name/…` is another version: it has its run and model, and none else may be named. */
async function ofVersion(registry: Registry, { source, run_id, model_id }: Lineage): Promise<Lineage> {
  const given = { source, run_id: run_id ?? '', model_id };
  const { scheme, authority } = parseUri(source);
  if (scheme !== 'models') return given;
  if (authority !== '') {
    throw invalidParameter(
      `Invalid model version source: '${source}'. Registered model sources must use the active model registry.`,
    );
  }
  const named = parseModelUri(source);
  if (named.model_id !== undefined) return given;
  if (isPrompt((await registry.models.get(named.name)).tags)) {
    throw invalidParameter(
      `Invalid model version source: '${source}'. Prompt versions cannot be used as model version sources.`,
    );
  }
  const { name, version, ...of } = await versionAt(registry, named);
  const differs = (mine: string | undefined, its: string | undefined) => mine !== undefined && mine !== (its ?? '');
  if (differs(run_id, of.run_id) || differs(model_id, of.model_id)) {
    throw invalidParameter(
      `Invalid model version source: '${source}'. The run_id and model_id request parameters must match the referenced model version.`,
    );
  }
  return { source: `models:/${name}/${version}`, run_id: run_id ?? of.run_id, model_id: model_id ?? of.model_id };
}

type ModelUri =
  | { readonly model_id: string }
  | {
      readonly model_id?: undefined;
      readonly name: string;
      readonly version?: string;
      readonly stage?: string;
      readonly alias?: string;
    };

/** `models:/id`, `models:/name/version`, `…/stage`, `…/latest`, `models:/name@alias` */
function parseModelUri(uri: string): ModelUri {
  const { path, query, fragment } = parseUri(uri);
  // What looks like a fragment is a part of the name here.
  const whole = path + (query && `?${query}`) + (fragment && `#${fragment}`);
  const [name = '', suffix, ...more] = whole.replace(/^\/+/, '').split('/');
  if (!path.startsWith('/') || more.length > 0 || name.trim() === '' || suffix?.trim() === '') {
    throw notTheOwner(uri, 'model_id');
  }
  if (suffix !== undefined) {
    if (/^\d+$/.test(suffix)) return { name, version: suffix };
    return suffix.toLowerCase() === 'latest' ? { name } : { name, stage: suffix };
  }
  const at = name.lastIndexOf('@');
  if (at < 0) return { model_id: name };
  const alias = name.slice(at + 1);
  if (alias.trim() === '') throw notTheOwner(uri, 'model_id');
  return { name: name.slice(0, at), alias };
}

async function versionAt(registry: Registry, of: Exclude<ModelUri, { readonly model_id: string }>) {
  const { name, version, stage, alias } = of;
  if (version !== undefined) return registry.versions.get(name, version);
  if (alias !== undefined) return registry.models.getByAlias(name, alias);
  const latest = await registry.models.latestVersions(name, stage === undefined ? undefined : [stage]);
  const newest = latest.reduce<number | undefined>(
    (most, each) => Math.max(most ?? 0, Number(each.version)),
    undefined,
  );
  if (newest !== undefined) return registry.versions.get(name, String(newest));
  const where = stage === undefined ? '' : ` and stage '${stage}'`;
  throw invalidParameter(`No versions of model with name '${name}'${where} found`);
}

async function checkInRun(context: Context, source: string, runId: string | undefined): Promise<void> {
  const root = async () => (await runOf(context, runId ?? '', source)).info.artifact_uri;
  if (isLocal(source)) {
    if (!runId) throw localNotIn(source, 'run_id');
    if (await isInFolder(source, await root())) return;
    throw localNotIn(await resolved(localPath(source)), 'run_id');
  }
  checkNoRelativePath(source);
  const { scheme, authority, path } = parseUri(source);
  if (scheme === 'runs') {
    if (authority === '' && runId && path.startsWith('/') && path.split('/')[1] === runId) return;
    throw notTheOwner(source, 'run_id');
  }
  if (scheme === 'models' && (authority !== '' || parseModelUri(source).model_id !== undefined)) {
    throw notTheOwner(source, 'model_id');
  }
  if (!isProxied(source) || (runId && isWithin(source, (await root()) ?? ''))) return;
  throw notTheOwner(source, 'run_id');
}

async function checkInModel(context: Context, source: string, modelId: string): Promise<void> {
  const root = async () => (await modelOf(context, modelId, source)).info.artifact_uri;
  if (isLocal(source)) {
    if (await isInFolder(source, await root())) return;
    throw localNotIn(await resolved(localPath(source)), 'model_id');
  }
  checkNoRelativePath(source);
  const { scheme, authority } = parseUri(source);
  if (scheme === 'models') {
    const named = authority === '' ? parseModelUri(source).model_id : '';
    if (named === undefined || named === modelId) return;
    throw notTheOwner(source, 'model_id');
  }
  if (scheme === 'runs') throw notTheOwner(source, 'model_id');
  if (!isProxied(source) || isWithin(source, await root())) return;
  throw notTheOwner(source, 'model_id');
}

const runOf = (context: Context, runId: string, source: string) =>
  found(context.store.runs.get(runId), source, 'run_id');

const modelOf = (context: Context, modelId: string, source: string) =>
  found(context.store.loggedModels.get(modelId), source, 'model_id');

async function found<Record>(looked: Promise<Record>, source: string, id: string): Promise<Record> {
  try {
    return await looked;
  } catch (error) {
    const missing = error instanceof StoreError && error.code === 'RESOURCE_DOES_NOT_EXIST';
    throw missing ? notTheOwner(source, id) : error;
  }
}

async function isInFolder(source: string, root: string | undefined): Promise<boolean> {
  if (root === undefined || !isLocal(root)) return false;
  const [folder, place] = await Promise.all([resolved(localPath(root)), resolved(localPath(source))]);
  return place === folder || place.startsWith(folder + sep);
}

/** The path without links, as far as it is there. */
async function resolved(path: string): Promise<string> {
  const whole = resolve(path);
  try {
    return await realpath(whole);
  } catch {
    const parent = dirname(whole);
    return parent === whole ? whole : join(await resolved(parent), basename(whole));
  }
}

/** A path that is not what it says: with `..` in it, encoded or not, or one that goes on when it is resolved. */
function checkNoRelativePath(source: string): void {
  const plain = unquoteAll(source, (text) => unquote(text.replaceAll('+', ' ')));
  const path = parseUri(plain).path.replace(/\/+$/, '').replace(/\/+/g, '/');
  const names = path.split('/').slice(1);
  const clean = path.startsWith('/') && names.every((name) => name !== '.' && name !== '..') && !path.includes('\0');
  if (clean && !plain.split('/').includes('..')) return;
  throw invalidParameter(
    `Invalid model version source: '${source}'. If supplying a source as an http, https, local file path, ftp, objectstore, ` +
      'or mlflow-artifacts uri, an absolute path must be provided without relative path references present. ' +
      'Please provide an absolute path.',
  );
}

const PROXY_ROUTE = 'api/2.0/mlflow-artifacts/artifacts';

const partsOf = (uri: string) => {
  const { scheme, authority, path } = parseUri(uri);
  const names = path
    .split('/')
    .filter((name) => name !== '')
    .map((name) => unquoteAll(name));
  return { scheme, authority: authority.toLowerCase(), names };
};

function isProxied(source: string): boolean {
  const { scheme, names } = partsOf(source);
  return (
    scheme === 'mlflow-artifacts' || (/^https?$/.test(scheme) && `/${names.join('/')}/`.includes(`/${PROXY_ROUTE}/`))
  );
}

function isWithin(source: string, root: string): boolean {
  const [inner, outer] = [partsOf(source), partsOf(root)];
  return (
    inner.scheme === outer.scheme &&
    inner.authority === outer.authority &&
    outer.names.length > 0 &&
    outer.names.every((name, i) => name === inner.names[i])
  );
}

const localNotIn = (source: string, id: 'run_id' | 'model_id'): StoreError =>
  invalidParameter(
    `Invalid model version source: '${source}'. To use a local path as a model version source, the ${id} request parameter ` +
      'has to be specified and the local path has to be contained within the artifact directory of the run specified by ' +
      `the ${id}.`,
  );

const notTheOwner = (source: string, id: string): StoreError =>
  invalidParameter(
    `Invalid model version source: '${source}'. The ${id} request parameter must identify the resource that contains the source.`,
  );
