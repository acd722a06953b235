/** What needs runs and logged models that are deleted: versions in the model registry, and logged models that are not. */
import { sql } from 'kysely';
import type { Dependant } from '../source.js';
import { chunks, type Live, oneOf } from './live.js';

/** What MLflow calls the stage of a version that was deleted. */
const DELETED_VERSION = 'Deleted_Internal';
const DELETED = 'deleted';

interface Version {
  readonly name: string;
  readonly version: number | string;
  readonly run_id: string | null;
  readonly source: string | null;
  readonly storage_location: string | null;
}

export async function dependants(live: Live): Promise<readonly Dependant[]> {
  return [...(await neededByVersions(live)), ...(await neededByModels(live))];
}

/** Which of these ids versions name, with the words for one of them. */
export async function namedByVersions(live: Live, ids: ReadonlySet<string>): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  if (ids.size === 0) return found;
  for await (const page of versions(live)) {
    for (const { by, names } of page) for (const id of names) if (ids.has(id)) found.set(id, by);
  }
  return found;
}

async function neededByVersions(live: Live): Promise<Dependant[]> {
  const found: Dependant[] = [];
  for await (const page of versions(live)) {
    const named = new Map<string, string[]>();
    for (const { by, names } of page) for (const id of names) named.set(id, [...(named.get(id) ?? []), by]);
    for (const needed of await inTrash(live, [...named.keys()])) {
      for (const by of named.get(needed.id) ?? []) found.push({ ...needed, by, within: null });
    }
  }
  return found;
}

/**
 * Versions in pages, with the ids that they name: whose artifacts, or whose run it is, by `run_id`, or in the path of
 * `source` or `storage_location` (`…/<run>/artifacts/model`, `runs:/<run>/model`, `models:/<logged model>`).
 */
async function* versions(live: Live): AsyncGenerator<{ by: string; names: ReadonlySet<string> }[]> {
  if (!live.has('model_versions', 'name', 'version', 'run_id')) return;
  const aliases = await aliasesByVersion(live);
  const columns = ['name', 'version', 'run_id', 'source', 'storage_location', 'workspace'].filter((column) =>
    live.has('model_versions', column),
  );
  const pages = live.pages<Version>({
    columns: columns.map((column) => sql.ref(column)),
    from: sql.table('model_versions'),
    where: [sql`(${sql.ref('current_stage')} IS NULL OR ${sql.ref('current_stage')} <> ${DELETED_VERSION})`],
    key: ['name', 'version', ...(columns.includes('workspace') ? ['workspace'] : [])],
  });
  for await (const page of pages) {
    yield page.map((version) => {
      const also = aliases.get(JSON.stringify([version.name, Number(version.version)])) ?? [];
      const alias = also.length === 0 ? '' : ` (alias ${also.join(', ')})`;
      const by = `version ${version.version} of the registered model "${version.name}"${alias}`;
      return { by, names: idsIn(version) };
    });
  }
}

function idsIn({ run_id, source, storage_location }: Version): ReadonlySet<string> {
  const segments = [source, storage_location].flatMap((uri) => uri?.split(/[/:]+/) ?? []);
  return new Set([run_id ?? '', ...segments].filter((text) => /^[\w-]{1,255}$/.test(text)));
}

async function aliasesByVersion(live: Live): Promise<ReadonlyMap<string, string[]>> {
  const aliases = new Map<string, string[]>();
  if (!live.has('registered_model_aliases')) return aliases;
  const rows = await live.connection.rows<{ name: string; version: number | string; alias: string }>(
    sql`SELECT ${sql.ref('name')}, ${sql.ref('version')}, ${sql.ref('alias')} FROM ${sql.table('registered_model_aliases')}`,
  );
  for (const { name, version, alias } of rows) {
    const key = JSON.stringify([name, Number(version)]);
    aliases.set(key, [...(aliases.get(key) ?? []), alias]);
  }
  return aliases;
}

type Needed = Pick<Dependant, 'id' | 'kind' | 'experiment'>;

/** Of these ids, those of runs and models that are deleted, or are in a deleted experiment. */
async function inTrash(live: Live, ids: readonly string[]): Promise<Needed[]> {
  const found: Needed[] = [];
  for (const part of chunks(ids, 1000)) {
    for (const [kind, table, key] of [
      ['run', 'runs', 'run_uuid'],
      ['model', 'logged_models', 'model_id'],
    ] as const) {
      if (!live.has(table)) continue;
      const rows = await live.connection.rows<{ id: string; experiment: number | string }>(sql`
        SELECT ${sql.ref(`t.${key}`)} AS id, ${sql.ref('t.experiment_id')} AS experiment FROM ${sql.table(table)} t JOIN ${sql.table('experiments')} e ON ${sql.ref('e.experiment_id')} = ${sql.ref('t.experiment_id')}
        WHERE ${oneOf(`t.${key}`, part)} AND (${sql.ref('t.lifecycle_stage')} = ${DELETED} OR ${sql.ref('e.lifecycle_stage')} = ${DELETED})`);
      found.push(...rows.map(({ id, experiment }) => ({ id, kind, experiment: String(experiment) })));
    }
  }
  return found;
}

async function neededByModels(live: Live): Promise<Dependant[]> {
  if (!live.has('logged_models', 'source_run_id')) return [];
  const found: Dependant[] = [];
  const experiment = (alias: string, of: string) =>
    sql`JOIN ${sql.table('experiments')} ${sql.raw(alias)} ON ${sql.ref(`${alias}.experiment_id`)} = ${sql.ref(`${of}.experiment_id`)}`;
  const pages = live.pages<{
    model: string;
    name: string;
    run: string;
    experiment: number | string;
    of: number | string;
    stage: string;
  }>({
    columns: [
      sql`${sql.ref('m.model_id')} AS model`,
      sql`${sql.ref('m.name')} AS name`,
      sql`${sql.ref('m.source_run_id')} AS run`,
      sql`${sql.ref('m.experiment_id')} AS experiment`,
      sql`${sql.ref('r.experiment_id')} AS ${sql.ref('of')}`,
      sql`${sql.ref('em.lifecycle_stage')} AS stage`,
    ],
    from: sql`${sql.table('logged_models')} m JOIN ${sql.table('runs')} r ON ${sql.ref('r.run_uuid')} = ${sql.ref('m.source_run_id')} ${experiment('er', 'r')} ${experiment('em', 'm')}`,
    where: [
      sql`${sql.ref('m.lifecycle_stage')} <> ${DELETED}`,
      sql`(${sql.ref('r.lifecycle_stage')} = ${DELETED} OR ${sql.ref('er.lifecycle_stage')} = ${DELETED})`,
    ],
    key: ['m.model_id'],
  });
  for await (const page of pages) {
    for (const { model, name, run, experiment, of, stage } of page) {
      const within = stage === DELETED ? String(experiment) : null;
      found.push({ id: run, kind: 'run', by: `the logged model "${name}" (${model})`, experiment: String(of), within });
    }
  }
  return found;
}
