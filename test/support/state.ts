/** The whole of a database, to be compared: its version, its schema as our catalog reader has it, and every row of every table. */
import type { Database } from '../../src/dialect/dialect.js';
import type { Session } from '../../src/dialect/session.js';
import type { Column, Table } from '../../src/schema/model.js';
import { assess } from '../../src/upgrade/assess.js';
import { execute } from '../../src/upgrade/execute.js';
import { opened, type TestDatabase } from './databases.js';
import { type PlainSchema, plain } from './golden.js';

export interface State {
  readonly version: readonly string[] | null;
  readonly schema: PlainSchema;
  /** By table, each row as text that tells any two values apart, sorted. */
  readonly rows: Readonly<Record<string, readonly string[]>>;
}

/** Written by the clock: the one value that two upgrades of the same database may differ in. */
const BY_THE_CLOCK = ['jobs.last_update_time'];

export async function stateOf(database: TestDatabase): Promise<State> {
  const db = await opened(database);
  const reader = await db.reader(10_000);
  try {
    const live = await db.dialect.readCatalog(reader);
    const rows = new Map<string, readonly string[]>();
    for (const table of [...live.tables.values()].sort((a, b) => (a.name < b.name ? -1 : 1))) {
      rows.set(table.name, await rowsOf(table, db, reader));
    }
    return { version: await db.dialect.readVersions(reader), schema: plain(live), rows: Object.fromEntries(rows) };
  } finally {
    await reader.close();
  }
}

async function rowsOf(table: Table, { dialect }: Database, reader: Session): Promise<string[]> {
  const id = dialect.words.id;
  // Not in the order of the table: a column that went and came back is its last one.
  const columns = table.columns
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .filter(({ name }) => !BY_THE_CLOCK.includes(`${table.name}.${name}`))
    .map((column) => exactText(column, id(column.name), dialect.name));
  const rows = await reader.rows<Record<string, string>>(
    `SELECT ${columns.map((text, i) => `${text} AS c${i}`).join(', ')} FROM ${id(table.name)}`,
  );
  return rows.map((row) => columns.map((_, i) => String(row[`c${i}`])).join(' | ')).sort();
}

/** A value as text, to its last bit. */
function exactText({ type }: Column, name: string, dialect: string): string {
  const native = type.kind === 'native' ? type.sql : '';
  switch (dialect) {
    case 'sqlite':
      return `quote(${name})`;
    case 'postgresql':
      return `quote_nullable(${name}::text)`;
    default:
      // A single-precision number is shown rounded to six digits, unless it is made a double.
      if (/^float/.test(native)) return `QUOTE(${name} + 0e0)`;
      return /blob|binary/.test(native) ? `HEX(${name})` : `QUOTE(${name})`;
  }
}

/** Where two states differ, in a few lines; empty when they are equal. */
export function differences(expected: State, found: State): string[] {
  const lines: string[] = [];
  const differ = (what: string, a: unknown, b: unknown) => {
    const [was, is] = [canonical(a), canonical(b)];
    if (was !== is) lines.push(`${what}: ${cut(was)} became ${cut(is)}`);
  };
  differ('version', expected.version, found.version);
  differ('triggers', expected.schema.triggers, found.schema.triggers);
  for (const table of new Set([...Object.keys(expected.schema.tables), ...Object.keys(found.schema.tables)])) {
    const [a, b] = [expected.schema.tables[table], found.schema.tables[table]];
    for (const part of Object.keys({ ...a, ...b }) as (keyof NonNullable<typeof a>)[]) {
      differ(`${table} ${part}`, a?.[part], b?.[part]);
    }
  }
  for (const table of new Set([...Object.keys(expected.rows), ...Object.keys(found.rows)])) {
    const [a, b] = [expected.rows[table], found.rows[table]];
    if (JSON.stringify(a) === JSON.stringify(b)) continue;
    const lost = (a ?? []).filter((row) => !(b ?? []).includes(row));
    const gained = (b ?? []).filter((row) => !(a ?? []).includes(row));
    lines.push(
      `rows of ${table}: ${a?.length ?? 'no table'} and ${b?.length ?? 'no table'}; lost ${cut(lost[0] ?? '')}; gained ${cut(gained[0] ?? '')}`,
    );
  }
  return lines;
}

/** As JSON, with the members of objects in one order. */
const canonical = (value: unknown) =>
  JSON.stringify(value, (_, each: unknown) =>
    each !== null && typeof each === 'object' && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)))
      : each,
  );

const cut = (text: string | undefined) => (text === undefined ? 'nothing' : text.slice(0, 400));

/** Upgrades in this process, where the command line is not what is tested. */
export async function upgradeTo(database: TestDatabase, target: string): Promise<void> {
  const db = await opened(database);
  const reader = await db.reader(1000);
  const assessment = await assess(db, target, reader).finally(() => reader.close());
  if (!assessment) return;
  await execute(db, assessment.plan, {
    lockTimeout: 10_000,
    patience: 10_000,
    signal: new AbortController().signal,
    onProgress: () => undefined,
  });
}

/** Statements on a session of its own. */
export async function run(database: TestDatabase, ...statements: readonly string[]): Promise<void> {
  const session = await (await opened(database)).worker();
  try {
    for (const statement of statements) await session.run(statement);
  } finally {
    await session.close();
  }
}

export async function query<Row extends object>(database: TestDatabase, text: string): Promise<Row[]> {
  const session = await (await opened(database)).reader(10_000);
  try {
    return await session.rows<Row>(text);
  } finally {
    await session.close();
  }
}
