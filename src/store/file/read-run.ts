/** A run as its folder has it, old layouts included. */
import { basename, dirname, join } from 'node:path';
import {
  type Dataset,
  type DatasetInput,
  type ModelInput,
  type ModelOutput,
  RUN_STATUSES,
  type RunInfo,
  type RunStatus,
} from '../records.js';
import { Damage, orReport, type Report, Unreadable } from './damage.js';
import { Fields } from './fields.js';
import type { Files } from './files.js';
import { DATASETS, INPUTS, META, OUTPUTS } from './layout.js';
import { LIFECYCLE_STAGES } from './read-experiment.js';
import { readYaml } from './yaml/read.js';
import type { YamlMap } from './yaml/resolve.js';

export interface StoredRun {
  readonly folder: string;
  readonly info: RunInfo;
  /** Milliseconds since the epoch; releases before 1.30 do not say when they deleted a run. */
  readonly deletedTime: number | undefined;
  /** All of meta.yaml, with what only other releases know: a database has columns for some of it. */
  readonly meta: YamlMap;
}

/** Undefined for a folder that is no run. @throws {Damage} where meta.yaml is not that of a run in this folder */
export function readRun(files: Files, folder: string): StoredRun | undefined {
  const path = `${folder}/${META}`;
  const found = files.read(path, runIn);
  if (found === undefined) return undefined;
  const { run_id, experiment_id } = found.info;
  if (run_id !== basename(folder)) throw new Damage({ path, reason: `belongs to run ${run_id}` });
  if (experiment_id !== basename(dirname(folder))) {
    throw new Damage({ path, reason: `belongs to a run of experiment ${experiment_id}` });
  }
  return { folder, ...found };
}

function runIn(text: string): Omit<StoredRun, 'folder'> {
  const meta = readYaml(text);
  const fields = new Fields(meta);
  const info: RunInfo = {
    // Releases before 1.0 knew it as run_uuid.
    run_id: fields.text('run_id') ?? fields.neededText('run_uuid'),
    run_name: fields.text('run_name'),
    experiment_id: fields.neededText('experiment_id'),
    user_id: fields.text('user_id'),
    status: statusIn(fields),
    start_time: fields.integer('start_time'),
    end_time: fields.integer('end_time') || undefined,
    artifact_uri: fields.text('artifact_uri') || undefined,
    lifecycle_stage: fields.choice('lifecycle_stage', LIFECYCLE_STAGES, 'active'),
  };
  return { info, meta, deletedTime: fields.integer('deleted_time') };
}

/** A number from 1 on. A run that says nothing is running. */
function statusIn(fields: Fields): RunStatus {
  const value = fields.get('status');
  if (value === null) return 'RUNNING';
  const status = typeof value === 'number' ? RUN_STATUSES[value - 1] : RUN_STATUSES.find((word) => word === value);
  if (status === undefined) throw new Unreadable(`holds the status ${String(value)}, which no run has`);
  return status;
}

/** The number by which a file knows a status. */
export const statusNumber = (status: RunStatus): number => RUN_STATUSES.indexOf(status) + 1;

/** What a file in `inputs` says. */
interface Link {
  readonly kind: string;
  readonly source: string;
  readonly tags: Readonly<Record<string, string>>;
}

const linkIn = (text: string): Link => {
  const fields = new Fields(readYaml(text));
  return {
    kind: fields.neededText('source_type'),
    source: fields.neededText('source_id'),
    tags: fields.map('tags').texts(),
  };
};

export interface StoredInputs {
  readonly dataset_inputs: readonly DatasetInput[];
  readonly model_inputs: readonly ModelInput[];
}

/** Datasets and models that went into a run, sorted by the names of their folders. */
export function readInputs(files: Files, runFolder: string, report: Report): StoredInputs {
  const [dataset_inputs, model_inputs]: [DatasetInput[], ModelInput[]] = [[], []];
  for (const { kind, source, tags, path } of linksIn(files, `${runFolder}/${INPUTS}`, linkIn, report)) {
    if (kind === 'MODEL') model_inputs.push({ model_id: source });
    if (kind !== 'DATASET') continue;
    orReport(report, () => {
      const place = join(runFolder, '..', DATASETS, source);
      const dataset = readDataset(files, place);
      if (dataset === undefined) {
        throw new Damage({ path, reason: `names a dataset that is missing: ${place}` }, { slight: true });
      }
      dataset_inputs.push({ dataset, tags: Object.entries(tags).map(([key, value]) => ({ key, value })) });
    });
  }
  return { dataset_inputs, model_inputs };
}

/** Undefined where there is none. @throws {Damage} */
export const readDataset = (files: Files, folder: string): Dataset | undefined =>
  files.read(`${folder}/${META}`, datasetIn);

function datasetIn(text: string): Dataset {
  const fields = new Fields(readYaml(text));
  return {
    name: fields.neededText('name'),
    digest: fields.neededText('digest'),
    source_type: fields.neededText('source_type'),
    source: fields.neededText('source'),
    schema: fields.text('schema'),
    profile: fields.text('profile'),
  };
}

const outputIn = (text: string) => {
  const fields = new Fields(readYaml(text));
  return {
    kind: fields.neededText('destination_type'),
    model_id: fields.neededText('destination_id'),
    step: fields.integer('step') ?? 0,
  };
};

/** Logged models that came out of a run, sorted by their ids. */
export function readOutputs(files: Files, runFolder: string, report: Report): ModelOutput[] {
  return linksIn(files, `${runFolder}/${OUTPUTS}`, outputIn, report)
    .filter(({ kind }) => kind === 'MODEL_OUTPUT')
    .map(({ model_id, step }) => ({ model_id, step }));
}

function linksIn<Value extends object>(
  files: Files,
  folder: string,
  decode: (text: string) => Value,
  report: Report,
): (Value & { readonly path: string })[] {
  const links: (Value & { readonly path: string })[] = [];
  for (const name of orReport(report, () => files.folders(folder)) ?? []) {
    const path = join(folder, name, META);
    orReport(report, () => {
      const link = files.read(path, decode);
      if (link === undefined) throw new Damage({ path, reason: 'is missing' });
      links.push({ ...link, path });
    });
  }
  return links;
}
