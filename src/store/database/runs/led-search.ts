/**
 * MLflow's tables have no index on what runs are ordered by, so that all runs of an experiment are looked at; the question
 * is how much of each. A database that hashes joins is left to itself. One that looks rows up one by one is led:
 *
 * - where a metric, param or tag is asked for that few runs have, only these runs are looked at further;
 * - else the first runs by the first thing that is ordered by are picked by that alone, and only these are looked at
 *   further. When filters leave too few of them for the page, more are picked once more; or, when they leave hardly any,
 *   it begins with what is asked for after all.
 */
import { type Kysely, type RawBuilder, type SqlBool, sql } from 'kysely';
import type { OneByOne, QueryWords } from '../../../dialect/query-words.js';
import type { Tables } from '../entities/index.js';
import {
  type Asked,
  type Child,
  childTable,
  type Filter,
  foundIds,
  type Ordering,
  type Parts,
  RUNS,
  scopeOf,
} from './query.js';

export interface Tuning {
  /** So many runs are a few. */
  readonly few: number;
  /** How many times as many runs as a page needs are picked at first. */
  readonly sample: number;
  /** Estimated runs of which there have to be more before it is worth the while. */
  readonly many: number;
}

const TUNING: Tuning = { few: 2000, sample: 4, many: 1000 };
/** A row that is read in the order of a primary key is so much cheaper than one that is looked up. */
const LOOKUP_BY_SCAN = 4;
/** Of those picked first, so many have to pass the filters that picking more is worth the while. */
const PASSING = 1 / 20;

export interface PageOf {
  readonly limit: number;
  readonly offset: number;
}

interface Given {
  readonly oneByOne: OneByOne;
  readonly words: QueryWords;
  readonly db: Kysely<Tables>;
  readonly asked: Asked;
  /** The search as it would be without being led. */
  readonly whole: Parts;
  readonly first: Ordering;
  readonly page: PageOf;
  readonly tuning?: Tuning | undefined;
}

export class LedSearch {
  readonly #given: Given;
  readonly #tuning: Tuning;
  /** Estimated, of the experiments that are searched. */
  #runs = Number.POSITIVE_INFINITY;

  constructor(given: Given) {
    this.#given = given;
    this.#tuning = given.tuning ?? TUNING;
  }

  /** Null where nothing is to be gained by it. */
  async ids(): Promise<readonly string[] | null> {
    const { oneByOne, db, asked, whole, first } = this.#given;
    this.#runs = await this.#sizeOf(RUNS, scopeOf(asked));
    if (this.#runs <= this.#tuning.many) return null;
    // A scan of all runs is cheaper than looking up most of them.
    const most = this.#runs * LOOKUP_BY_SCAN > (await this.#sizeOf(RUNS, sql`1 = 1`));
    const scope = most ? scopeOf(asked, oneByOne.unindexed) : whole.scope;
    const parts: Parts = { ...whole, scope, join: oneByOne.straight };
    const filters = whole.filters.filter(({ child }) => child !== undefined);
    if (filters.length === 0 && !first.child) return foundIds(db, parts);

    let leading: Filter | undefined;
    for (const filter of filters) {
      if (!(await this.#isWorthReading(filter.child))) continue;
      leading ??= filter;
      const few = await this.#fewWith(filter);
      if (few?.length === 0) return [];
      if (few) return foundIds(db, { ...whole, and: [sql`${sql.ref('r.run_uuid')} IN (${sql.join(few)})`] });
    }
    const found = (await this.#isWorthReading(first.child)) ? await this.#picked(parts) : null;
    return found ?? (leading ? this.#led(parts, leading) : null);
  }

  /** Whether all rows of one key are read sooner than those of the runs that are searched are looked up. */
  async #isWorthReading(child: Child | undefined): Promise<boolean> {
    return !child || (await this.#sizeOf(childTable(child), keyIs(child))) <= this.#runs * LOOKUP_BY_SCAN;
  }

  /** The runs that a filter leaves by itself; undefined when they are more than a few. */
  async #fewWith({ child, condition }: Filter): Promise<string[] | undefined> {
    if (!child) return undefined;
    const { words, db } = this.#given;
    const { few } = this.#tuning;
    const id = sql.ref(`${child.alias}.run_uuid`);
    const { rows } = await sql<{
      run_uuid: string;
    }>`SELECT ${id} FROM ${childTable(child)} WHERE ${condition} ${words.page(few + 1)}`.execute(db);
    return rows.length > few ? undefined : rows.map(({ run_uuid }) => run_uuid);
  }

  /** The runs of the page among the first ones by the order; null when there are too few of them. */
  async #picked(parts: Parts): Promise<readonly string[] | null> {
    const { limit, offset } = this.#given.page;
    const needed = limit + offset;
    const picked = needed * this.#tuning.sample;
    const found = await this.#among(picked, parts);
    if (found.length >= limit) return found;
    const passing = found.length === 0 ? 0 : (found.length + offset) / picked;
    if (passing < PASSING) return null;
    const more = await this.#among(Math.ceil((needed * 2) / passing), parts);
    return more.length >= limit ? more : null;
  }

  /** Among as many runs, and all that are equal to the last of them. */
  #among(picked: number, parts: Parts): Promise<readonly string[]> {
    const { words, db, first } = this.#given;
    const { child, value, isValue, ascending } = first;
    const base = child ? sql`${childTable(child)} WHERE ${keyIs(child)}` : sql`${RUNS} WHERE ${parts.scope}`;
    const direction = sql.raw(ascending ? 'ASC' : 'DESC');
    const last = sql`(SELECT ${value} FROM ${base} AND ${isValue} ORDER BY ${value} ${direction} ${words.page(1, picked - 1)})`;
    const within = sql<SqlBool>`${value} ${sql.raw(ascending ? '<=' : '>=')} ${last}`;
    return foundIds(db, { ...parts, ...(child && { lead: child }), and: [isValue, within] });
  }

  #led(parts: Parts, leading: Filter): Promise<readonly string[]> {
    const { db, whole } = this.#given;
    const filters = whole.filters.filter((filter) => filter !== leading);
    return foundIds(db, { ...parts, ...(leading.child && { lead: leading.child }), filters, and: [leading.condition] });
  }

  /** About how many rows there are; where that is not known they pass for many. */
  async #sizeOf(table: RawBuilder<unknown>, condition: RawBuilder<SqlBool>): Promise<number> {
    const { oneByOne, db } = this.#given;
    if (!oneByOne.estimate) return Number.POSITIVE_INFINITY;
    const { rows } = await oneByOne.estimate(sql`SELECT 1 FROM ${table} WHERE ${condition}`).execute(db);
    return Number(rows[0]?.rows ?? Number.POSITIVE_INFINITY);
  }
}

const keyIs = ({ alias, key }: Child) => sql<SqlBool>`${sql.ref(`${alias}.key`)} = ${key}`;
