/** The trash of a database, at whatever revision it is. */
import { type RawBuilder, sql } from 'kysely';
import type { Dialect } from '../../dialect/dialect.js';
import type { Session } from '../../dialect/session.js';
import { MtrackError } from '../../errors.js';
import type { Schema } from '../../schema/model.js';
import type { Age, Dependant, Item, Kind, Removed, Restorer, RowCounts, Scope, TrashSource } from '../source.js';
import type { Connection } from './connection.js';
import { dependants, namedByVersions } from './dependants.js';
import { KINDS } from './kinds.js';
import { all, chunks, Live, oneOf, PAGE } from './live.js';
import { restorerOf } from './restore.js';
import { bound, RowsOfThings } from './rows.js';

const DELETED = 'deleted';
/** SUCCEEDED, FAILED, TIMEOUT, CANCELED: of MLflow's JobStatus those that are the end of a job. */
const FINISHED = [2, 3, 4, 5];
const PARENT_TAG = 'mlflow.parentRunId';
const TRACE_LOCATION_TAG = 'mlflow.artifactLocation';

/** A thing as its table has it. */
interface Row {
  readonly id: string;
  readonly name?: string | null;
  readonly experiment?: number | string;
  readonly location?: string | null;
  readonly stage?: string | null;
  readonly at?: number | string | null;
}

type Condition = RawBuilder<unknown>;

export class DatabaseTrash implements TrashSource {
  readonly batch: TrashSource['batch'];
  readonly #live: Live;
  readonly #rows: RowsOfThings;
  /** What alembic_version said when the schema was read. */
  readonly #version: string | null;

  constructor(connection: Connection, dialect: Dialect, schema: Schema, version: string | null) {
    this.#live = new Live(connection, dialect, schema);
    this.#rows = new RowsOfThings(this.#live);
    this.#version = version;
    this.batch = batchOf(schema);
  }

  async now(): Promise<number> {
    const [row] = await this.#connection.rows<{ now: number | string }>(
      sql`SELECT ${sql.raw(this.#live.dialect.words.now())} AS ${sql.ref('now')}`,
    );
    return Number(row?.now);
  }

  get #connection(): Connection {
    return this.#live.connection;
  }

  // ---------------------------------------------------------------- what is there

  async experiments({ experiments }: Pick<Scope, 'experiments'>): Promise<readonly Item[]> {
    const found: Item[] = [];
    for await (const page of this.#pages('experiment', [isDeleted(), ...inExperiments(experiments)]))
      found.push(...page);
    return found;
  }

  async places(): Promise<readonly { experiment: string; location: string }[]> {
    const rows = await this.#connection.rows<{ id: number | string; location: string }>(sql`
      SELECT ${sql.ref('experiment_id')} AS id, ${sql.ref('artifact_location')} AS location
      FROM ${sql.table('experiments')} WHERE ${sql.ref('artifact_location')} IS NOT NULL ORDER BY ${sql.ref('experiment_id')}`);
    return rows.map(({ id, location }) => ({ experiment: String(id), location }));
  }

  async idsOf(names: readonly string[]): Promise<readonly { id: string; name: string }[]> {
    const rows = await this.#connection.rows<{ id: number | string; name: string }>(
      sql`SELECT ${sql.ref('experiment_id')} AS id, ${sql.ref('name')} FROM ${sql.table('experiments')} WHERE ${oneOf('name', names)}`,
    );
    return rows.map(({ id, name }) => ({ id: String(id), name }));
  }

  async countDeleted(kind: 'run' | 'model', scope: Scope, age: Age): Promise<number> {
    if (!this.#live.has(KINDS[kind].table)) return 0;
    return this.#countOf(kind, [isDeleted(), ...this.#inScope(kind, scope), this.#isDue(kind, age)]);
  }

  async *deleted(kind: 'run' | 'model', scope: Scope, age: Age): AsyncGenerator<readonly Item[]> {
    yield* this.#pages(kind, [isDeleted(), ...this.#inScope(kind, scope), this.#isDue(kind, age)]);
  }

  async *within(experiment: string, kind: 'run' | 'model' | 'trace'): AsyncGenerator<readonly Item[]> {
    const table = kind === 'trace' ? 't' : KINDS[kind].table;
    yield* this.#pages(kind, [oneOf(`${table}.experiment_id`, [Number(experiment)])]);
  }

  async *nested(parents: readonly string[]): AsyncGenerator<readonly Item[]> {
    const seen = new Set(parents);
    let level: readonly string[] = parents;
    while (level.length > 0) {
      const next: string[] = [];
      for (const part of chunks(level, 1000)) {
        const rows = await this.#connection.rows<{ id: string }>(
          sql`SELECT ${sql.ref('run_uuid')} AS id FROM ${sql.table('tags')} WHERE ${sql.ref('key')} = ${PARENT_TAG} AND ${oneOf('value', part)}`,
        );
        next.push(...rows.map(({ id }) => id).filter((id) => !seen.has(id)));
      }
      for (const id of next) seen.add(id);
      if (next.length > 0) yield await this.find('run', next);
      level = next;
    }
  }

  async *jobs(ids: readonly string[] | null, before: number): AsyncGenerator<readonly Item[]> {
    if (!this.#live.has('jobs', 'status', 'creation_time')) return;
    yield* this.#pages('job', [
      oneOf('status', FINISHED),
      sql`${sql.ref('creation_time')} <= ${before}`,
      ...(ids === null ? [] : [oneOf('id', ids)]),
    ]);
  }

  async find(kind: Kind, ids: readonly string[]): Promise<readonly Item[]> {
    const { table, key } = KINDS[kind];
    if (!this.#live.has(table)) return [];
    const found: Item[] = [];
    for (const part of chunks(ids, 1000)) {
      const values = part.map((id) => bound(kind, key, id)).filter((value) => !Number.isNaN(value));
      for await (const page of this.#pages(kind, [oneOf(kind === 'trace' ? `t.${key}` : key, values)]))
        found.push(...page);
    }
    return found;
  }

  async notDue(experiment: string, age: Age): Promise<{ young: number; undated: number }> {
    const here = [isDeleted(), oneOf('experiment_id', [Number(experiment)])];
    const undated = age.undated ? 0 : await this.#countOf('run', [...here, this.#isUndated('run')]);
    const dated = this.#live.has('runs', 'deleted_time');
    const young = dated ? await this.#countOf('run', [...here, sql`${sql.ref('deleted_time')} > ${age.before}`]) : 0;
    return { young, undated };
  }

  async countUndated(scope: Scope): Promise<number> {
    return this.#countOf('run', [isDeleted(), ...this.#inScope('run', scope), this.#isUndated('run')]);
  }

  dependants(): Promise<readonly Dependant[]> {
    return dependants(this.#live);
  }

  namedByVersions(ids: ReadonlySet<string>): Promise<ReadonlyMap<string, string>> {
    return namedByVersions(this.#live, ids);
  }

  async hindrances(experiment: string): Promise<readonly string[]> {
    if (!this.#live.has('guardrails', 'scorer_id', 'name')) return [];
    const rows = await this.#connection.rows<{ name: string; scorer: string }>(sql`
      SELECT ${sql.ref('g.name')} AS name, ${sql.ref('s.scorer_name')} AS scorer
      FROM ${sql.table('guardrails')} g JOIN ${sql.table('scorers')} s ON ${sql.ref('s.scorer_id')} = ${sql.ref('g.scorer_id')}
      WHERE ${oneOf('s.experiment_id', [Number(experiment)])} ORDER BY ${sql.ref('g.name')}`);
    return rows.map(({ name, scorer }) => `the guardrail "${name}" uses its scorer "${scorer}"`);
  }

  async *living(age: Age): AsyncGenerator<string> {
    const places = [
      ['run', 'runs', 'artifact_uri', 'run_uuid'],
      ['model', 'logged_models', 'artifact_location', 'model_id'],
    ] as const;
    for (const [kind, table, location, id] of places) {
      if (!this.#live.has(table, location)) continue;
      const rows = await this.#connection.rows<{ place: string }>(sql`
        SELECT DISTINCT REPLACE(${sql.ref(location)}, ${sql.ref(id)}, '*') AS place FROM ${sql.table(table)}
        WHERE ${sql.ref(location)} IS NOT NULL AND NOT (${all([isDeleted(), this.#isDue(kind, age)])})`);
      for (const { place } of rows) yield place;
    }
  }

  // ---------------------------------------------------------------- removing

  count(kind: Kind, items: readonly Item[], isGone: (kind: Kind, id: string) => boolean): Promise<RowCounts> {
    return this.#rows.count(
      kind,
      items.map(({ id }) => id),
      isGone,
    );
  }

  async remove(kind: Kind, items: readonly Item[], within: string | null): Promise<Removed> {
    const asked = items.map(({ id }) => id);
    let done: Removed | null = null;
    return this.#connection.transaction(async (session) => {
      await this.#makeSureOfVersion(session);
      const stages = await this.#stages(kind, asked, session);
      // The connection broke when it committed, and the commit had reached the server.
      if (done !== null && stages.size === 0) return done;
      const open = within === null || (await this.#stages('experiment', [within], session)).get(within) === DELETED;
      const restored = items
        .filter(({ id, deleted }) => !open || (deleted && isLiving(stages.get(id))))
        .map(({ id }) => id);
      const ids = asked.filter((id) => !restored.includes(id));
      done = { rows: await this.#rows.remove(kind, ids, session), ids, restored };
      return done;
    });
  }

  get restorer(): Restorer {
    return restorerOf(this.#live);
  }

  refusal(): null {
    return null;
  }

  async giveBack(tables: readonly string[]): Promise<void> {
    for (const statement of this.#live.dialect.giveBack(tables)) await this.#connection.run(statement);
  }

  /** Another schema has other tables that refer to what goes. @throws {MtrackError} PLAN_CHANGED */
  async #makeSureOfVersion(session: Session): Promise<void> {
    const now = (await this.#live.dialect.readVersions(session))?.[0] ?? null;
    if (now === this.#version) return;
    throw new MtrackError('PLAN_CHANGED', {
      found: `the database was upgraded from ${this.#version ?? 'no version'} to ${now ?? 'no version'} meanwhile`,
      expected: 'one schema from beginning to end',
      fix: ['run `mtrack gc` again: what was removed until now is removed whole'],
    });
  }

  /** Of those that are there, which stay locked to the end of the transaction. */
  async #stages(kind: Kind, ids: readonly string[], session: Session): Promise<ReadonlyMap<string, string | null>> {
    const { table, key } = KINDS[kind];
    const { locking } = this.#live.dialect.queries;
    const stage = this.#live.has(table, 'lifecycle_stage') ? sql.ref('lifecycle_stage') : sql`NULL`;
    const where = oneOf(
      key,
      ids.map((id) => bound(kind, key, id)),
    );
    const rows = await session.rows<{ id: number | string; stage: string | null }>(
      sql`SELECT ${sql.ref(key)} AS id, ${stage} AS stage FROM ${sql.table(table)} ${locking.from} WHERE ${where} ${locking.end}`,
    );
    return new Map(rows.map((row) => [String(row.id), row.stage]));
  }

  // ---------------------------------------------------------------- conditions

  #pages(kind: Kind, where: readonly Condition[]): AsyncGenerator<readonly Item[]> {
    const { table, key } = KINDS[kind];
    return this.#live.has(table) ? this.#itemPages(kind, table, key, where) : nothing();
  }

  async *#itemPages(kind: Kind, table: string, key: string, where: readonly Condition[]): AsyncGenerator<Item[]> {
    const joined = kind === 'trace' && this.#live.has('trace_tags');
    const of = (column: string) => sql.ref(kind === 'trace' ? `t.${column}` : column);
    const columns = [sql`${of(key)} AS id`];
    if (kind !== 'job' && kind !== 'experiment') columns.push(sql`${of('experiment_id')} AS experiment`);
    if (kind === 'run') columns.push(sql`${of('artifact_uri')} AS location`);
    if (kind === 'model' || kind === 'experiment') columns.push(sql`${of('artifact_location')} AS location`);
    if (kind !== 'trace' && kind !== 'job') columns.push(sql`${of('name')} AS name`);
    if (joined) columns.push(sql`${sql.ref('l.value')} AS location`);
    if (kind === 'run' || kind === 'model' || kind === 'experiment') {
      columns.push(sql`${of('lifecycle_stage')} AS stage`, sql`${this.#at(kind)} AS at`);
    }
    const from = joined
      ? sql`${sql.table(table)} t LEFT JOIN ${sql.table('trace_tags')} l ON ${sql.ref('l.request_id')} = ${sql.ref('t.request_id')} AND ${sql.ref('l.key')} = ${TRACE_LOCATION_TAG}`
      : kind === 'trace'
        ? sql`${sql.table(table)} t`
        : sql.table(table);
    const pages = this.#live.pages<Row>({ columns, from, where, key: [kind === 'trace' ? `t.${key}` : key] });
    for await (const rows of pages) {
      yield rows.map(({ id, name = null, experiment, location = null, stage, at }) => ({
        kind,
        id: String(id),
        name,
        experiment: kind === 'experiment' ? String(id) : experiment === undefined ? null : String(experiment),
        location,
        deleted: stage === DELETED,
        deletedAt: stage === DELETED ? time(at) : null,
      }));
    }
  }

  async #countOf(kind: Kind, where: readonly Condition[]): Promise<number> {
    const n = sql.raw(`${this.#live.dialect.words.count()} AS n`);
    const [row] = await this.#connection.rows<{ n: number | string }>(
      sql`SELECT ${n} FROM ${sql.table(KINDS[kind].table)} WHERE ${all(where)}`,
    );
    return Number(row?.n ?? 0);
  }

  #inScope(kind: 'run' | 'model', { ids, experiments }: Scope): Condition[] {
    return [...(ids === null ? [] : [oneOf(KINDS[kind].key, ids)]), ...inExperiments(experiments)];
  }

  /** When it was deleted; NULL where the schema does not say. */
  #at(kind: 'run' | 'model' | 'experiment'): Condition {
    const column = { run: 'deleted_time', model: 'last_updated_timestamp_ms', experiment: 'last_update_time' }[kind];
    return this.#live.has(KINDS[kind].table, column) ? sql.ref(column) : sql`NULL`;
  }

  #isUndated(kind: 'run' | 'model'): Condition {
    return sql`${this.#at(kind)} IS NULL`;
  }

  #isDue(kind: 'run' | 'model', { before, undated }: Age): Condition {
    const at = this.#at(kind);
    const known = this.#live.has(KINDS[kind].table, kind === 'run' ? 'deleted_time' : 'last_updated_timestamp_ms');
    const old = known ? sql`(${at} IS NOT NULL AND ${at} <= ${before})` : sql`1 = 0`;
    return undated ? sql`(${old} OR ${known ? sql`${at} IS NULL` : sql`1 = 1`})` : old;
  }
}

const isLiving = (stage: string | null | undefined): boolean => stage !== undefined && stage !== DELETED;

async function* nothing(): AsyncGenerator<readonly Item[]> {}

const isDeleted = (): Condition => sql`${sql.ref('lifecycle_stage')} = ${DELETED}`;

const inExperiments = (experiments: readonly string[] | null): Condition[] =>
  experiments === null ? [] : [oneOf('experiment_id', experiments.map(Number).filter(Number.isSafeInteger))];

const time = (value: unknown): number | null => (value === null || value === undefined ? null : Number(value));

/** Without an index on the column that refers to runs each statement reads the whole table: then few of them are best. */
function batchOf(schema: Schema): TrashSource['batch'] {
  const isUnindexed = ['metrics', 'latest_metrics', 'params', 'tags'].some((name) => {
    const table = schema.tables.get(name);
    const keys = table
      ? [table.primaryKey?.columns, ...table.indexes.map(({ columns }) => columns.map((c) => c.name))]
      : [];
    return table !== undefined && !keys.some((columns) => columns?.[0] === 'run_uuid');
  });
  return isUnindexed ? { least: PAGE, most: PAGE } : { least: 10, most: PAGE };
}
