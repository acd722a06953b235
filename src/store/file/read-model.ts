/** A logged model as its folder has it. */
import { basename, join } from 'node:path';
import { type LifecycleStage, LOGGED_MODEL_STATUSES, type LoggedModel, type LoggedModelStatus } from '../records.js';
import { Damage, Unreadable } from './damage.js';
import { Fields } from './fields.js';
import type { Files } from './files.js';
import { META } from './layout.js';
import { LIFECYCLE_STAGES } from './read-experiment.js';
import { readYaml } from './yaml/read.js';
import type { YamlMap } from './yaml/resolve.js';

export interface StoredModel {
  readonly folder: string;
  /** Without tags, which are files of their own, as params and metrics are. */
  readonly info: Omit<LoggedModel['info'], 'tags'>;
  /** A deleted one was so at its last_updated_timestamp_ms. */
  readonly stage: LifecycleStage;
  readonly meta: YamlMap;
}

/** Undefined for a folder that is no logged model. @throws {Damage} where meta.yaml is not that of one in this folder */
export function readModel(files: Files, folder: string): StoredModel | undefined {
  const path = join(folder, META);
  const found = files.read(path, modelIn);
  if (found === undefined) return undefined;
  const { model_id, experiment_id } = found.info;
  if (model_id !== basename(folder)) throw new Damage({ path, reason: `belongs to logged model ${model_id}` });
  if (experiment_id !== basename(join(folder, '../..'))) {
    throw new Damage({ path, reason: `belongs to a logged model of experiment ${experiment_id}` });
  }
  return { folder, ...found };
}

function modelIn(text: string): Omit<StoredModel, 'folder'> {
  const meta = readYaml(text);
  const fields = new Fields(meta);
  const info = {
    model_id: fields.neededText('model_id'),
    experiment_id: fields.neededText('experiment_id'),
    name: fields.text('name') ?? '',
    creation_timestamp_ms: fields.integer('creation_timestamp') ?? 0,
    last_updated_timestamp_ms: fields.integer('last_updated_timestamp') ?? 0,
    artifact_uri: fields.text('artifact_location') ?? '',
    status: statusIn(fields),
    model_type: fields.text('model_type'),
    source_run_id: fields.text('source_run_id'),
    status_message: fields.text('status_message'),
  };
  return { info, meta, stage: fields.choice('lifecycle_stage', LIFECYCLE_STAGES, 'active') };
}

function statusIn(fields: Fields): LoggedModelStatus {
  const number = fields.integer('status');
  const status = number === undefined ? 'LOGGED_MODEL_READY' : LOGGED_MODEL_STATUSES[number];
  if (status === undefined) throw new Unreadable(`holds the status ${number}, which no logged model has`);
  return status;
}
