/**
 * SIGKILL before and after statements of an import: the next one ends with the same rows as one that nothing disturbed, none
 * of them twice. `npm run test:kill` tries every statement; a normal run takes a sample.
 */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { finished, mtrack, type Result, start } from '../support/cli.js';
import { SERVERS, type Server, type TestDatabase } from '../support/databases.js';
import { EVERYTHING } from '../support/extent.js';
import { releases } from '../support/fixtures.js';
import { broken, type Fault, random } from '../support/kill.js';
import { differences, run, type State, stateOf } from '../support/state.js';
import { forEachDialect } from '../support/suites.js';
import { inTemporaryFolder } from '../support/temporary.js';

const SEED = Number(process.env.SEED ?? 1);
const NEWEST = releases('sqlite').at(-1) ?? '';

let source: TestDatabase;
beforeAll(async () => {
  source = await SERVERS.sqlite.load(NEWEST);
});
afterAll(async () => source?.drop());

const args = (uri: string) => [
  'import',
  '--from',
  source.uri,
  '--to',
  uri,
  '--yes',
  '--json',
  // Many transactions, so that many of them can be cut off.
  '--transaction-rows',
  '150',
];

interface Tables {
  readonly tables: readonly { readonly table: string; readonly added: number; readonly equal: number }[];
  readonly unproven: readonly string[];
}

const imported = ({ code, stdout, stderr }: Result): Tables => {
  expect({ code, stderr, said: code === 0 ? '' : stdout }).toEqual({ code: 0, stderr: '', said: '' });
  return JSON.parse(stdout) as Tables;
};

await forEachDialect('an import', (server: Server) => {
  /** Tables, and nothing in them. */
  let empty: TestDatabase;
  let clean: State;
  let statements: number;
  let making: number;
  beforeAll(async () => {
    const whole = await server.empty();
    try {
      await inTemporaryFolder(async (folder) => {
        const log = join(folder, 'log');
        imported(await mtrack(args(whole.uri), broken([], { MTRACK_FAULT_LOG: log })));
        making =
          lines(log).findLastIndex((line) => /INSERT INTO .?alembic_version|UPDATE .?alembic_version/.test(line)) + 1;
        clean = await stateOf(whole);
        empty = await server.copy(whole);
        await emptied(
          server,
          empty,
          Object.keys(clean.rows).filter((table) => table !== 'alembic_version'),
        );
        rmSync(log);
        const copy = await server.copy(empty);
        imported(await mtrack(args(copy.uri), broken([], { MTRACK_FAULT_LOG: log })));
        statements = lines(log).length;
        await copy.drop();
      });
    } finally {
      await whole.drop();
    }
  }, 600_000);
  afterAll(async () => empty?.drop());

  const killedAt = async (from: TestDatabase | null, faults: readonly Fault[]) => {
    const database = from ? await server.copy(from) : await server.empty();
    try {
      for (const fault of faults) {
        const { signal } = await mtrack(args(database.uri), broken([fault]));
        expect(signal).toBe('SIGKILL');
      }
      imported(await mtrack(args(database.uri)));
      expect(differences(clean, await stateOf(database))).toEqual([]);
    } finally {
      await database.drop();
    }
  };

  test('that is killed while it loads goes on', async () => {
    for (const at of sample(statements, 2)) {
      for (const side of EVERYTHING ? (['before', 'after'] as const) : (['after'] as const)) {
        await killedAt(empty, [{ at, side, does: 'kill' }]);
      }
    }
  }, 3_600_000);

  test('that is killed while it makes the tables goes on', async () => {
    // Twice: what a killed run left, killed again.
    const [one = 1] = sample(making, 1);
    await killedAt(null, [
      { at: one, side: 'after', does: 'kill' },
      { at: 2, side: 'before', does: 'kill' },
    ]);
  }, 3_600_000);

  test('by two at once puts every row in once', async () => {
    const database = await server.copy(empty);
    try {
      const both = await Promise.all([finished(start(args(database.uri))), finished(start(args(database.uri)))]);
      const [one, other] = both.map(imported);
      const rows = (of: Tables | undefined) => of?.tables.reduce((sum, { added }) => sum + added, 0) ?? 0;
      expect([rows(one), rows(other)].sort((a, b) => a - b)[0]).toBe(0);
      expect(differences(clean, await stateOf(database))).toEqual([]);
    } finally {
      await database.drop();
    }
  });
});

const lines = (path: string) => readFileSync(path, 'utf8').trimEnd().split('\n');

function sample(n: number, size: number): number[] {
  if (EVERYTHING) return Array.from({ length: n }, (_, at) => at + 1);
  const next = random(SEED);
  return Array.from({ length: size }, () => 1 + Math.floor(next() * n));
}

/** Whatever refers to them. */
async function emptied({ dialect }: Server, database: TestDatabase, tables: readonly string[]): Promise<void> {
  const off = {
    sqlite: 'PRAGMA foreign_keys = OFF',
    postgresql: 'SET client_min_messages = error',
    mysql: 'SET FOREIGN_KEY_CHECKS = 0',
  };
  const words =
    dialect === 'postgresql'
      ? (table: string) => `TRUNCATE ${table} CASCADE`
      : (table: string) => `DELETE FROM ${table}`;
  await run(database, off[dialect], ...tables.map(words));
}
