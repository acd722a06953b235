/**
 * The model registry that MLflow keeps beside a file store, for who moves it to a database: the file store serves none.
 */
import { join } from 'node:path';
import { MODEL_STAGES, type ModelVersion, type RegisteredModel } from '../records.js';
import { Damage, orReport, type Report } from './damage.js';
import { Fields } from './fields.js';
import type { Files } from './files.js';
import { META, MODELS, TAGS } from './layout.js';
import { readValues } from './read-values.js';
import { readYaml } from './yaml/read.js';
import type { YamlMap } from './yaml/resolve.js';

export interface StoredRegisteredModel {
  readonly folder: string;
  readonly model: Omit<RegisteredModel, 'latest_versions'>;
  readonly meta: YamlMap;
}

export interface StoredVersion {
  readonly folder: string;
  readonly version: Omit<ModelVersion, 'aliases' | 'model_params' | 'model_metrics'>;
  /** Where its artifacts are, which a copy has of the version that it was copied from. */
  readonly storageLocation: string | undefined;
  readonly meta: YamlMap;
}

const ALIASES = 'aliases';
const VERSION = 'version-';

/** Sorted by name. @param root of the store */
export function* registeredModelsIn(files: Files, root: string, report: Report): Generator<StoredRegisteredModel> {
  const parent = join(root, MODELS);
  for (const name of orReport(report, () => files.folders(parent)) ?? []) {
    const folder = join(parent, name);
    const model = orReport(report, () => readRegisteredModel(files, folder, report));
    if (model) yield model;
  }
}

/** @throws {Damage} */
export function readRegisteredModel(files: Files, folder: string, report: Report): StoredRegisteredModel {
  const path = join(folder, META);
  const found = files.read(path, modelIn);
  if (found === undefined) throw new Damage({ path, reason: 'is missing' });
  const aliases = readValues(files, join(folder, ALIASES), report);
  const model = {
    ...found.model,
    tags: readValues(files, join(folder, TAGS), report),
    aliases: aliases.map(({ key, value }) => ({ alias: key, version: value })),
  };
  return { folder, model, meta: found.meta };
}

function modelIn(text: string) {
  const meta = readYaml(text);
  const fields = new Fields(meta);
  const model = {
    name: fields.neededText('name'),
    creation_timestamp: fields.integer('creation_timestamp'),
    last_updated_timestamp: fields.integer('last_updated_timestamp'),
    description: fields.text('description'),
  };
  return { model, meta };
}

/** In the order of their numbers. @param folder of the registered model */
export function* versionsIn(files: Files, folder: string, report: Report): Generator<StoredVersion> {
  const numbers = (orReport(report, () => files.folders(folder)) ?? [])
    .filter((name) => /^version-\d+$/.test(name))
    .map((name) => Number(name.slice(VERSION.length)));
  for (const number of numbers.sort((one, other) => one - other)) {
    const version = orReport(report, () => readVersion(files, join(folder, VERSION + number), report));
    if (version) yield version;
  }
}

/** A version that was deleted stays, so that its number is not given again; databases have it so, too. */
const STAGES = [...MODEL_STAGES, 'Deleted_Internal'] as const;
const STATUSES = ['READY', 'PENDING_REGISTRATION', 'FAILED_REGISTRATION'] as const;

function readVersion(files: Files, folder: string, report: Report): StoredVersion {
  const path = join(folder, META);
  const found = files.read(path, versionIn);
  if (found === undefined) throw new Damage({ path, reason: 'is missing' });
  return { ...found, folder, version: { ...found.version, tags: readValues(files, join(folder, TAGS), report) } };
}

function versionIn(text: string) {
  const meta = readYaml(text);
  const fields = new Fields(meta);
  const version = {
    name: fields.neededText('name'),
    version: fields.neededText('version'),
    creation_timestamp: fields.integer('creation_timestamp'),
    last_updated_timestamp: fields.integer('last_updated_timestamp'),
    user_id: fields.text('user_id'),
    current_stage: fields.choice('current_stage', STAGES, 'None'),
    description: fields.text('description'),
    source: fields.text('source'),
    run_id: fields.text('run_id'),
    run_link: fields.text('run_link'),
    status: fields.choice('status', STATUSES, 'READY'),
    status_message: fields.text('status_message'),
    model_id: fields.text('model_id'),
  };
  return { version, storageLocation: fields.text('storage_location'), meta };
}
