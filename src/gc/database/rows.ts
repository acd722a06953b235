/** The rows that go with things of a kind: counted, or removed. */
import { type RawBuilder, sql } from 'kysely';
import type { Session } from '../../dialect/session.js';
import type { Kind, RowCounts } from '../source.js';
import { KINDS, type Owner, type Reference, type Rows } from './kinds.js';
import { all, chunks, type Live, oneOf } from './live.js';

/** Values that one statement compares with: within the limits of every database. */
const AT_ONCE = 1000;

type IsGone = (kind: Kind, id: string) => boolean;
const NOTHING_GONE: IsGone = () => false;

/** Ids of experiments are numbers where they are a column of their own, and text where a column takes ids of any kind. */
export const bound = (kind: Kind, column: string, id: string): unknown =>
  kind === 'experiment' && column === 'experiment_id' ? Number(id) : id;

export class RowsOfThings {
  readonly #live: Live;

  constructor(live: Live) {
    this.#live = live;
  }

  /** @param isGone of what was counted before: rows that went with it do not count again */
  async count(kind: Kind, ids: readonly string[], isGone: IsGone): Promise<RowCounts> {
    const counts = new Counts();
    for (const reference of this.#references(kind)) {
      if (reference.does === 'clear') continue;
      for (const part of chunks(await this.#keys(reference, kind, ids, isGone, this.#live.connection), AT_ONCE)) {
        counts.add(reference.table, await this.#counted(reference, part, isGone));
      }
    }
    counts.add(KINDS[kind].table, ids.length);
    return counts.found;
  }

  /** Within a transaction. The things themselves are removed last. */
  async remove(kind: Kind, ids: readonly string[], session: Session): Promise<RowCounts> {
    const counts = new Counts();
    for (const reference of this.#references(kind)) {
      const table = sql.table(reference.table);
      for (const part of chunks(await this.#keys(reference, kind, ids, NOTHING_GONE, session), AT_ONCE)) {
        const where = matching(reference, part);
        if (reference.does === 'clear') {
          await session.run(sql`UPDATE ${table} SET ${sql.ref(reference.column)} = NULL WHERE ${where}`);
        } else counts.add(reference.table, await session.run(sql`DELETE FROM ${table} WHERE ${where}`));
      }
    }
    const { table, key } = KINDS[kind];
    const values = ids.map((id) => bound(kind, key, id));
    counts.add(table, await session.run(sql`DELETE FROM ${sql.table(table)} WHERE ${oneOf(key, values)}`));
    return counts.found;
  }

  #references(kind: Kind): readonly Reference[] {
    return KINDS[kind].references.filter((reference) => this.#live.hasRows(reference));
  }

  /** What the column of these rows holds: the ids themselves, or keys of the rows in between. */
  async #keys(
    { through, column }: Rows,
    kind: Kind,
    ids: readonly string[],
    isGone: IsGone,
    asked: Pick<Session, 'rows'>,
  ): Promise<unknown[]> {
    if (!through) return ids.map((id) => bound(kind, column, id));
    const owners = this.#ownersOf(through, isGone);
    const keys: unknown[] = [];
    for (const part of chunks(await this.#keys(through, kind, ids, isGone, asked), AT_ONCE)) {
      const rows = await asked.rows<Record<string, unknown>>(
        sql`SELECT ${sql.join([sql`${sql.ref(through.key)} AS k`, ...ownerColumns(owners)])} FROM ${sql.table(through.table)} WHERE ${matching(through, part)}`,
      );
      keys.push(...rows.filter((row) => !wentBefore(row, owners, isGone)).map(({ k }) => k));
    }
    return keys;
  }

  async #counted(rows: Rows, values: readonly unknown[], isGone: IsGone): Promise<number> {
    const owners = this.#ownersOf(rows, isGone);
    const from = sql`FROM ${sql.table(rows.table)} WHERE ${matching(rows, values)}`;
    const n = sql.raw(`${this.#live.dialect.words.count()} AS n`);
    if (owners.length === 0) {
      const [row] = await this.#live.connection.rows<{ n: unknown }>(sql`SELECT ${n} ${from}`);
      return Number(row?.n ?? 0);
    }
    const groups = await this.#live.connection.rows<Record<string, unknown>>(
      sql`SELECT ${sql.join([n, ...ownerColumns(owners)])} ${from} GROUP BY ${sql.join(columnsOf(owners).map((name) => sql.ref(name)))}`,
    );
    return groups.filter((row) => !wentBefore(row, owners, isGone)).reduce((sum, row) => sum + Number(row.n), 0);
  }

  #ownersOf({ table, owners = [] }: Rows, isGone: IsGone): readonly Owner[] {
    if (isGone === NOTHING_GONE) return [];
    return owners.filter(({ column, when }) => this.#live.has(table, column, ...(when ? [when.column] : [])));
  }
}

function matching({ column, when }: Rows, values: readonly unknown[]): RawBuilder<unknown> {
  return all([...(when ? [oneOf(when.column, when.is)] : []), oneOf(column, values)]);
}

const columnsOf = (owners: readonly Owner[]): string[] => [
  ...new Set(owners.flatMap(({ column, when }) => [column, ...(when ? [when.column] : [])])),
];

const ownerColumns = (owners: readonly Owner[]) => columnsOf(owners).map((name) => sql.ref(name));

function wentBefore(row: Readonly<Record<string, unknown>>, owners: readonly Owner[], isGone: IsGone): boolean {
  return owners.some(
    ({ kind, column, when }) =>
      (when === undefined || when.is.includes(String(row[when.column]))) && isGone(kind, String(row[column])),
  );
}

/** Rows by table. */
class Counts {
  readonly found: Record<string, number> = {};

  add(table: string, rows: number): void {
    if (rows > 0) this.found[table] = (this.found[table] ?? 0) + rows;
  }
}
