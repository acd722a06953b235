/** Connections of a program that serves: what it does when they break, lock each other out, or are many. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Kysely, sql } from 'kysely';
import { describe, expect, test } from 'vitest';
import type { FaultKind } from '../../src/dialect/dialect.js';
import { CommitUnknown, type Pool, serverPool } from '../../src/dialect/pool.js';
import { queryWords } from '../../src/dialect/sqlite/query-words.js';
import { opened, SERVERS, type Server, type TestDatabase, withDatabase } from '../support/databases.js';
import { proxyTo } from '../support/proxy.js';
import { query, run } from '../support/state.js';
import { forEachDialect, forEachServer } from '../support/suites.js';

interface Tables {
  readonly t: { readonly id: number; readonly n: number };
}

/** A pool on a database with one table, of which a row has the id 1 and the number 0. */
async function withPool(
  server: Server,
  work: (pool: Pool<Tables>, database: TestDatabase) => Promise<void>,
  way: (database: TestDatabase) => string = ({ uri }) => uri,
): Promise<void> {
  await withDatabase(server.empty, async (database) => {
    await run(database, 'CREATE TABLE t (id INTEGER NOT NULL PRIMARY KEY, n INTEGER NOT NULL)');
    await run(database, 'INSERT INTO t (id, n) VALUES (1, 0), (2, 0)');
    const pool = await (await opened({ ...database, uri: way(database) })).pool<Tables>([]);
    try {
      await work(pool, database);
    } finally {
      await pool.close();
    }
  });
}

const add = (db: Kysely<Tables>, id: number, n = 1) => sql`UPDATE t SET n = n + ${n} WHERE id = ${id}`.execute(db);
const numbers = async (database: TestDatabase) =>
  (await query<{ n: number }>(database, 'SELECT n FROM t ORDER BY id')).map(({ n }) => Number(n));

await forEachDialect('a pool', (server) => {
  test('keeps what a promise says is written, and nothing of what was thrown away', async () => {
    await withPool(server, async (pool, database) => {
      const results = await Promise.allSettled(
        Array.from({ length: 40 }, (_, at) =>
          pool.write(async (db) => {
            await add(db, 1);
            if (at % 4 === 0) throw new Error(`no ${at}`);
            return at;
          }),
        ),
      );
      expect(results.map((each) => (each.status === 'fulfilled' ? each.value : String(each.reason)))).toEqual(
        Array.from({ length: 40 }, (_, at) => (at % 4 === 0 ? `Error: no ${at}` : at)),
      );
      expect(await numbers(database)).toEqual([30, 0]);
      expect(await pool.read(async (db) => (await db.selectFrom('t').select('n').execute()).length)).toBe(2);
    });
  });

  test('tells a key that is taken from other faults', async () => {
    await withPool(server, async (pool, database) => {
      const { dialect } = await opened(database);
      const fails = (statement: string) =>
        pool
          .write((db) => sql.raw(statement).execute(db))
          .then(
            () => 'none' as const,
            (error: unknown) => dialect.faultOf(error),
          );
      expect(await fails('INSERT INTO t (id, n) VALUES (1, 1)')).toBe('duplicate');
      expect(await fails('INSERT INTO t (id, n) VALUES (3, NULL)')).toBe('other');
      expect(await fails('SELECT * FROM nothing')).toBe('other');
      expect(await numbers(database)).toEqual([0, 0]);
    });
  });
});

await forEachServer('a pool of a server', (server) => {
  const port = server.dialect === 'postgresql' ? 5432 : 3306;

  test('goes on after the database was away', async () => {
    await using proxy = await proxyTo(port);
    await withPool(
      server,
      async (pool, database) => {
        // More than one connection to be lost.
        await Promise.all(Array.from({ length: 5 }, () => pool.read((db) => sql`SELECT 1`.execute(db))));
        for (let time = 0; time < 3; time++) {
          await proxy.cut();
          const reads = Array.from({ length: 20 }, () => pool.read((db) => db.selectFrom('t').select('n').execute()));
          const writes = Array.from({ length: 20 }, () => pool.write((db) => add(db, 1)));
          await sleep(300);
          await proxy.mend();
          expect((await Promise.all(reads)).every((rows) => rows.length === 2)).toBe(true);
          await Promise.all(writes);
        }
        expect(await numbers(database)).toEqual([60, 0]);
      },
      ({ uri }) => uri.replace(`:${port}`, `:${proxy.port}`),
    );
  });

  test('does again what was cut off before it was committed', async () => {
    await using proxy = await proxyTo(port);
    await withPool(
      server,
      async (pool, database) => {
        let attempts = 0;
        await pool.write(async (db) => {
          attempts += 1;
          await add(db, 1);
          if (attempts > 1) return;
          await proxy.cut();
          void sleep(100).then(() => proxy.mend());
          await add(db, 2);
        });
        expect(attempts).toBe(2);
        expect(await numbers(database)).toEqual([1, 0]);
      },
      ({ uri }) => uri.replace(`:${port}`, `:${proxy.port}`),
    );
  });

  test('does again what met a deadlock', async () => {
    await withPool(server, async (pool, database) => {
      let attempts = 0;
      const both = (first: number, second: number) =>
        pool.write(async (db) => {
          attempts += 1;
          await add(db, first);
          await sleep(200);
          await add(db, second);
        });
      await Promise.all([both(1, 2), both(2, 1)]);
      expect(await numbers(database)).toEqual([2, 2]);
      expect(attempts).toBeGreaterThan(2);
    });
  });

  test.skipIf(process.env.MTRACK_TESTS !== 'all')(
    'gives up where nobody answers, and is well again later',
    async () => {
      await using proxy = await proxyTo(port);
      await withPool(
        server,
        async (pool) => {
          await proxy.cut();
          const reads = Array.from({ length: 20 }, () => pool.read((db) => sql`SELECT 1 AS one`.execute(db)));
          const ends = await Promise.allSettled(reads);
          expect(ends.every(({ status }) => status === 'rejected')).toBe(true);
          await proxy.mend();
          const again = Array.from({ length: 40 }, () => pool.read((db) => sql`SELECT 1 AS one`.execute(db)));
          expect(await Promise.all(again)).toHaveLength(40);
        },
        ({ uri }) => uri.replace(`:${port}`, `:${proxy.port}`),
      );
    },
  );
});

describe('a commit whose answer is lost', () => {
  /** A connection that breaks when it commits. */
  const broken = (faults: unknown[]) => {
    const counted = { commits: 0 };
    const kysely = {
      transaction: () => ({
        execute: async (work: (db: unknown) => Promise<unknown>) => {
          const result = await work(undefined);
          counted.commits += 1;
          const fault = faults.shift();
          if (fault) throw fault;
          return result;
        },
      }),
    };
    const faultOf = (error: unknown): FaultKind => (error === 'lost' ? 'connection-lost' : 'other');
    const pool = serverPool<Tables>(kysely as unknown as Kysely<Tables>, {
      words: queryWords,
      faultOf,
      close: async () => undefined,
    });
    return { pool, counted };
  };

  test('is not done again, as it may have succeeded', async () => {
    const { pool, counted } = broken(['lost']);
    await expect(pool.write(async () => 1)).rejects.toBeInstanceOf(CommitUnknown);
    expect(counted.commits).toBe(1);
  });

  test('is done again where that does no harm', async () => {
    const { pool, counted } = broken(['lost', 'lost']);
    expect(await pool.write(async () => 1, { repeatable: true })).toBe(1);
    expect(counted.commits).toBe(3);
  });
});

describe('a pool of SQLite', () => {
  const server = SERVERS.sqlite;

  /** Another process that has the database for itself for a while. */
  async function heldBy(statements: string, database: TestDatabase, during: () => Promise<void>): Promise<void> {
    const other = spawn('sqlite3', ['-bail', database.name], { stdio: ['pipe', 'pipe', 'inherit'] });
    const ended = once(other, 'exit');
    other.stdin.write(`${statements}\nSELECT 'held';\n`);
    await once(other.stdout, 'data');
    const work = during();
    await sleep(700);
    other.stdin.end('COMMIT;\n');
    await Promise.all([ended, work]);
  }

  test('waits for a writer, and lets others read in the meantime', async () => {
    await withPool(server, async (pool, database) => {
      await heldBy('BEGIN IMMEDIATE; UPDATE t SET n = n + 100 WHERE id = 2;', database, async () => {
        let written = false;
        const write = pool
          .write((db) => add(db, 1))
          .then(() => {
            written = true;
          });
        const rows = await pool.read((db) => db.selectFrom('t').select('n').execute());
        expect(rows.map(({ n }) => n)).toEqual([0, 0]);
        expect(written).toBe(false);
        await write;
      });
      expect(await numbers(database)).toEqual([1, 100]);
    });
  });

  test('waits for readers before it commits', async () => {
    await withPool(server, async (pool, database) => {
      await heldBy('BEGIN; SELECT COUNT(*) FROM t;', database, async () => {
        await Promise.all([pool.write((db) => add(db, 1)), pool.write((db) => add(db, 1))]);
      });
      expect(await numbers(database)).toEqual([2, 0]);
    });
  });

  test('waits for one that keeps readers out', async () => {
    await withPool(server, async (pool, database) => {
      await heldBy('BEGIN EXCLUSIVE; UPDATE t SET n = 5 WHERE id = 2;', database, async () => {
        const rows = await pool.read((db) => db.selectFrom('t').select('n').orderBy('id').execute());
        expect(rows.map(({ n }) => n)).toEqual([0, 5]);
      });
    });
  });

  test('takes back the whole transaction for whoever cannot be told', async () => {
    await withPool(server, async (pool, database) => {
      await run(
        database,
        'CREATE TABLE child (id INTEGER, of INTEGER REFERENCES t (id) DEFERRABLE INITIALLY DEFERRED)',
      );
      const ends = await Promise.allSettled([
        pool.write((db) => add(db, 1)),
        pool.write((db) => sql`INSERT INTO child (id, of) VALUES (1, 99)`.execute(db)),
      ]);
      // The reference is checked when all of them are committed, and nobody knows whose it was.
      expect(ends.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
      expect(await numbers(database)).toEqual([0, 0]);
      await pool.write((db) => add(db, 1));
      expect(await numbers(database)).toEqual([1, 0]);
    });
  });
});
