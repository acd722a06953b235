/** Running one step of a plan: its statements whole or chunk by chunk, or rows derived in between. */
import { sql } from 'kysely';
import type { Database, Dialect, Statement } from '../dialect/dialect.js';
import { inChunk } from '../dialect/ranges.js';
import type { Session } from '../dialect/session.js';
import { MtrackError, messageOf } from '../errors.js';
import type { DeriveRows, Literal, Range, Require } from '../schema/operations.js';
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

export async function runStep(step: Step, context: StepContext): Promise<void> {
  if (step.operation.op === 'require') return check(step.operation, context);
  for (const statement of step.statements) await runStatement(statement, context);
  if (step.operation.op === 'deriveRows') await derive(step.operation, context);
}

async function runStatement(statement: Statement, context: StepContext): Promise<void> {
  const { session, signal, onProgress } = context;
  if (!statement.over) {
    stopIfAsked(signal);
    await observed(context, () => session.run(statement.sql));
    return;
  }
  const total = await countOf(statement.over.table, context);
  let done = 0;
  for await (const { after, upTo } of chunks(statement.over, context)) {
    await session.run(inChunk(statement.sql, { after, upTo }));
    done = upTo === null ? total : Math.min(total, done + statement.over.rows);
    onProgress({ event: 'rows', done, total, what: statement.note ?? statement.over.table });
  }
}

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
  let asking: Promise<void> = Promise.resolve();
  const ask = async () => {
    observer ??= await database.reader(OBSERVE_MS);
    const progress = await progressOf(observer, session);
    if (progress) onProgress({ event: 'server', ...progress });
  };
  // Progress is a courtesy: failing to learn it must not touch the work.
  const timer = setInterval(() => {
    asking = asking.then(ask).catch(() => undefined);
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
  const [count] = await session.rows<{ n: number | string }>(sql.raw(`SELECT COUNT(*) AS n FROM (${query}) q`));
  const n = Number(count?.n ?? 1);
  return new MtrackError('DATA_REFUSED', {
    found: `${condition.explain(first)}${n > 1 ? ` (the first of ${n} such rows)` : ''}`,
    expected: condition.title,
    fix: [condition.fix],
    details: { rows: n },
  });
}

/** Each chunk's old rows go and its new ones come in one transaction, so that a chunk can be repeated. */
async function derive(operation: DeriveRows, context: StepContext): Promise<void> {
  const { session, database, onProgress } = context;
  const { dialect } = database;
  const id = (name: string) => sql.raw(dialect.words.id(name));
  const { over, into, owner } = operation;
  const rows = Math.min(500, dialect.chunkRows);
  const total = await countOf(over.table, context);
  let done = 0;
  for await (const bounds of chunks({ ...over, rows }, context)) {
    const columns = [over.key, ...operation.read].map((name) => dialect.words.id(name)).join(', ');
    const source = await session.rows<Record<string, string | null>>(
      inChunk(
        `SELECT ${columns} FROM ${dialect.words.id(over.table)} WHERE ${dialect.words.range(over.key)} AND ${dialect.words.id(operation.present)} IS NOT NULL`,
        bounds,
      ),
    );
    const derived = source.flatMap((row) => derivedFrom(operation, row));
    const owners = source.map((row) => row[over.key]);
    const owns = dialect.transaction === 'none';
    if (owns) await session.begin();
    if (owners.length > 0) await session.run(sql`DELETE FROM ${id(into)} WHERE ${id(owner)} IN (${sql.join(owners)})`);
    for (let at = 0; at < derived.length; at += INSERT_ROWS) {
      await session.run(insertInto(into, derived.slice(at, at + INSERT_ROWS), id));
    }
    if (owns) await session.commit();
    done = bounds.upTo === null ? total : Math.min(total, done + rows);
    onProgress({ event: 'rows', done, total, what: operation.title });
  }
}

/** @throws {MtrackError} DATA_REFUSED for a row that cannot be read as the migration needs it */
export function derivedFrom(
  operation: DeriveRows,
  row: Readonly<Record<string, string | null>>,
): readonly Readonly<Record<string, Literal>>[] {
  try {
    return operation.derive(row);
  } catch (error) {
    const { table, key } = operation.over;
    throw new MtrackError('DATA_REFUSED', {
      found: `${table} with ${key} ${JSON.stringify(row[key])}: ${messageOf(error)}`,
      expected: operation.title,
      fix: [`correct, or set to null, ${operation.read.join(', ')} of that row of ${table}`],
      cause: error,
    });
  }
}

function insertInto(
  table: string,
  rows: readonly Readonly<Record<string, Literal>>[],
  id: (name: string) => ReturnType<typeof sql.raw>,
) {
  const names = Object.keys(rows[0] ?? {});
  const values = rows.map((row) => sql`(${sql.join(names.map((name) => row[name] ?? null))})`);
  return sql`INSERT INTO ${id(table)} (${sql.join(names.map(id))}) VALUES ${sql.join(values)}`;
}

/** Stops between statements when a signal asked for it. @throws {MtrackError} INTERRUPTED */
export function stopIfAsked(signal: AbortSignal): void {
  if (!signal.aborted) return;
  throw new MtrackError('INTERRUPTED', { found: `stopped by ${String(signal.reason ?? 'a signal')}` });
}
