/** The trash of a file store: of `mlruns`, what is deleted in place and what lies in `.trash`. */
import { existsSync, realpathSync } from 'node:fs';
import { basename, join, sep } from 'node:path';
import pLimit from 'p-limit';
import { localPath } from '../../artifacts/open.js';
import {
  Damage,
  disk,
  experimentFolders,
  experimentsIn,
  filesBelow,
  isTrashed,
  MODELS,
  modelsIn,
  readModel,
  readRun,
  readValues,
  runsIn,
  type StoredExperiment,
  TAGS,
  TRACES,
  traceInfo,
  tracesIn,
} from '../../store/file/reader.js';
import type { Age, Dependant, Item, Kind, Removed, RowCounts, Scope, TrashSource } from '../source.js';
import { dependantsIn, type InTrash, type LivingModel, namedByVersionsIn } from './dependants.js';
import { forgetAway, removeFolder, takeAway } from './folders.js';

const PAGE = 500;
const META = 'meta.yaml';
const TRACE_INFO = 'trace_info.yaml';
/** Folders that are removed at a time: waiting for the disk, not for the processor. */
const AT_ONCE = 8;
const PARENT_TAG = 'mlflow.parentRunId';
const TRACE_LOCATION_TAG = 'mlflow.artifactLocation';

/** How files count: as the tables of a database are called. */
const TABLES: Readonly<Record<Kind, { readonly own: string; readonly below: Readonly<Record<string, string>> }>> = {
  run: {
    own: 'runs',
    below: { metrics: 'metrics', params: 'params', tags: 'tags', inputs: 'inputs', outputs: 'inputs' },
  },
  model: {
    own: 'logged_models',
    below: { metrics: 'logged_model_metrics', params: 'logged_model_params', tags: 'logged_model_tags' },
  },
  trace: {
    own: 'trace_info',
    below: { tags: 'trace_tags', request_metadata: 'trace_request_metadata', assessments: 'assessments' },
  },
  experiment: { own: 'experiments', below: { tags: 'experiment_tags', datasets: 'datasets' } },
  job: { own: 'jobs', below: {} },
};

/** Of a kind, the folder in an experiment, and the file that makes a folder in it a record. */
const PLACES: Readonly<Record<'run' | 'model' | 'trace', readonly [folder: string, record: string]>> = {
  run: ['', META],
  model: [MODELS, META],
  trace: [TRACES, TRACE_INFO],
};

/** An item and the folder of its record. */
interface Found extends Item {
  readonly place: string;
}

export class FileTrash implements TrashSource {
  readonly batch = { least: PAGE, most: PAGE };
  readonly #root: string;
  /** What could not be read, by path. */
  readonly damaged = new Map<string, Damage>();

  /** @param root of the store, absolute */
  constructor(root: string) {
    this.#root = root;
  }

  async now(): Promise<number> {
    return Date.now();
  }

  // ---------------------------------------------------------------- what is there

  async experiments({ experiments }: Pick<Scope, 'experiments'>): Promise<readonly Item[]> {
    return [...this.#experiments(experiments)].map(experimentItem).filter(({ deleted }) => deleted);
  }

  async places(): Promise<readonly { experiment: string; location: string }[]> {
    return [...this.#experiments(null)]
      .map(({ experiment: { experiment_id, artifact_location } }) => ({
        experiment: experiment_id,
        location: artifact_location,
      }))
      .filter(({ location }) => location !== '');
  }

  async idsOf(names: readonly string[]): Promise<readonly { id: string; name: string }[]> {
    return [...this.#experiments(null)]
      .map(({ experiment: { experiment_id, name } }) => ({ id: experiment_id, name }))
      .filter(({ name }) => names.includes(name));
  }

  async countDeleted(kind: 'run' | 'model', scope: Scope, age: Age): Promise<number> {
    let count = 0;
    for (const item of this.#inScope(kind, scope)) if (item.deleted && isDue(item, age)) count += 1;
    return count;
  }

  async *deleted(kind: 'run' | 'model', scope: Scope, age: Age): AsyncGenerator<readonly Item[]> {
    yield* inPages(this.#inScope(kind, scope), (item) => item.deleted && isDue(item, age));
  }

  async *within(experiment: string, kind: 'run' | 'model' | 'trace'): AsyncGenerator<readonly Item[]> {
    yield* inPages(this.#items(kind, [experiment]), () => true);
  }

  async *nested(parents: readonly string[]): AsyncGenerator<readonly Item[]> {
    const wanted = new Set(parents);
    const children = new Map<string, Found[]>();
    for (const run of this.#items('run', null)) {
      const tags = readValues(disk, join(run.place, TAGS), this.#report);
      const parent = tags.find(({ key }) => key === PARENT_TAG)?.value;
      if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), run]);
    }
    let level = [...wanted];
    while (level.length > 0) {
      const next = level.flatMap((id) => children.get(id) ?? []).filter(({ id }) => !wanted.has(id));
      for (const { id } of next) wanted.add(id);
      if (next.length > 0) yield next;
      level = next.map(({ id }) => id);
    }
  }

  // MLflow keeps jobs in databases only.
  async *jobs(): AsyncGenerator<readonly Item[]> {}

  /** Also what cannot be read, of which no more is known than that it is there. */
  async find(kind: Kind, ids: readonly string[]): Promise<readonly Item[]> {
    if (kind === 'job' || ids.length === 0) return [];
    const wanted = new Set(ids);
    const { active, deleted } = this.#folders(null);
    const experiments = [...active, ...deleted];
    if (kind === 'experiment') {
      const read = [...this.#experiments(ids)].map(experimentItem);
      return withUnread(
        read,
        kind,
        experiments.filter((folder) => wanted.has(basename(folder))),
      );
    }
    const [below, record] = PLACES[kind];
    const found: Found[] = [];
    for (const experiment of experiments) {
      const parent = join(experiment, below);
      const here = (disk.folders(parent) ?? []).filter((name) => wanted.has(name)).map((name) => join(parent, name));
      if (here.length === 0) continue;
      const read = [...this.#itemsIn(kind, experiment)].filter(({ id }) => wanted.has(id));
      found.push(
        ...withUnread(
          read,
          kind,
          here.filter((folder) => existsSync(join(folder, record))),
        ),
      );
    }
    return found;
  }

  async notDue(experiment: string, age: Age): Promise<{ young: number; undated: number }> {
    let [young, undated] = [0, 0];
    for (const { deleted, deletedAt } of this.#items('run', [experiment])) {
      if (!deleted) continue;
      if (deletedAt === null) undated += age.undated ? 0 : 1;
      else if (deletedAt > age.before) young += 1;
    }
    return { young, undated };
  }

  async countUndated(scope: Scope): Promise<number> {
    let count = 0;
    for (const { deleted, deletedAt } of this.#inScope('run', scope)) if (deleted && deletedAt === null) count += 1;
    return count;
  }

  async dependants(): Promise<readonly Dependant[]> {
    const inTrash = new Map<string, InTrash>();
    const living: LivingModel[] = [];
    for (const stored of this.#experiments(null)) {
      const experiment = stored.experiment.experiment_id;
      const trashed = isTrashed(stored.folder);
      for (const { info } of runsIn(disk, stored.folder, this.#report)) {
        if (trashed || info.lifecycle_stage === 'deleted') inTrash.set(info.run_id, { kind: 'run', experiment });
      }
      for (const { info, stage } of modelsIn(disk, stored.folder, this.#report)) {
        if (trashed || stage === 'deleted') inTrash.set(info.model_id, { kind: 'model', experiment });
        const { model_id: id, name, source_run_id: run } = info;
        if (stage !== 'deleted' && run !== undefined) living.push({ id, name, run, experiment, trashed });
      }
    }
    return dependantsIn(this.#root, inTrash, living, this.#report);
  }

  async namedByVersions(ids: ReadonlySet<string>): Promise<ReadonlyMap<string, string>> {
    return namedByVersionsIn(this.#root, ids, this.#report);
  }

  /** Of what cannot be read nobody knows what it is. */
  async hindrances(experiment: string): Promise<readonly string[]> {
    const folder = this.#folders([experiment]).deleted[0];
    const inside =
      folder === undefined ? [] : [...this.damaged.values()].filter(({ fault }) => fault.path.startsWith(`${folder}/`));
    return inside.map(({ message }) => message);
  }

  async *living(age: Age): AsyncGenerator<string> {
    for (const kind of ['run', 'model'] as const) {
      for (const item of this.#items(kind, null)) {
        if (item.location !== null && !(item.deleted && isDue(item, age))) yield item.location.replaceAll(item.id, '*');
      }
    }
  }

  // ---------------------------------------------------------------- removing

  async count(kind: Kind, items: readonly Item[]): Promise<RowCounts> {
    return sum(items.map(({ place }) => (place === undefined ? {} : rowsIn(kind, place))));
  }

  async remove(kind: Kind, items: readonly Item[]): Promise<Removed> {
    const limit = pLimit(AT_ONCE);
    const removed = await Promise.all(items.map((item) => limit(() => this.#remove(kind, item))));
    forgetAway(this.#root);
    const of = (gone: boolean) => items.filter((_, i) => (removed[i] !== null) === gone).map(({ id }) => id);
    return { rows: sum(removed.filter((rows) => rows !== null)), ids: of(true), restored: of(false) };
  }

  // What is removed is room already.
  async giveBack(): Promise<void> {}

  /** The artifacts of a store that this one was copied from are not its own. */
  refusal({ id, location, place }: Item): string | null {
    const path = location === null || place === undefined ? null : localPath(location);
    const record = path === null ? null : folderNamed(id, path);
    if (record === null || place === undefined) return null;
    const [theirs, ours] = [orNull(record), orNull(place)];
    if (theirs === null || theirs === ours || !existsSync(join(theirs, META))) return null;
    return `its artifacts are at ${location}, in another file store, which this one is a copy of`;
  }

  /** @returns null for what is not deleted any more */
  async #remove(kind: Kind, { place, deleted }: Item): Promise<RowCounts | null> {
    if (place === undefined) return null;
    const now = this.#isDeleted(kind, place);
    if (deleted && now === false) return null;
    const rows = now === null ? {} : rowsIn(kind, place);
    const away = takeAway(this.#root, place);
    if (away !== null) await removeFolder(away);
    return rows;
  }

  // ---------------------------------------------------------------- reading

  readonly #report = (damage: Damage): void => {
    this.damaged.set(damage.fault.path, damage);
  };

  #folders(ids: readonly string[] | null): { active: string[]; deleted: string[] } {
    const { active, deleted } = experimentFolders(disk, this.#root);
    const wanted = (folder: string) => ids === null || ids.includes(basename(folder));
    return { active: active.filter(wanted), deleted: deleted.filter(wanted) };
  }

  *#experiments(ids: readonly string[] | null): Generator<StoredExperiment> {
    for (const stored of experimentsIn(disk, this.#root, this.#report)) {
      if (ids === null || ids.includes(stored.experiment.experiment_id)) yield stored;
    }
  }

  *#inScope(kind: 'run' | 'model', { ids, experiments }: Scope): Generator<Found> {
    const wanted = ids === null ? null : new Set(ids);
    for (const item of this.#items(kind, experiments)) if (wanted === null || wanted.has(item.id)) yield item;
  }

  *#items(kind: 'run' | 'model' | 'trace', experiments: readonly string[] | null): Generator<Found> {
    const { active, deleted } = this.#folders(experiments);
    for (const experiment of [...active, ...deleted]) yield* this.#itemsIn(kind, experiment);
  }

  *#itemsIn(kind: 'run' | 'model' | 'trace', folder: string): Generator<Found> {
    const experiment = basename(folder);
    if (kind === 'run') {
      for (const run of runsIn(disk, folder, this.#report)) {
        const deleted = run.info.lifecycle_stage === 'deleted';
        const deletedAt = deleted ? (run.deletedTime ?? null) : null;
        const location = run.info.artifact_uri ?? null;
        yield {
          kind,
          id: run.info.run_id,
          name: run.info.run_name ?? null,
          experiment,
          location,
          deleted,
          deletedAt,
          place: run.folder,
        };
      }
    } else if (kind === 'model') {
      for (const model of modelsIn(disk, folder, this.#report)) {
        const { model_id: id, name, artifact_uri, last_updated_timestamp_ms } = model.info;
        const deleted = model.stage === 'deleted';
        const deletedAt = deleted ? last_updated_timestamp_ms : null;
        yield { kind, id, name, experiment, location: artifact_uri || null, deleted, deletedAt, place: model.folder };
      }
    } else {
      for (const trace of tracesIn(disk, folder, this.#report)) {
        const { trace_id: id, tags } = traceInfo(disk, trace, this.#report);
        const location = tags[TRACE_LOCATION_TAG] ?? null;
        yield { kind, id, name: null, experiment, location, deleted: false, deletedAt: null, place: trace.folder };
      }
    }
  }

  /** Whether the record at a place is still a deleted one; null where it is gone. */
  #isDeleted(kind: Kind, place: string): boolean | null {
    if (kind === 'experiment') return existsSync(place) ? isTrashed(place) : null;
    if (kind === 'run') return stageOf(() => readRun(disk, place)?.info.lifecycle_stage);
    return kind === 'model' ? stageOf(() => readModel(disk, place)?.stage) : existsSync(place);
  }
}

/** The part of a path that ends in this name. */
function folderNamed(name: string, path: string): string | null {
  const names = path.split(sep);
  const at = names.lastIndexOf(name);
  return at < 0 ? null : names.slice(0, at + 1).join(sep);
}

function orNull(path: string): string | null {
  try {
    return realpathSync(path);
  } catch {
    return null;
  }
}

function stageOf(read: () => string | undefined): boolean | null {
  try {
    const stage = read();
    return stage === undefined ? null : stage === 'deleted';
  } catch (error) {
    if (error instanceof Damage) return false;
    throw error;
  }
}

function experimentItem({ folder, experiment }: StoredExperiment): Found {
  const { experiment_id: id, name, last_update_time, artifact_location, lifecycle_stage } = experiment;
  const deleted = isTrashed(folder);
  // Releases before 2.0 moved the folder, and wrote nothing into it.
  const deletedAt = deleted && lifecycle_stage === 'deleted' ? (last_update_time ?? null) : null;
  return {
    kind: 'experiment',
    id,
    name,
    experiment: id,
    location: artifact_location || null,
    deleted,
    deletedAt,
    place: folder,
  };
}

/** @param folders of records that are there; those that were not read are of something that is not in the trash */
function withUnread(read: readonly Found[], kind: Kind, folders: readonly string[]): readonly Found[] {
  const known = new Set(read.map(({ place }) => place));
  const unread = folders
    .filter((folder) => !known.has(folder))
    .map((place): Found => {
      const id = basename(place);
      return { kind, id, name: null, experiment: null, location: null, deleted: false, deletedAt: null, place };
    });
  return [...read, ...unread];
}

const isDue = ({ deletedAt }: Item, { before, undated }: Age): boolean =>
  deletedAt === null ? undated : deletedAt <= before;

function* inPages(items: Iterable<Found>, wanted: (item: Found) => boolean): Generator<readonly Found[]> {
  let page: Found[] = [];
  for (const item of items) {
    if (!wanted(item)) continue;
    page.push(item);
    if (page.length === PAGE) {
      yield page;
      page = [];
    }
  }
  if (page.length > 0) yield page;
}

/** One for the record itself, and one for each file in its folders. */
function rowsIn(kind: Kind, folder: string): RowCounts {
  const { own, below } = TABLES[kind];
  const counts = Object.entries(below).map(([name, table]) => ({ [table]: filesBelow(join(folder, name)).length }));
  return sum([{ [own]: 1 }, ...counts]);
}

function sum(all: readonly RowCounts[]): RowCounts {
  const total: Record<string, number> = {};
  for (const [table, n] of all.flatMap((counts) => Object.entries(counts))) {
    if (n > 0) total[table] = (total[table] ?? 0) + n;
  }
  return total;
}
