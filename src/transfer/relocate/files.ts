/** Artifacts that are elsewhere now: the URIs of a file store, rewritten in place, each file at once. */
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { editMeta, editValue } from '../../store/file/edit.js';
import {
  type Damage,
  disk,
  experimentsIn,
  META,
  modelsIn,
  type Report,
  readValues,
  registeredModelsIn,
  runsIn,
  TAGS,
  tracesIn,
  versionsIn,
  type YamlMap,
} from '../../store/file/reader.js';
import type { Problem } from '../problems.js';
import { TRACE_LOCATION_TAGS } from './places.js';
import type { Relocated, Relocation } from './relocation.js';

/** A file that holds places, and how it is written with others. */
interface Found {
  /** Places by what they are called in a database. */
  readonly uris: Readonly<Record<string, { readonly field: string; readonly uri: unknown }>>;
  write(change: Readonly<Record<string, string>>): Promise<void>;
}

export interface FilesRelocated extends Relocated {
  /** Files that could not be read, and are as they were. */
  readonly problems: readonly Problem[];
}

const NAMES = [
  'experiments.artifact_location',
  'runs.artifact_uri',
  'logged_models.artifact_location',
  'model_versions.source',
  'model_versions.storage_location',
  `trace_tags.value of ${TRACE_LOCATION_TAGS.join(', ')}`,
] as const;
const [EXPERIMENT, RUN, MODEL, SOURCE, STORAGE, TRACE] = NAMES;

/**
 * @param root of the store
 * @param writes false to count only
 */
export async function relocateFiles(root: string, writes: boolean, options: Relocation): Promise<FilesRelocated> {
  const { map, signal } = options;
  const problems: Problem[] = [];
  const report: Report = ({ fault: { path, line, reason } }) =>
    problems.push({ kind: 'damaged', where: path, line, reason, rows: {} });
  const counts = new Map<string, number>(NAMES.map((name) => [name, 0]));
  for (const { uris, write } of placesOfFiles(root, report)) {
    const change: Record<string, string> = {};
    for (const [name, { field, uri }] of Object.entries(uris)) {
      const to = typeof uri === 'string' ? map.moved(uri) : null;
      if (to === null || to === uri) continue;
      change[field] = to;
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    if (Object.keys(change).length > 0 && writes) await write(change);
    signal.throwIfAborted();
    // Files are read in this very thread: let signals have their turn.
    await setImmediate();
  }
  return { counts, problems };
}

function* placesOfFiles(root: string, report: Report): Generator<Found> {
  for (const { folder, meta } of experimentsIn(disk, root, report)) {
    yield inMeta(folder, meta, { [EXPERIMENT]: 'artifact_location' });
    for (const run of runsIn(disk, folder, report)) yield inMeta(run.folder, run.meta, { [RUN]: 'artifact_uri' });
    for (const model of modelsIn(disk, join(folder), report)) {
      yield inMeta(model.folder, model.meta, { [MODEL]: 'artifact_location' });
    }
    for (const trace of tracesIn(disk, folder, report)) yield* inTags(trace.folder, report);
  }
  for (const { folder } of registeredModelsIn(disk, root, report)) {
    for (const version of versionsIn(disk, folder, report)) {
      yield inMeta(version.folder, version.meta, { [SOURCE]: 'source', [STORAGE]: 'storage_location' });
    }
  }
}

function inMeta(folder: string, meta: YamlMap, fields: Readonly<Record<string, string>>): Found {
  const uris = Object.entries(fields).map(([name, field]) => [name, { field, uri: meta[field] }] as const);
  return {
    uris: Object.fromEntries(uris),
    write: (change) => editMeta(join(folder, META), meta, change),
  };
}

function* inTags(folder: string, report: Report): Generator<Found> {
  const parent = join(folder, TAGS);
  const relevant: Report = (damage: Damage) => {
    if (TRACE_LOCATION_TAGS.some((key) => damage.fault.path === join(parent, key))) report(damage);
  };
  for (const { key, value } of readValues(disk, parent, relevant)) {
    if (!TRACE_LOCATION_TAGS.includes(key)) continue;
    const write = (change: Readonly<Record<string, string>>) =>
      editValue(join(parent, key), folder, change[key] ?? value);
    yield { uris: { [TRACE]: { field: key, uri: value } }, write };
  }
}
