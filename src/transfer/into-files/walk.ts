/** The rows of a database, record by record, into the folders of a file store. */
import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { sql } from 'kysely';
import type { Dialect } from '../../dialect/dialect.js';
import type { Session } from '../../dialect/session.js';
import { canonicalWriter } from '../../rows/json.js';
import { rowsByKey } from '../../rows/lookup.js';
import { readRows, weightOf } from '../../rows/read.js';
import { bound, columnsOf, type Row } from '../../rows/values.js';
import type { Schema, Table } from '../../schema/model.js';
import { ARTIFACTS, META, METRICS, MODELS, PARAMS, TAGS, TRACE_INFO, TRACES, TRASH } from '../../store/file/reader.js';
import { TRACE_METADATA } from '../../store/file/writer.js';
import { type Named, namer } from '../named.js';
import type { Meter } from '../progress.js';
import type { RecordKind } from './on-disk.js';
import type { Placer } from './place.js';
import {
  type Entry,
  experimentEntries,
  modelEntries,
  modelPointEntries,
  pointEntries,
  RecordRows,
  registeredEntries,
  runEntries,
  traceEntries,
} from './records.js';

export interface Walk {
  readonly root: string;
  readonly session: Session;
  readonly dialect: Dialect;
  readonly schema: Schema;
  readonly placer: Placer;
  readonly meter: Meter;
  readonly signal: AbortSignal;
  /** Whether records of other experiments may have to be moved: rows of the target took the source's values. */
  readonly moves: boolean;
}

/** Rows of a table that belong to a record: those whose columns hold its key, beside words that are always the same. */
interface Part {
  readonly table: string;
  readonly owner: string;
  readonly beside?: Named;
}

interface Kind {
  readonly kind: RecordKind;
  readonly table: string;
  readonly key: string;
  readonly parts: readonly Part[];
  /** Of which there can be any number. */
  readonly points?: Part & {
    readonly entries: (table: Table, rows: readonly Row[]) => Entry[];
    /** Columns by which they are sorted. */
    readonly order: readonly string[];
  };
  readonly meta: string;
  readonly folders: readonly string[];
  readonly entries: (rows: RecordRows) => Entry[];
  /** The folder within that of the experiment; null for what is in none. */
  readonly within: string | null;
}

const EXPERIMENT: Kind = {
  kind: 'experiment',
  table: 'experiments',
  key: 'experiment_id',
  parts: [
    { table: 'experiment_tags', owner: 'experiment_id' },
    { table: 'datasets', owner: 'experiment_id' },
  ],
  ...{ meta: META, folders: [], entries: experimentEntries, within: null },
};

const KINDS: readonly Kind[] = [
  {
    kind: 'run',
    table: 'runs',
    key: 'run_uuid',
    parts: [
      { table: 'params', owner: 'run_uuid' },
      { table: 'tags', owner: 'run_uuid' },
      { table: 'latest_metrics', owner: 'run_uuid' },
      { table: 'metrics', owner: 'run_uuid', beside: { is_nan: true } },
      { table: 'inputs', owner: 'destination_id', beside: { destination_type: 'RUN' } },
      { table: 'inputs', owner: 'source_id', beside: { source_type: 'RUN_INPUT' } },
      { table: 'inputs', owner: 'source_id', beside: { source_type: 'RUN_OUTPUT' } },
    ],
    points: {
      table: 'metrics',
      owner: 'run_uuid',
      entries: pointEntries,
      order: ['timestamp', 'step', 'value', 'is_nan'],
    },
    meta: META,
    folders: [METRICS, PARAMS, TAGS, ARTIFACTS],
    entries: runEntries,
    within: '',
  },
  {
    kind: 'logged model',
    table: 'logged_models',
    key: 'model_id',
    parts: [
      { table: 'logged_model_params', owner: 'model_id' },
      { table: 'logged_model_tags', owner: 'model_id' },
    ],
    points: {
      table: 'logged_model_metrics',
      owner: 'model_id',
      entries: modelPointEntries,
      order: ['metric_timestamp_ms', 'metric_step', 'run_id'],
    },
    ...{ meta: META, folders: [METRICS, PARAMS], entries: modelEntries, within: MODELS },
  },
  {
    kind: 'trace',
    table: 'trace_info',
    key: 'request_id',
    parts: [
      { table: 'trace_tags', owner: 'request_id' },
      { table: 'trace_request_metadata', owner: 'request_id' },
      { table: 'assessments', owner: 'trace_id' },
      { table: 'spans', owner: 'trace_id' },
    ],
    ...{ meta: TRACE_INFO, folders: [TAGS, TRACE_METADATA], entries: traceEntries, within: TRACES },
  },
  {
    kind: 'registered model',
    table: 'registered_models',
    key: 'name',
    parts: [
      { table: 'registered_model_tags', owner: 'name' },
      { table: 'registered_model_aliases', owner: 'name' },
      { table: 'model_versions', owner: 'name' },
      { table: 'model_version_tags', owner: 'name' },
    ],
    ...{ meta: META, folders: [], entries: registeredEntries, within: null },
  },
];

/** Records whose rows are asked for at once. */
const TOGETHER = 100;

/** @throws an error of the file system */
export async function writeRecords(walk: Walk): Promise<void> {
  const { root, placer } = walk;
  mkdirSync(join(root, TRASH), { recursive: true });
  const experiments = new Map<string, string>();
  for await (const { rows, named, record } of recordsOf(EXPERIMENT, walk)) {
    const id = String(named.experiment_id);
    const folder = experimentFolder(root, id, named);
    experiments.set(id, folder);
    await placer.put({ ...record, folder });
    told(walk, rows);
  }
  for (const kind of KINDS) {
    for await (const { rows, named, record } of recordsOf(kind, walk)) {
      const name = String(named[kind.key]);
      const parent =
        kind.within === null
          ? join(root, MODELS)
          : join(experiments.get(String(named.experiment_id)) ?? '', kind.within);
      const folder = join(parent, name);
      if (walk.moves && kind.within !== null && !existsSync(folder)) moveHere(folder, name, kind, experiments);
      await placer.put({ ...record, folder });
      told(walk, rows, kind.kind === 'run' ? BESIDE : []);
    }
  }
}

/** Where an experiment is to be, moved there if it was among the living, or the deleted. */
function experimentFolder(root: string, id: string, { lifecycle_stage }: Named): string {
  const [active, deleted] = [join(root, id), join(root, TRASH, id)];
  const [folder, other] = lifecycle_stage === 'deleted' ? [deleted, active] : [active, deleted];
  if (!existsSync(join(folder, META)) && existsSync(join(other, META))) renameSync(other, folder);
  return folder;
}

function moveHere(
  folder: string,
  name: string,
  { within, meta }: Kind,
  experiments: ReadonlyMap<string, string>,
): void {
  for (const experiment of experiments.values()) {
    const other = join(experiment, within ?? '', name);
    if (other === folder || !existsSync(join(other, meta))) continue;
    mkdirSync(join(folder, '..'), { recursive: true });
    renameSync(other, folder);
    return;
  }
}

const weightOfAll = (rows: readonly Row[]) => rows.reduce((sum, row) => sum + weightOf(row), 0);

/** Tables of which a run's rows are told elsewhere, or are but looked at. */
const BESIDE: readonly string[] = ['datasets', 'metrics'];

function told({ meter }: Walk, rows: RecordRows, beside: readonly string[] = []): void {
  for (const [table, held] of rows.byTable) {
    if (!beside.includes(table)) meter.add(table, held.length, weightOfAll(held.map(({ row }) => row)));
  }
}

interface Found {
  readonly rows: RecordRows;
  readonly named: Named;
  readonly record: Omit<Parameters<Placer['put']>[0], 'folder'>;
}

async function* recordsOf(kind: Kind, walk: Walk): AsyncGenerator<Found> {
  const { session, dialect, schema, signal } = walk;
  const table = schema.tables.get(kind.table);
  if (!table) return;
  const name = namer(table);
  for await (const page of readRows(session, dialect, table, { signal })) {
    for (let at = 0; at < page.length; at += TOGETHER) {
      const together = page.slice(at, at + TOGETHER);
      const parts = await partsOf(kind, together.map(name), walk);
      for (const row of together) {
        signal.throwIfAborted();
        const named = name(row);
        const rows = parts.get(String(named[kind.key])) ?? new RecordRows();
        rows.add(table, [row]);
        yield {
          rows,
          named,
          record: {
            ...{ kind: kind.kind, meta: kind.meta, folders: kind.folders },
            entries: () => entriesOf(kind, rows, named, walk),
          },
        };
      }
    }
  }
}

/** meta.yaml and its like first. */
async function* entriesOf(kind: Kind, rows: RecordRows, named: Named, walk: Walk): AsyncGenerator<readonly Entry[]> {
  yield kind.entries(rows);
  const { points } = kind;
  const table = points && walk.schema.tables.get(points.table);
  if (!table) return;
  const { session, dialect, signal } = walk;
  const first = kind.kind === 'run' ? pointsFirst(rows, table) : [];
  if (first.length > 0) yield points.entries(table, first);
  const line = canonicalWriter(columnsOf(table));
  const written = new Set(first.map(line));
  const where = sql`${sql.raw(dialect.words.id(points.owner))} = ${bound(named[kind.key] ?? null, dialect)}`;
  let waiting: Row[] = [];
  for await (const page of readRows(session, dialect, table, { where, signal })) {
    walk.meter.add(table.name, page.length, weightOfAll(page));
    for (const row of page) if (written.size === 0 || !written.has(line(row))) waiting.push(row);
    if (waiting.length < MOST_POINTS) continue;
    yield points.entries(table, inOrder(table, waiting, points.order));
    waiting = [];
  }
  if (waiting.length > 0) yield points.entries(table, inOrder(table, waiting, points.order));
}

/** Of a record so many points are put in order, which databases do not keep. */
const MOST_POINTS = 50_000;

function inOrder(table: Table, rows: Row[], columns: readonly string[]): Row[] {
  const names = columnsOf(table).map(({ name }) => name);
  const places = columns.map((name) => names.indexOf(name));
  return rows.sort((one, other) => {
    for (const at of places) {
      const [a, b] = [one[at] ?? null, other[at] ?? null];
      if (a !== b && a !== null && b !== null) return a < b ? -1 : 1;
    }
    return 0;
  });
}

/**
 * The latest points of metrics that have a NaN: of points at one step and time files take the first one that none is greater
 * than, and NaN is greater and less than nothing.
 */
function pointsFirst(rows: RecordRows, table: Table): Row[] {
  const keys = new Set(rows.of('metrics').map(({ named }) => named.key));
  const latest = rows.of('latest_metrics').filter(({ named }) => keys.has(named.key ?? null));
  return latest.map(({ named }) => columnsOf(table).map(({ name }) => named[name] ?? null));
}

/** What belongs to some records, by their keys. */
async function partsOf(kind: Kind, owners: readonly Named[], walk: Walk): Promise<ReadonlyMap<string, RecordRows>> {
  const { session, dialect, schema } = walk;
  const found = new Map<string, RecordRows>();
  const ofOwner = (key: string) => {
    const rows = found.get(key) ?? new RecordRows();
    found.set(key, rows);
    return rows;
  };
  const keys = owners.map((named) => named[kind.key] ?? null);
  for (const { table: name, owner, beside = {} } of kind.parts) {
    const table = schema.tables.get(name);
    if (!table) continue;
    const columns = [...Object.keys(beside), owner];
    const wanted = keys.map((key) => [...Object.values(beside), key]);
    const rows = await rowsByKey(session, dialect, table, columns, wanted);
    const named = namer(table);
    for (const [key, own] of Map.groupBy(rows, (row) => String(named(row)[owner]))) ofOwner(key).add(table, own);
  }
  if (kind.kind === 'run') for (const rows of found.values()) await addInputs(rows, walk);
  return found;
}

/** The datasets that inputs of a run name, and the inputs' tags. */
async function addInputs(rows: RecordRows, { session, dialect, schema }: Walk): Promise<void> {
  const inputs = rows.of('inputs').filter(({ named }) => named.source_type === 'DATASET');
  if (inputs.length === 0) return;
  const add = async (name: string, column: string, of: string) => {
    const table = schema.tables.get(name);
    const keys = inputs.map(({ named }) => [named[of] ?? null]);
    if (table) rows.add(table, await rowsByKey(session, dialect, table, [column], keys));
  };
  await add('datasets', 'dataset_uuid', 'source_id');
  await add('input_tags', 'input_uuid', 'input_uuid');
}
