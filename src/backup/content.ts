/** What is in a backup, as far as it tells whose it is, from when, and whether it is all there: a page, however large it is. */
import { createHash } from 'node:crypto';
import type { RowSink } from '../dialect/backups.js';

export interface Content {
  /** Rows of alembic_version; null when there is no such table. */
  readonly versions: readonly string[] | null;
  /** Rows, by table. */
  readonly tables: Readonly<Record<string, number>>;
  /** The newest time among the rows of a table, as MLflow writes it (milliseconds; in 0.9, of metrics, seconds). */
  readonly newest: Readonly<Record<string, number>>;
  readonly experiments: readonly ExperimentFact[];
  /** Ids of runs: a sample that is the same for the same runs. */
  readonly runs: readonly string[];
  /** Ids of the runs, not deleted, that began last. */
  readonly newestRuns: readonly string[];
}

export interface ExperimentFact {
  readonly id: string;
  /** Milliseconds since the epoch; null where the revision has no such column. */
  readonly created: number | null;
}

/** The column of a table that says when a row was made. */
export const TIMES: Readonly<Record<string, string>> = {
  experiments: 'creation_time',
  runs: 'start_time',
  metrics: 'timestamp',
  trace_info: 'timestamp_ms',
  logged_models: 'creation_timestamp_ms',
  registered_models: 'creation_time',
  model_versions: 'creation_time',
};

/** More columns that are looked at, after the time. */
const OTHERS: Readonly<Record<string, readonly string[]>> = {
  alembic_version: ['version_num'],
  experiments: ['experiment_id'],
  runs: ['run_uuid', 'lifecycle_stage'],
};

const SAMPLE = 64;
const NEWEST = 16;

/** Takes the rows of a backup as they come, and keeps what matters. */
export class ContentCollector implements RowSink {
  readonly #tables = new Map<string, number>();
  readonly #newest = new Map<string, number>();
  readonly #wanted = new Map<string, readonly string[]>();
  readonly #experiments = new Smallest<ExperimentFact>(SAMPLE);
  readonly #runs = new Smallest<string>(SAMPLE);
  readonly #newestRuns = new Smallest<string>(NEWEST);
  #versions: string[] | null = null;

  table(name: string, columns: readonly string[]): readonly number[] | null {
    if (!this.#tables.has(name)) this.#tables.set(name, 0);
    if (name === 'alembic_version') this.#versions ??= [];
    const time = TIMES[name];
    const wanted = [...(time === undefined ? [] : [time]), ...(OTHERS[name] ?? [])].filter((each) =>
      columns.includes(each),
    );
    this.#wanted.set(name, wanted);
    return wanted.length === 0 ? null : wanted.map((each) => columns.indexOf(each));
  }

  rows(table: string, n: number): void {
    this.#tables.set(table, (this.#tables.get(table) ?? 0) + n);
  }

  row(table: string, values: readonly (string | null)[]): void {
    this.rows(table, 1);
    const wanted = this.#wanted.get(table) ?? [];
    const value = (column: string) => values[wanted.indexOf(column)] ?? null;
    const time = numberIn(value(TIMES[table] ?? ''));
    if (time !== null && time > (this.#newest.get(table) ?? Number.NEGATIVE_INFINITY)) this.#newest.set(table, time);
    if (table === 'alembic_version') this.#versions?.push(value('version_num') ?? '');
    if (table === 'experiments') {
      const id = value('experiment_id') ?? '';
      this.#experiments.add(rank(id), { id, created: time });
    }
    if (table === 'runs') {
      const id = value('run_uuid') ?? '';
      this.#runs.add(rank(id), id);
      if (value('lifecycle_stage') !== 'deleted') this.#newestRuns.add(-(time ?? 0), id);
    }
  }

  get content(): Content {
    return {
      versions: this.#versions,
      tables: Object.fromEntries([...this.#tables].sort(([a], [b]) => (a < b ? -1 : 1))),
      newest: Object.fromEntries(this.#newest),
      experiments: this.#experiments.values,
      runs: this.#runs.values,
      newestRuns: this.#newestRuns.values,
    };
  }
}

function numberIn(text: string | null): number | null {
  if (text === null || text === '') return null;
  const number = Number(text);
  return Number.isFinite(number) ? number : null;
}

/** A number by which things are chosen as if by lot, and always the same ones. */
const rank = (id: string): number => createHash('sha256').update(id).digest().readUInt32BE(0);

/** The few of smallest rank among many. */
class Smallest<T> {
  readonly #most: number;
  readonly #kept: { rank: number; value: T }[] = [];

  constructor(most: number) {
    this.#most = most;
  }

  add(rank: number, value: T): void {
    const last = this.#kept.at(-1);
    if (this.#kept.length >= this.#most && last && rank >= last.rank) return;
    let at = this.#kept.length;
    while (at > 0 && (this.#kept[at - 1]?.rank ?? 0) > rank) at--;
    this.#kept.splice(at, 0, { rank, value });
    if (this.#kept.length > this.#most) this.#kept.pop();
  }

  get values(): T[] {
    return this.#kept.map(({ value }) => value);
  }
}
