/**
 * Keys of one record that cannot both be files: "a/b" is a file in a folder "a", which "a" would be, too. Of two such keys the
 * longer one stays behind, unless the target has it already.
 */
import { type RawBuilder, sql } from 'kysely';
import type { Dialect } from '../../dialect/dialect.js';
import type { Session } from '../../dialect/session.js';
import { keyOf, keyText } from '../../rows/lookup.js';
import { readRows } from '../../rows/read.js';
import { bound, type Row } from '../../rows/values.js';
import type { Schema, Table } from '../../schema/model.js';
import type { Source } from '../source.js';

/** Tables whose keys are paths of files: the key's column, and those that say whose it is. */
const KEYED: Readonly<Record<string, readonly [key: string, ...owner: string[]]>> = {
  experiment_tags: ['key', 'experiment_id'],
  params: ['key', 'run_uuid'],
  tags: ['key', 'run_uuid'],
  latest_metrics: ['key', 'run_uuid'],
  logged_model_params: ['param_key', 'model_id'],
  logged_model_tags: ['tag_key', 'model_id'],
  logged_model_metrics: ['metric_name', 'model_id'],
  trace_tags: ['key', 'request_id'],
  trace_request_metadata: ['key', 'request_id'],
  registered_model_tags: ['key', 'name'],
  registered_model_aliases: ['alias', 'name'],
  model_version_tags: ['key', 'name', 'version'],
};

/** Points of metrics have the keys of the latest ones. */
const LIKE: Readonly<Record<string, string>> = { metrics: 'latest_metrics' };

/** So many values are asked for; of more all rows are read. */
const MOST_VALUES = 500;

export interface Place {
  readonly schema: Schema;
  readonly dialect: Dialect;
  readonly session: Session;
}

export class Clashes {
  /** The keys that others are in the way of, by table, owner and key. */
  readonly #refused = new Map<string, string>();
  readonly #experiment: (id: string) => string;

  /** @param experiment the id that an experiment of the source has in the target */
  private constructor(experiment: (id: string) => string) {
    this.#experiment = experiment;
  }

  static async of(
    source: Source,
    place: Place,
    experiment: (id: string) => string,
    signal: AbortSignal,
  ): Promise<Clashes> {
    const clashes = new Clashes(experiment);
    const known = new Map<string, Set<string>>();
    for await (const { table, rows } of source.only(Object.keys(KEYED), signal)) addKeys(known, table, rows);
    for (const table of tablesOf(place)) {
      for await (const rows of readRows(place.session, place.dialect, table, { signal })) addKeys(known, table, rows);
    }
    for (const [name, keys] of known) {
      const involved = inOneAnothersWay(keys);
      if (involved.size > 0) await clashes.#find(name, involved, source, place, signal);
    }
    return clashes;
  }

  /** Why a row of the source cannot be a file; null where it can. */
  refusal(table: Table, row: Row): string | null {
    if (this.#refused.size === 0) return null;
    const name = LIKE[table.name] ?? table.name;
    const columns = KEYED[name];
    const other =
      columns && this.#refused.get(`${name} ${this.#ownerOf(table, columns)(row)} ${keyIn(table, columns)(row)}`);
    return other === undefined ? null : `its file cannot be beside that of the key ${JSON.stringify(other)}`;
  }

  /** @param involved keys of which some are in the way of others, where one record has both */
  async #find(name: string, involved: ReadonlySet<string>, source: Source, place: Place, signal: AbortSignal) {
    const columns = KEYED[name];
    if (!columns) return;
    /** Whether a key is the target's, by owner and key. */
    const owners = new Map<string, Map<string, boolean>>();
    const add = (owner: string, key: string, isThere: boolean) => {
      if (involved.has(key)) owners.set(owner, (owners.get(owner) ?? new Map()).set(key, isThere));
    };
    const among = { column: columns[0], values: involved };
    for await (const { table, rows } of source.only([name], signal, among)) {
      const [owner, key] = [this.#ownerOf(table, columns), keyIn(table, columns)];
      for (const row of rows) add(owner(row), key(row), false);
    }
    const table = place.schema.tables.get(name);
    if (table) {
      const where = involved.size > MOST_VALUES ? undefined : isAmong(columns[0], involved, place.dialect);
      const [owner, key] = [keyOf(table, columns.slice(1)), keyIn(table, columns)];
      for await (const rows of readRows(place.session, place.dialect, table, { where, signal })) {
        for (const row of rows) add(keyText(owner(row)), key(row), true);
      }
    }
    for (const [owner, keys] of owners) {
      for (const [key, isThere] of keys) {
        const short = partsOf(key).find((part) => keys.has(part));
        if (short === undefined) continue;
        const [refused, other] = isThere ? [short, key] : [key, short];
        this.#refused.set(`${name} ${owner} ${refused}`, other);
      }
    }
  }

  #ownerOf(table: Table, [, ...owner]: readonly string[]): (row: Row) => string {
    const of = keyOf(table, owner);
    if (table.name !== 'experiment_tags') return (row) => keyText(of(row));
    return (row) => keyText(of(row).map((id) => Number(this.#experiment(String(id)))));
  }
}

const tablesOf = ({ schema }: Place) => Object.keys(KEYED).flatMap((name) => schema.tables.get(name) ?? []);

function keyIn(table: Table, [key]: readonly [string, ...string[]]): (row: Row) => string {
  const of = keyOf(table, [key]);
  return (row) => String(of(row)[0]);
}

function addKeys(known: Map<string, Set<string>>, table: Table, rows: readonly Row[]): void {
  const columns = KEYED[table.name];
  if (!columns) return;
  const keys = known.get(table.name) ?? new Set();
  known.set(table.name, keys);
  const key = keyIn(table, columns);
  for (const row of rows) keys.add(key(row));
}

/** The folders that lead to the file of a key. */
const partsOf = (key: string): string[] =>
  key.split('/').flatMap((_, at, parts) => (at === 0 ? [] : [parts.slice(0, at).join('/')]));

function inOneAnothersWay(keys: ReadonlySet<string>): Set<string> {
  const found = new Set<string>();
  for (const key of keys) {
    for (const part of partsOf(key)) {
      if (!keys.has(part)) continue;
      found.add(key);
      found.add(part);
    }
  }
  return found;
}

const isAmong = (column: string, values: ReadonlySet<string>, dialect: Dialect): RawBuilder<unknown> =>
  sql`${sql.raw(dialect.words.id(column))} IN (${sql.join([...values].map((value) => bound(value, dialect)))})`;
