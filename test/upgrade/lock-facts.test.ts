/**
 * What a plan says of locks and rewrites, beside what the server does: every revision is run step by step, and the server
 * is asked which locks the step holds and which tables it has written anew.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Effect } from '../../src/dialect/dialect.js';
import type { Session } from '../../src/dialect/session.js';
import { revisions } from '../../src/schema/lineage.js';
import { locate } from '../../src/upgrade/locate.js';
import { planUpgrade, type Step } from '../../src/upgrade/plan.js';
import { runStep } from '../../src/upgrade/steps.js';
import { opened, type Server, type TestDatabase } from '../support/databases.js';
import { forEachDialect } from '../support/suites.js';

/** What a server was seen to do to a table that was there before. */
interface Seen {
  readonly revision: string;
  readonly step: string;
  readonly table: string;
  readonly lock: string;
  readonly rewritten: boolean;
}

const POSTGRESQL_LOCKS = ['SHARE', 'SHARE ROW EXCLUSIVE', 'ACCESS EXCLUSIVE'];

/** The strongest lock on each table that the session holds, of those that keep writers out, and where each table's rows lie. */
async function lookAt(session: Session): Promise<ReadonlyMap<string, { lock: string; file: string }>> {
  const rows = await session.rows<{ name: string; file: string; modes: string | null }>(`
    SELECT c.relname AS name, c.relfilenode::text AS file,
           (SELECT string_agg(DISTINCT l.mode, ',') FROM pg_locks l WHERE l.relation = c.oid AND l.pid = pg_backend_pid() AND l.granted) AS modes
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'public' WHERE c.relkind = 'r'`);
  const spelt = (mode: string) =>
    mode
      .replace(/Lock$/, '')
      .replace(/([a-z])([A-Z])/g, '$1 $2')
      .toUpperCase();
  return new Map(
    rows.map(({ name, file, modes }) => {
      const held = (modes ?? '').split(',').map(spelt);
      return [name, { file, lock: POSTGRESQL_LOCKS.findLast((lock) => held.includes(lock)) ?? '' }];
    }),
  );
}

async function seenByPostgresql(
  session: Session,
  revision: string,
  step: Step,
  run: () => Promise<void>,
): Promise<Seen[]> {
  await session.begin();
  const before = await lookAt(session);
  await run();
  const after = await lookAt(session);
  await session.commit();
  return [...before].flatMap(([table, was]) => {
    const is = after.get(table);
    if (!is || (is.lock === '' && is.file === was.file)) return [];
    return [{ revision, step: step.title, table, lock: is.lock, rewritten: is.file !== was.file }];
  });
}

function said(revision: string, step: Step, existing: ReadonlySet<string>): Seen[] {
  const byTable = Map.groupBy(
    step.effects.filter(({ table }) => existing.has(table)),
    ({ table }) => table,
  );
  return [...byTable].map(([table, effects]) => ({
    revision,
    step: step.title,
    table,
    lock: strongest(effects),
    rewritten: effects.some(({ work }) => work === 'rewrite'),
  }));
}

const strongest = (effects: readonly Effect[]) =>
  POSTGRESQL_LOCKS.findLast((lock) => effects.some((effect) => effect.lock === lock)) ?? effects[0]?.lock ?? '';

// ---------------------------------------------------------------- MariaDB

/** From the least to the most that a change can cost, each with the words of the plan for it. */
const LADDER = [
  { clause: 'ALGORITHM=INSTANT', says: 'metadata lock, for a moment' },
  { clause: 'ALGORITHM=NOCOPY, LOCK=NONE', says: 'ALGORITHM=INPLACE' },
  { clause: 'ALGORITHM=INPLACE, LOCK=NONE', says: 'ALGORITHM=INPLACE, with a rebuild' },
  { clause: 'ALGORITHM=COPY, LOCK=SHARED', says: 'ALGORITHM=COPY, LOCK=SHARED' },
] as const;

/** ER_ALTER_OPERATION_NOT_SUPPORTED and the same with a reason. */
const NOT_SO = [1845, 1846];

/** Runs a change in the cheapest way that the server takes. */
async function cheapest(session: Session, sql: string): Promise<number> {
  for (const [step, { clause }] of LADDER.entries()) {
    try {
      await session.run(`${sql}, ${clause}`);
      return step;
    } catch (error) {
      if (!NOT_SO.includes((error as { errno?: number }).errno ?? 0)) throw error;
    }
  }
  throw new Error(`refused in every way: ${sql}`);
}

async function seenByMariadb(
  session: Session,
  revision: string,
  step: Step,
  run: () => Promise<void>,
): Promise<Seen[]> {
  if (step.operation.op !== 'alterTable') {
    await run();
    return [];
  }
  const steps: number[] = [];
  for (const { sql } of step.statements) steps.push(await cheapest(session, sql));
  const lock = LADDER[Math.max(...steps)]?.says ?? '';
  const rewritten = lock.includes('rebuild') || lock.includes('COPY');
  return [{ revision, step: step.title, table: step.operation.table, lock, rewritten }];
}

// ---------------------------------------------------------------- both

/** The plan's own words on the table that a step is about, or on all tables that were there before. */
const WATCHED = {
  postgresql: { see: seenByPostgresql, existing: async (session: Session) => new Set((await lookAt(session)).keys()) },
  mysql: {
    see: seenByMariadb,
    existing: async (_: Session, step: Step) =>
      new Set(step.operation.op === 'alterTable' ? [step.operation.table] : []),
  },
} as const;

await forEachDialect('locks and rewrites', (server: Server) => {
  if (server.dialect === 'sqlite') {
    test.skip('NOT RUN: SQLite has one lock, on the whole database');
    return;
  }
  const { see, existing } = WATCHED[server.dialect];
  let database: TestDatabase;
  beforeAll(async () => {
    database = await server.empty();
  });
  afterAll(() => database.drop());

  test('are as they are said to be, at every revision', async () => {
    const db = await opened(database);
    const session = await db.worker();
    const told: Seen[] = [];
    const seen: Seen[] = [];
    try {
      await db.dialect.prepare(session, { lockTimeout: 10_000 });
      for (const { id } of revisions) {
        const start = await locate(session, db.dialect);
        if (start.state !== 'at' && start.state !== 'empty') throw new Error(start.state);
        for (const planned of planUpgrade(start, id, db.dialect).revisions) {
          for (const step of planned.steps) {
            told.push(...said(planned.revision.id, step, await existing(session, step)));
            const context = {
              database: db,
              session,
              signal: new AbortController().signal,
              onProgress: () => undefined,
            };
            seen.push(...(await see(session, planned.revision.id, step, () => runStep(step, context))));
          }
          if (planned.revision.id === 'base') continue;
          if ((await db.dialect.readVersions(session)) === null) await session.run(db.dialect.createVersionTable);
          await session.run('DELETE FROM alembic_version');
          await session.run(`INSERT INTO alembic_version VALUES ('${planned.revision.id}')`);
        }
      }
    } finally {
      await session.close();
    }
    expect(told.length).toBeGreaterThan(50);
    const order = (list: readonly Seen[]) => list.map((each) => JSON.stringify(each)).sort();
    expect(order(told)).toEqual(order(seen));
  });
});
