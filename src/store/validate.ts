/**
 * What MLflow's stores take: names, keys and values, their characters and lengths, the sizes of a batch, and the words in
 * which they refuse the rest. Lengths are in characters, as Python counts them.
 */
import { invalidParameter } from './errors.js';
import type { DatasetInput, KeyValue, Metric } from './records.js';
import { compactJson, type Json, parseInteger, reprFloat, reprList, reprString } from './search/index.js';
import type { Batch, Limits } from './store.js';
import { validateTraceRetentionTag } from './validate-retention.js';

export const DEFAULT_LIMITS: Limits = { truncateLongValues: true, artifactLocationLength: 2048 };

const KEY_LENGTH = 250;
const PARAM_VALUE_LENGTH = 6000;
const TAG_VALUE_LENGTH = 8000;
const EXPERIMENT_NAME_LENGTH = 500;
const EXPERIMENT_TAG_VALUE_LENGTH = 20_000;
const DATASET_LENGTHS = { name: 500, digest: 36, source: 65_535, schema: 1_048_575, profile: 16_777_215 } as const;
const INPUT_TAG_LENGTHS = { key: 255, value: 500 } as const;
const METRICS_IN_BATCH = 1000;
const PARAMS_OR_TAGS_IN_BATCH = 100;
const ENTITIES_IN_BATCH = 1000;
const PAGE_LIMIT = 50_000;

/** `Invalid value "a//b" for parameter 'key' supplied: …` */
export function invalidValue(path: string, value: Json, because?: string): string {
  return `Invalid value ${compactJson(value)} for parameter '${path}' supplied${because === undefined ? '.' : `: ${because}`}`;
}

export const missingValue = (path: string) => `Missing value for required parameter '${path}'.`;

export const tooLong = (name: string, limit: number) => `'${name}' exceeds the maximum length of ${limit} characters`;

/** Characters, of which one beyond the Basic Multilingual Plane is two in a JavaScript string. */
export function lengthOf(text: string): number {
  let length = 0;
  for (const _ of text) length += 1;
  return length;
}

const isLonger = (text: string, limit: number) => text.length > limit && lengthOf(text) > limit;

/** The text, which may be cut to its limit where that is allowed. @throws StoreError */
export function withinLength(name: string, limit: number, text: string, truncate = false): string {
  if (!isLonger(text, limit)) return text;
  if (truncate) return [...text].slice(0, limit).join('');
  throw invalidParameter(tooLong(name, limit));
}

/** Python's `posixpath.normpath`. */
export function normalPath(path: string): string {
  if (path === '') return '.';
  const slashes = /^(\/\/(?!\/)|\/|)/.exec(path)?.[0] ?? '';
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..' || (slashes === '' && parts.length === 0) || parts.at(-1) === '..') parts.push(part);
    else parts.pop();
  }
  return slashes + parts.join('/') || '.';
}

/** A line break at the end passes, as Python's `$` stands before it. */
const NAME = /^[/\p{L}\p{N}_.\- :]*\n?$/u;
const PLAIN_NAME = /^(?!\.)[A-Za-z0-9_.\- :]+$/;
const CHARACTERS =
  'Names may only contain alphanumerics, underscores (_), dashes (-), periods (.), spaces ( ), colon(:) and slashes (/).';

/** Whether a name would be another file's when it is taken for a path. @returns the refusal */
export function pathRefusal(name: string): string | undefined {
  const path = normalPath(name);
  if (path === name && path !== '.' && !path.startsWith('..') && !path.startsWith('/')) return undefined;
  return (
    'Names may be treated as files in certain cases, and must not resolve to other names when treated as such. ' +
    `This name would resolve to ${reprString(path)}`
  );
}

/** Of a metric, a param or a tag. @param path of the parameter in the request */
export function validateName(name: string, path: string): void {
  if (PLAIN_NAME.test(name)) return;
  const refusal = NAME.test(name) ? pathRefusal(name) : CHARACTERS;
  if (refusal !== undefined) throw invalidParameter(invalidValue(path, name, refusal));
}

const under = (path: string, name: string) => (path === '' ? name : `${path}.${name}`);

/** @param path of the metric in the request, as `metrics[0]` */
export function validateMetric({ key, value, timestamp, dataset_name, dataset_digest }: Metric, path = ''): void {
  if ((dataset_name === undefined) !== (dataset_digest === undefined)) {
    throw invalidParameter('Both dataset_name and dataset_digest must be provided if one is provided');
  }
  validateName(key, under(path, 'name'));
  if (timestamp < 0) {
    const because = `metric '${key}' (value=${reprFloat(value)}). Timestamp must be a nonnegative long (64-bit integer) `;
    throw invalidParameter(invalidValue(under(path, 'timestamp'), BigInt(timestamp), because));
  }
  withinLength('Metric name', KEY_LENGTH, key);
}

/** The param as it is to be kept. */
export function validateParam({ key, value }: KeyValue, limits: Limits, path = ''): KeyValue {
  validateName(key, under(path, 'key'));
  withinLength('Param key', KEY_LENGTH, key);
  return { key, value: withinLength('Param value', PARAM_VALUE_LENGTH, value, limits.truncateLongValues) };
}

/** The tag of a run as it is to be kept. */
export function validateTag({ key, value }: KeyValue, limits: Limits, path = ''): KeyValue {
  validateName(key, under(path, 'key'));
  withinLength(under(path, 'key'), KEY_LENGTH, key);
  return { key, value: withinLength(under(path, 'value'), TAG_VALUE_LENGTH, value, limits.truncateLongValues) };
}

export function validateExperimentTag({ key, value }: KeyValue): void {
  validateName(key, 'key');
  withinLength('key', KEY_LENGTH, key);
  withinLength('value', EXPERIMENT_TAG_VALUE_LENGTH, value);
  validateTraceRetentionTag(key, value);
}

export function validateExperimentName(name: string): void {
  if (name === '') throw invalidParameter("Invalid experiment name: ''");
  withinLength('name', EXPERIMENT_NAME_LENGTH, name);
}

export function validateArtifactLocation(location: string, { artifactLocationLength: limit }: Limits): void {
  if (!isLonger(location, limit)) return;
  throw invalidParameter(
    `Invalid artifact path length. The length of the artifact path cannot be greater than ${limit} characters. To ` +
      'configure this limit, please set the MLFLOW_ARTIFACT_LOCATION_MAX_LENGTH environment variable.',
  );
}

/** What is to be kept of a batch, the checks in MLflow's order. */
export function validateBatch({ metrics, params, tags }: Batch, limits: Limits): Batch {
  metrics.forEach((metric, at) => {
    validateMetric(metric, `metrics[${at}]`);
  });
  const kept: Batch = {
    metrics,
    params: params.map((param, at) => validateParam(param, limits, `params[${at}]`)),
    tags: tags.map((tag, at) => validateTag(tag, limits, `tags[${at}]`)),
  };
  atMost('metrics', METRICS_IN_BATCH, metrics.length);
  atMost('params', PARAMS_OR_TAGS_IN_BATCH, params.length);
  atMost('tags', PARAMS_OR_TAGS_IN_BATCH, tags.length);
  atMost('metrics, params, and tags', ENTITIES_IN_BATCH, metrics.length + params.length + tags.length);
  validateUniqueKeys(params);
  return kept;
}

function atMost(what: string, limit: number, length: number): void {
  if (length <= limit) return;
  throw invalidParameter(
    `A batch logging request can contain at most ${limit} ${what}. Got ${length} ${what}. Please split up ${what} across ` +
      'multiple requests and try again.',
  );
}

function validateUniqueKeys(params: readonly KeyValue[]): void {
  const seen = new Set<string>();
  const twice = params.filter(({ key }) => seen.size === seen.add(key).size).map(({ key }) => reprString(key));
  if (twice.length === 0) return;
  throw invalidParameter(
    `Duplicate parameter keys have been submitted: ${reprList(twice)}. Please ensure the request contains only one param ` +
      'value per param key.',
  );
}

/** Letters, digits, `_` and `-`, of which the first is a letter or a digit. */
const RUN_ID = /^[a-zA-Z0-9][\p{L}\p{N}_-]{0,255}\n?$/u;

export function validateRunId(runId: string): void {
  if (!RUN_ID.test(runId)) throw invalidParameter(invalidValue('run_id', runId));
}

/** An id of an experiment in a database is a number. */
export function parseExperimentId(text: string): number {
  const id = parseInteger(text);
  if (id !== undefined) return Number(id);
  throw invalidParameter(`Invalid experiment ID '${text}'. Experiment ID must be a valid integer.`);
}

export function validateDatasets(inputs: readonly DatasetInput[]): void {
  for (const { dataset, tags } of inputs) {
    for (const part of ['name', 'digest', 'source', 'schema', 'profile'] as const) {
      withinLength(part, DATASET_LENGTHS[part], dataset[part] ?? '');
    }
    for (const tag of tags) {
      withinLength('key', INPUT_TAG_LENGTHS.key, tag.key);
      withinLength('value', INPUT_TAG_LENGTHS.value, tag.value);
    }
  }
}

/** How many a page may hold. */
export function validateMaxResults(maxResults: number): void {
  const refused = `Invalid value ${maxResults} for parameter 'max_results' supplied. It must be`;
  if (maxResults < 1) throw invalidParameter(`${refused} a positive integer`);
  if (maxResults > PAGE_LIMIT) throw invalidParameter(`${refused} at most ${PAGE_LIMIT}`);
}
