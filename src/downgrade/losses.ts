/** What of the rows at hand the schema of an earlier revision cannot hold: what is lost, and what stands in the way. */
import { sql } from 'kysely';
import type { Dialect } from '../dialect/dialect.js';
import type { Session } from '../dialect/session.js';
import { between, schemaAt } from '../schema/lineage.js';
import { type Column, type ColumnType, type Schema, sameExpression, sameNames, type Table } from '../schema/model.js';
import type { Literal } from '../schema/words.js';
import { namesNow, type TableBack, tablesBack } from './between.js';

/** Rows that a downgrade takes something from. They are written to the side file before the first change. */
export interface Loss {
  /** `rows`: the table goes. `values`: columns go. `cut`: a text is longer than its column will be. */
  readonly kind: 'rows' | 'values' | 'cut';
  readonly table: string;
  /** The columns that tell a row from all others. */
  readonly key: readonly string[];
  /** What is lost of it: all columns, or those that go, or the one that is cut. */
  readonly columns: readonly string[];
  /** Characters that are left of a text that is cut. */
  readonly length: number | null;
  readonly rows: number;
}

/** Rows that the earlier schema would refuse. */
export interface Obstacle {
  readonly table: string;
  readonly rows: number;
  readonly why: string;
  readonly fix: string;
}

export interface Assessed {
  readonly losses: readonly Loss[];
  readonly obstacles: readonly Obstacle[];
}

/** Reads only. @param live the schema as it is: what is not there any more cannot be lost */
export async function lossesOf(
  from: string,
  to: string,
  live: Schema,
  session: Session,
  dialect: Dialect,
): Promise<Assessed> {
  const comesBack = new Set(between(to, from).flatMap(({ undo }) => undo?.comesBack ?? []));
  const losses: Loss[] = [];
  const obstacles: Obstacle[] = [];
  for (const back of tablesBack(from, to, dialect)) {
    const found = live.tables.get(back.table.name);
    if (!found) continue;
    const has = (name: string) => found.columns.some((column) => column.name === name);
    // Where a run was cut off, columns are gone already, those of keys among them: they are in the side file of that run.
    const key = found.primaryKey?.columns;
    for (const whole of possibleLosses(back, comesBack, dialect)) {
      const possible = { ...whole, key: key ?? whole.key.filter(has), columns: whole.columns.filter(has) };
      if (possible.columns.length === 0) continue;
      const rows = await countOf(possible, schemaAt(from, dialect.traits), session, dialect);
      if (rows > 0) losses.push({ ...possible, rows });
    }
    for (const { query, ...possible } of possibleObstacles(back, has, dialect)) {
      const rows = await numberOf(query, session, dialect);
      if (rows > 0) obstacles.push({ ...possible, table: back.table.name, rows });
    }
  }
  return { losses, obstacles };
}

// ---------------------------------------------------------------- losses

type PossibleLoss = Omit<Loss, 'rows'>;

function possibleLosses(
  { table, earlier, kept, gone }: TableBack,
  comesBack: ReadonlySet<string>,
  dialect: Dialect,
): PossibleLoss[] {
  const key = table.primaryKey?.columns ?? table.columns.map(({ name }) => name);
  if (!earlier) {
    if (comesBack.has(table.name)) return [];
    const columns = table.columns.filter(({ generated }) => !generated).map(({ name }) => name);
    return [{ kind: 'rows', table: table.name, key, columns, length: null }];
  }
  const lost = gone.map(({ name }) => name).filter((name) => !comesBack.has(`${table.name}.${name}`));
  return [
    ...(lost.length > 0 ? [{ kind: 'values', table: table.name, key, columns: lost, length: null } as const] : []),
    ...kept.flatMap(({ now, was }): PossibleLoss[] => {
      const length = shorterLength(now, was, dialect);
      return length === null ? [] : [{ kind: 'cut', table: table.name, key, columns: [now.name], length }];
    }),
  ];
}

/** A plain text holds 64 KiB where another one holds more: at four bytes a character. */
const PLAIN_TEXT = 16_383;

/** How many characters a text may have, where that is less than before. */
export function shorterLength(now: Column, was: Column, { spell }: Pick<Dialect, 'spell'>): number | null {
  if (spell({ ...now, name: was.name }) === spell(was)) return null;
  const [before, after] = [charactersOf(now.type), charactersOf(was.type)];
  return after < before ? after : null;
}

function charactersOf(type: ColumnType): number {
  if (type.kind === 'varchar') return type.length;
  return type.kind === 'text' && type.atLeast === undefined ? PLAIN_TEXT : Number.POSITIVE_INFINITY;
}

/** True of the rows that something is lost of. */
export function conditionOf(
  { kind, table, columns, length }: PossibleLoss,
  schema: Schema,
  { words }: Dialect,
): string {
  switch (kind) {
    case 'rows':
      return '1 = 1';
    case 'cut':
      return columns.map((name) => `${words.characters(words.id(name))} > ${length}`).join(' OR ');
    case 'values': {
      const found = schema.tables.get(table);
      return columns
        .map((name) => {
          const value = defaultOf(found?.columns.find((column) => column.name === name));
          const given = `${words.id(name)} IS NOT NULL`;
          return value === null ? given : `(${given} AND ${words.id(name)} <> ${words.literal(value)})`;
        })
        .join(' OR ');
    }
  }
}

/** What a row gets that was there before the column. */
function defaultOf(column: Column | undefined): Literal {
  if (!column?.default) return null;
  switch (column.default.kind) {
    case 'false':
      return false;
    case 'text':
      return literalOf(column.type, column.default.value);
    case 'native':
      return null;
  }
}

function literalOf({ kind }: ColumnType, text: string): Literal {
  if (kind === 'boolean') return text !== '0' && text !== 'false';
  return kind === 'integer' || kind === 'bigint' || kind === 'float' || kind === 'double' ? Number(text) : text;
}

async function countOf(loss: PossibleLoss, schema: Schema, session: Session, dialect: Dialect): Promise<number> {
  return numberOf(
    `SELECT 1 AS one FROM ${dialect.words.id(loss.table)} WHERE ${conditionOf(loss, schema, dialect)}`,
    session,
    dialect,
  );
}

async function numberOf(query: string, session: Session, { words }: Dialect): Promise<number> {
  const [row] = await session.rows<{ n: number | string }>(sql.raw(`SELECT ${words.count()} AS n FROM (${query}) q`));
  return Number(row?.n ?? 0);
}

// ---------------------------------------------------------------- obstacles

interface PossibleObstacle {
  readonly why: string;
  readonly fix: string;
  /** For the rows, or groups of rows, that are in the way. */
  readonly query: string;
}

function possibleObstacles(back: TableBack, has: (name: string) => boolean, dialect: Dialect): PossibleObstacle[] {
  const { table, earlier } = back;
  if (!earlier) return [];
  return [
    ...nulls(back, has, dialect),
    ...brokenChecks(table, earlier, back, dialect),
    ...[earlier.primaryKey, ...earlier.uniques].flatMap((key) => (key ? alike(key.columns, back, has, dialect) : [])),
    ...orphans(back, has, dialect),
  ];
}

function nulls({ table, kept }: TableBack, has: (name: string) => boolean, { words }: Dialect): PossibleObstacle[] {
  return kept
    .filter(({ now, was }) => now.nullable && !was.nullable && has(now.name))
    .map(({ now }) => ({
      why: `${table.name}.${now.name} is null, which the earlier schema does not allow`,
      fix: `give these rows of ${table.name} a ${now.name}, or delete them`,
      query: `SELECT 1 AS one FROM ${words.id(table.name)} WHERE ${words.id(now.name)} IS NULL`,
    }));
}

function brokenChecks(table: Table, earlier: Table, back: TableBack, { words }: Dialect): PossibleObstacle[] {
  return earlier.checks.flatMap(({ expression }) => {
    if ('sql' in expression) return [];
    const [column] = namesNow(back, [expression.column]) ?? [];
    const isThere = table.checks.some((check) => sameExpression(check.expression, expression));
    if (column === undefined || isThere) return [];
    const values = expression.in.map(words.literal).join(', ');
    return [
      {
        why: `${table.name}.${column} is none of ${expression.in.join(', ')}, which is all that the earlier schema allows`,
        fix: `give these rows of ${table.name} another ${column}`,
        query: `SELECT 1 AS one FROM ${words.id(table.name)} WHERE ${words.id(column)} NOT IN (${values})`,
      },
    ];
  });
}

/** Rows that differ, now, in columns only that go; or in letters whose case will not count. */
function alike(
  columns: readonly string[],
  back: TableBack,
  has: (name: string) => boolean,
  { words, traits }: Dialect,
): PossibleObstacle[] {
  const { table, kept } = back;
  const names = namesNow(back, columns);
  if (!names?.every(has)) return [];
  const folds = (name: string) => {
    const both = kept.find(({ now }) => now.name === name);
    const minds = (column: Column | undefined) => column?.type.kind === 'varchar' && column.type.caseSensitive === true;
    return traits.foldsCase && minds(both?.now) && !minds(both?.was);
  };
  const isUniqueNow = [table.primaryKey, ...table.uniques].some((key) => key && sameNames(key.columns, names));
  if (isUniqueNow && !names.some(folds)) return [];
  const list = names.map((name) => (folds(name) ? `LOWER(${words.id(name)})` : words.id(name))).join(', ');
  return [
    {
      why: `rows of ${table.name} would be alike in ${names.join(', ')}, which the earlier schema keeps unique`,
      fix: `rename, or delete, all but one of each`,
      query: `SELECT 1 AS one FROM ${words.id(table.name)} GROUP BY ${list} HAVING ${words.count()} > 1`,
    },
  ];
}

/** Rows whose reference, which comes back or becomes narrower, leads nowhere. */
function orphans(back: TableBack, has: (name: string) => boolean, { words }: Dialect): PossibleObstacle[] {
  const { table, earlier } = back;
  if (!earlier) return [];
  return earlier.foreignKeys.flatMap((key): PossibleObstacle[] => {
    const names = namesNow(back, key.columns);
    const isThere = table.foreignKeys.some((each) => each.table === key.table);
    if (isThere || !names?.every(has)) return [];
    const on = names.map((name, at) => `p.${words.id(key.references[at] ?? '')} = c.${words.id(name)}`).join(' AND ');
    const given = names.map((name) => `c.${words.id(name)} IS NOT NULL`).join(' AND ');
    const none = `p.${words.id(key.references[0] ?? '')} IS NULL`;
    return [
      {
        why: `${table.name}.${names.join(', ')} refers to rows of ${key.table} that are not there`,
        fix: `delete these rows of ${table.name}, or make the rows they refer to`,
        query: `SELECT 1 AS one FROM ${words.id(table.name)} c LEFT JOIN ${words.id(key.table)} p ON ${on} WHERE ${given} AND ${none}`,
      },
    ];
  });
}
