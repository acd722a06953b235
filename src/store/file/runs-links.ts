/** Datasets and logged models that went into a run, and logged models that came out of it. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Dataset, DatasetInput, ModelInput, ModelOutput } from '../records.js';
import { validateRunId } from '../validate.js';
import { Changes, makeFolder, moveNew } from './changes.js';
import type { Context } from './context.js';
import { validatePathName } from './ids.js';
import { DATASETS, INPUTS, META, OUTPUTS } from './layout.js';
import { activeRun } from './stored.js';
import { commit } from './writing.js';
import { type Writable, writeYaml } from './yaml/write.js';

/** As MLflow makes ids of datasets (of name and digest) and of inputs (of what went in and the run). */
export const linkId = (...parts: readonly string[]): string => createHash('md5').update(parts.join('')).digest('hex');

export async function logInputs(
  context: Context,
  id: string,
  datasets: readonly DatasetInput[],
  models: readonly ModelInput[],
): Promise<void> {
  validateRunId(id);
  const { folder, info } = await activeRun(context, id);
  for (const { dataset, tags } of datasets) {
    const source = await putDataset(context, join(folder, '..'), dataset);
    const values = Object.fromEntries(tags.map(({ key, value }) => [key, value]));
    await putInput(context, folder, linkId(source, info.run_id), 'DATASET', source, values);
  }
  for (const { model_id } of models)
    await putInput(context, folder, linkId(model_id, info.run_id), 'MODEL', model_id, {});
}

/** One that is there stays as it is. @returns its id */
async function putDataset(context: Context, experiment: string, dataset: Dataset): Promise<string> {
  const id = linkId(dataset.name, dataset.digest);
  const { name, digest, source_type, source, schema, profile } = dataset;
  const parent = join(experiment, DATASETS);
  makeFolder(parent);
  // MLflow knows datasets by their ids: it does not look at what has another name.
  await putRecord(context, parent, join(parent, id), { name, digest, source_type, source, schema, profile });
  return id;
}

function putInput(
  context: Context,
  run: string,
  id: string,
  source_type: 'DATASET' | 'MODEL',
  source_id: string,
  tags: Readonly<Record<string, string>>,
): Promise<void> {
  makeFolder(join(run, INPUTS));
  const meta = { source_type, source_id, destination_type: 'RUN', destination_id: source_id, tags };
  return putRecord(context, run, join(run, INPUTS, id), meta);
}

export async function logOutputs(context: Context, id: string, models: readonly ModelOutput[]): Promise<void> {
  validateRunId(id);
  for (const { model_id } of models) validatePathName(model_id, 'model_id');
  const { folder } = await activeRun(context, id);
  makeFolder(join(folder, OUTPUTS));
  for (const { model_id, step } of models) {
    await putRecord(context, folder, join(folder, OUTPUTS, model_id), {
      source_type: 'RUN_OUTPUT',
      source_id: model_id,
      destination_type: 'MODEL_OUTPUT',
      destination_id: model_id,
      tags: {},
      step,
    });
  }
}

/**
 * A folder with a meta.yaml, which is there in whole or not at all: MLflow fails on a run with an input that has none yet.
 * @param beside a folder in which one of another name is not looked at
 */
async function putRecord(
  context: Context,
  beside: string,
  folder: string,
  meta: Readonly<Record<string, Writable>>,
): Promise<void> {
  if (existsSync(join(folder, META))) return;
  await moveNew(beside, folder, async (part) => {
    const changes = new Changes(part, context.syncsAll);
    changes.putMeta(join(part, META), writeYaml(meta));
    await commit(changes);
  });
}
