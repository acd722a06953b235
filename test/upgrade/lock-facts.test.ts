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
import { watchStep } from '../../src/upgrade/watch.js';
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

/** The weakest first. */
const LOCKS = ['SHARE', 'SHARE ROW EXCLUSIVE', 'ACCESS EXCLUSIVE'];

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
  LOCKS.findLast((lock) => effects.some((effect) => effect.lock === lock)) ?? effects[0]?.lock ?? '';

/** The tables of which a server can be asked what a step does to them. */
const WATCHED = {
  postgresql: async (session: Session) => {
    const rows = await session.rows<{ name: string }>(
      "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'",
    );
    return new Set(rows.map(({ name }) => name));
  },
  mysql: async (_: Session, { operation }: Step) => new Set(operation.op === 'alterTable' ? [operation.table] : []),
} as const;

await forEachDialect('locks and rewrites', (server: Server) => {
  if (server.dialect === 'sqlite') {
    test.skip('NOT RUN: SQLite has one lock, on the whole database');
    return;
  }
  const existing = WATCHED[server.dialect];
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
            const tables = await watchStep(step, session, db, new AbortController().signal);
            seen.push(...tables.map((table) => ({ revision: planned.revision.id, step: step.title, ...table })));
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
