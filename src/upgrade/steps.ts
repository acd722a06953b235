/** Running one step of a plan: its statements whole or chunk by chunk, or rows derived in between. */
import { type RawBuilder, sql } from 'kysely';
import type { Database, Dialect, Statement } from '../dialect/dialect.js';
import { inChunk } from '../dialect/ranges.js';
import type { Session } from '../dialect/session.js';
import { interrupted } from '../dialect/tools.js';
import { MtrackError, messageOf } from '../errors.js';
import { type DeriveRows, type DeriveValues, isComputed, type Range, type Require } from '../schema/operations.js';
import type { Literal, SqlWords } from '../schema/words.js';
import type { Step } from './plan.js';
import type { OnProgress } from './progress.js';

export interface StepContext {
  readonly database: Database;
  readonly session: Session;
  readonly signal: AbortSignal;
  readonly onProgress: OnProgress;
}

/** How often another session asks how far a long statement has come, and how long a statement runs before that is worth it. */
const OBSERVE_MS = 1000;
/** Rows written by one INSERT of derived rows: well under every dialect's limit of parameters and of statement length. */
const INSERT_ROWS = 100;

/** Does the work of a step. @throws {MtrackError} DATA_REFUSED, INTERRUPTED */
export async function runStep(step: Step, context: StepContext): Promise<void> {
  if (step.operation.op === 'require') return check(step.operation, context);
  for (const statement of step.statements) await runStatement(statement, context);
  if (isComputed(step.operation)) await derive(step.operation, context);
}

async function runStatement(statement: Statement, context: StepContext): Promise<void> {
  const { session, signal, onProgress } = context;
  if (!statement.over) {
    stopIfAsked(signal);
    await observed(context, () => session.run(statement.sql));
    return;
  }
  const { mostChunks } = context.database.dialect;
  const total = await countOf(statement.over.table, context);
  const rows = Math.max(statement.over.rows, Math.ceil(total / mostChunks));
  // Where chunks are few for their cost, not even the end of the only one is looked for.
  const isOne = Number.isFinite(mostChunks) && total <= rows;
  let done = 0;
  for await (const { after, upTo } of isOne ? [WHOLE] : chunks({ ...statement.over, rows }, context)) {
    await session.run(inChunk(statement.sql, { after, upTo }));
    done = upTo === null ? total : Math.min(total, done + rows);
    onProgress({ event: 'rows', done, total, what: statement.note ?? statement.over.table });
  }
}

/** The one range of a table that is not cut. */
const WHOLE = { after: null, upTo: null };

/** The ranges of a table that make up its rows, each about `rows` long, one after the other. */
async function* chunks(
  over: Range & { readonly rows: number },
  { session, database: { dialect }, signal }: StepContext,
): AsyncGenerator<{ after: unknown; upTo: unknown }> {
  let after: unknown = null;
  do {
    stopIfAsked(signal);
    const [row]: { k: unknown }[] = await session.rows<{ k: unknown }>(dialect.nthKey(over, after, over.rows - 1));
    const upTo = row?.k ?? null;
    yield { after, upTo };
    after = upTo;
    // SQLite runs in this very thread: let signals and the display have their turn.
    await new Promise((resolve) => setImmediate(resolve));
  } while (after !== null);
}

async function countOf(table: string, { session, database: { dialect } }: StepContext): Promise<number> {
  const stats = await dialect.readStats(session, [table]);
  return stats.get(table)?.rows ?? 0;
}

/** While a statement runs inside the server, its progress is asked for through a session of its own. */
async function observed(context: StepContext, run: () => Promise<unknown>): Promise<void> {
  const { database, session, onProgress } = context;
  const { progressOf } = database.dialect;
  const running = run();
  if (!progressOf) {
    await running;
    return;
  }
  let observer: Session | null = null;
  let asking: Promise<void> | null = null;
  const ask = async () => {
    observer ??= await database.reader(OBSERVE_MS);
    const progress = await progressOf(observer, session);
    if (progress) onProgress({ event: 'server', ...progress });
  };
  // Progress is a courtesy: failing to learn it must not touch the work. One question at a time, as at the end of the
  // statement those that were put are waited for.
  const timer = setInterval(() => {
    asking ??= ask()
      .catch(() => undefined)
      .finally(() => {
        asking = null;
      });
  }, OBSERVE_MS);
  try {
    await running;
  } finally {
    clearInterval(timer);
    await asking;
    await (observer as Session | null)?.close();
  }
}

/** @throws {MtrackError} DATA_REFUSED */
export async function check(
  condition: Require,
  { session, database }: Pick<StepContext, 'session' | 'database'>,
): Promise<void> {
  const broken = await brokenBy(condition, session, database.dialect);
  if (broken) throw broken;
}

/** The failure that rows which break a condition mean; null when there are none. */
export async function brokenBy(condition: Require, session: Session, dialect: Dialect): Promise<MtrackError | null> {
  const query = condition.offending(dialect.words);
  const [first] = await session.rows<Record<string, unknown>>(sql.raw(dialect.firstOf(query)));
  if (!first) return null;
  const [count] = await session.rows<{ n: number | string }>(
    sql.raw(`SELECT ${dialect.words.count()} AS n FROM (${query}) q`),
  );
  const n = Number(count?.n ?? 1);
  return new MtrackError('DATA_REFUSED', {
    found: `${condition.explain(first)}${n > 1 ? ` (the first of ${n} such rows)` : ''}`,
    expected: condition.title,
    fix: [condition.fix],
    details: { rows: n },
  });
}

/** Rows of a chunk that TypeScript works on: their texts may be long. */
const DERIVED_ROWS = 500;

/** Works through the rows, each chunk in one transaction, so that a chunk can be repeated. */
async function derive(operation: DeriveRows | DeriveValues, context: StepContext): Promise<void> {
  const { session, database, onProgress } = context;
  const rows = Math.min(DERIVED_ROWS, database.dialect.chunkRows);
  const total = await countOf(operation.over.table, context);
  let done = 0;
  for await (const bounds of chunks({ ...operation.over, rows }, context)) {
    const source = await session.rows<SourceRow>(inChunk(sourceOf(operation, database.dialect.words), bounds));
    const statements = derivedStatements(operation, source, database.dialect.words);
    const owns = database.dialect.transaction === 'none' && statements.length > 0;
    if (owns) await session.begin();
    for (const statement of statements) await session.run(statement);
    if (owns) await session.commit();
    done = bounds.upTo === null ? total : Math.min(total, done + rows);
    onProgress({ event: 'rows', done, total, what: operation.title });
  }
}

/** A row that something is derived from, as the driver gives it. */
export type SourceRow = Readonly<Record<string, unknown>>;

/** The rows of a chunk that something is derived from. */
export function sourceOf(operation: DeriveRows | DeriveValues, words: SqlWords): string {
  if (operation.op === 'deriveValues') return operation.source(words);
  const { over, read, present } = operation;
  const columns = [over.key, ...read].map(words.id).join(', ');
  return `SELECT ${columns} FROM ${words.id(over.table)} WHERE ${words.range(over.key)} AND ${words.id(present)} IS NOT NULL`;
}

/** SQLite's driver binds no booleans. */
const bound = (value: Literal, words: SqlWords) =>
  typeof value === 'boolean' ? sql.raw(words.literal(value)) : sql`${value}`;

/** Rows that were derived before go, and the new ones come; values are set. */
function derivedStatements(
  operation: DeriveRows | DeriveValues,
  source: readonly SourceRow[],
  words: SqlWords,
): RawBuilder<unknown>[] {
  const id = (name: string) => sql.raw(words.id(name));
  if (source.length === 0) return [];
  if (operation.op === 'deriveValues') {
    return source.map((row) => {
      const values = Object.entries(valuesOf(operation, row)).map(
        ([name, value]) => sql`${id(name)} = ${bound(value, words)}`,
      );
      const isIt = operation.identity.map((name) => sql`${id(name)} = ${row[name]}`);
      return sql`UPDATE ${id(operation.over.table)} SET ${sql.join(values)} WHERE ${sql.join(isIt, sql` AND `)}`;
    });
  }
  const { over, into, owner, only } = operation;
  const owners = source.map((row) => row[over.key]);
  const derived = source.flatMap((row) => rowsOf(operation, row));
  const meant = only ? sql` AND ${sql.raw(only(words))}` : sql``;
  const statements = [sql`DELETE FROM ${id(into)} WHERE ${id(owner)} IN (${sql.join(owners)})${meant}`];
  for (let at = 0; at < derived.length; at += INSERT_ROWS) {
    statements.push(insertInto(into, derived.slice(at, at + INSERT_ROWS), words));
  }
  return statements;
}

/** @throws {MtrackError} DATA_REFUSED */
export function rowsOf(operation: DeriveRows, row: SourceRow): readonly Readonly<Record<string, Literal>>[] {
  const { table, key } = operation.over;
  const fix = `correct, or set to null, ${operation.read.join(', ')} of that row of ${table}`;
  return understood(operation, row, [key], fix, () => operation.derive(row));
}

/** @throws {MtrackError} DATA_REFUSED */
export function valuesOf(operation: DeriveValues, row: SourceRow): Readonly<Record<string, Literal>> {
  const fix = `correct the rows of ${operation.reads.join(', ')} that belong to it`;
  return understood(operation, row, operation.identity, fix, () => operation.derive(row));
}

/** @throws {MtrackError} DATA_REFUSED for a row that cannot be read as the migration needs it */
function understood<T>(
  { over, title }: DeriveRows | DeriveValues,
  row: SourceRow,
  identity: readonly string[],
  fix: string,
  read: () => T,
): T {
  try {
    return read();
  } catch (error) {
    const which = identity.map((name) => `${name} ${JSON.stringify(row[name])}`).join(' and ');
    throw new MtrackError('DATA_REFUSED', {
      found: `${over.table} with ${which}: ${messageOf(error)}`,
      expected: title,
      fix: [fix],
      cause: error,
    });
  }
}

function insertInto(
  table: string,
  rows: readonly Readonly<Record<string, Literal>>[],
  words: SqlWords,
): RawBuilder<unknown> {
  const id = (name: string) => sql.raw(words.id(name));
  const names = Object.keys(rows[0] ?? {});
  const values = rows.map((row) => sql`(${sql.join(names.map((name) => bound(row[name] ?? null, words)))})`);
  return sql`INSERT INTO ${id(table)} (${sql.join(names.map(id))}) VALUES ${sql.join(values)}`;
}

/** Stops between statements when a signal asked for it. @throws {MtrackError} INTERRUPTED */
export function stopIfAsked(signal: AbortSignal): void {
  if (signal.aborted) throw interrupted(signal);
}
