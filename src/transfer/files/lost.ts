/** What is lost with a file that cannot be read: rows, by table, as far as they can be counted. */
import { readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { disk, type Fault, filesBelow, METRICS, MODELS, PARAMS, TAGS, TRACES, TRASH } from '../../store/file/reader.js';

type Counts = Record<string, number>;

/** The tables of a record and of what its folder holds. */
interface Kind {
  readonly table: string;
  readonly values: Readonly<Record<string, string>>;
  readonly meta: string;
}

const META = 'meta.yaml';
const EXPERIMENT: Kind = { table: 'experiments', meta: META, values: { [TAGS]: 'experiment_tags' } };
const RUN: Kind = {
  table: 'runs',
  meta: META,
  values: { [TAGS]: 'tags', [PARAMS]: 'params', [METRICS]: 'metrics', inputs: 'inputs', outputs: 'inputs' },
};
const MODEL: Kind = {
  table: 'logged_models',
  meta: META,
  values: { [TAGS]: 'logged_model_tags', [PARAMS]: 'logged_model_params', [METRICS]: 'logged_model_metrics' },
};
const TRACE: Kind = {
  table: 'trace_info',
  meta: 'trace_info.yaml',
  values: { [TAGS]: 'trace_tags', request_metadata: 'trace_request_metadata', assessments: 'assessments' },
};
const REGISTERED: Kind = {
  table: 'registered_models',
  meta: META,
  values: { [TAGS]: 'registered_model_tags', aliases: 'registered_model_aliases' },
};
const VERSION: Kind = { table: 'model_versions', meta: META, values: { [TAGS]: 'model_version_tags' } };

/** @param root of the store */
export function lostWith({ path, line }: Fault, root: string): Counts {
  const names = relative(root, path).split(sep);
  if (names[0] === TRASH) names.shift();
  const [kind, depth] = kindOf(names);
  const rest = names.slice(depth);
  const [part] = rest;
  if (part === 'datasets') return { datasets: 1 };
  const table = part === undefined ? undefined : kind.values[part];
  if (table === undefined) return rest.length <= 1 ? recordAt(rest[0] === kind.meta ? dirname(path) : path, kind) : {};
  return { [table]: line === undefined && part === METRICS ? linesOf(path) : 1 };
}

/** Which kind of record a path is of, and how many of its names lead to that record's folder. */
function kindOf(names: readonly string[]): [Kind, number] {
  const [first, second, third] = names;
  if (first === MODELS) return second !== undefined && third?.startsWith('version-') ? [VERSION, 3] : [REGISTERED, 2];
  if (second === MODELS && third !== undefined) return [MODEL, 3];
  if (second === TRACES && third !== undefined) return [TRACE, 3];
  const isOfExperiment = second === undefined || second === META || second === TAGS || second === 'datasets';
  return isOfExperiment ? [EXPERIMENT, 1] : [RUN, 2];
}

/** A record with all that its folder holds. */
function recordAt(folder: string, kind: Kind): Counts {
  const counts: Counts = { [kind.table]: 1 };
  const add = (table: string, n: number) => {
    if (n > 0) counts[table] = (counts[table] ?? 0) + n;
  };
  for (const [part, table] of Object.entries(kind.values)) {
    const parent = join(folder, part);
    for (const name of filesBelow(parent)) add(table, part === METRICS ? linesOf(join(parent, name)) : 1);
  }
  const below = (parent: string, of: Kind) => {
    for (const name of disk.folders(parent) ?? []) addAll(recordAt(join(parent, name), of));
  };
  const addAll = (more: Counts) => {
    for (const [table, n] of Object.entries(more)) add(table, n);
  };
  if (kind === EXPERIMENT) {
    below(join(folder, MODELS), MODEL);
    below(join(folder, TRACES), TRACE);
    add('datasets', (disk.folders(join(folder, 'datasets')) ?? []).length);
    for (const name of disk.folders(folder) ?? []) {
      if (!NO_RUNS.includes(name)) addAll(recordAt(join(folder, name), RUN));
    }
  }
  if (kind === REGISTERED) {
    for (const name of disk.folders(folder) ?? []) {
      if (name.startsWith('version-')) addAll(recordAt(join(folder, name), VERSION));
    }
  }
  return counts;
}

const NO_RUNS: readonly string[] = [TAGS, 'datasets', TRACES, MODELS];

/** Lines of a file, whatever is in them. */
function linesOf(path: string): number {
  try {
    const bytes = readFileSync(path);
    let lines = 0;
    for (const byte of bytes) if (byte === 10) lines++;
    return lines + (bytes.length > 0 && bytes.at(-1) !== 10 ? 1 : 0);
  } catch {
    return 0;
  }
}
