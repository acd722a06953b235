/** Imports that others disturb: a source that is written to, a target that is gone, full or of an older MLflow. */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { finished, mtrack, type Result, start } from '../support/cli.js';
import { SERVERS, type TestDatabase, withDatabase } from '../support/databases.js';
import { releases } from '../support/fixtures.js';
import { broken, type Fault, until } from '../support/kill.js';
import { differences, query, run, type State, stateOf } from '../support/state.js';
import { forEachDialect } from '../support/suites.js';
import { inTemporaryFolder } from '../support/temporary.js';
import { fingerprint } from '../support/untouched.js';

const [OLDEST = '', NEWEST = ''] = [releases('sqlite')[0], releases('sqlite').at(-1)];

let source: TestDatabase;
beforeAll(async () => {
  source = await SERVERS.sqlite.load(NEWEST);
});
afterAll(async () => source?.drop());

const args = (from: string, to: string) => [
  ...['import', '--from', from, '--to', to, '--yes', '--json'],
  ...['--transaction-rows', '150'],
];

const error = ({ stdout }: Result) => (JSON.parse(stdout) as { error?: { code: string } }).error?.code;

/** How each database says that there is no room. */
const FULL: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  sqlite: { message: 'database or disk is full', code: 'SQLITE_FULL' },
  postgresql: { message: 'could not extend file "base/1/2": No space left on device', code: '53100' },
  mysql: { message: "The table 'params' is full", errno: 1114, code: 'ER_RECORD_FILE_FULL', sqlState: 'HY000' },
};

await forEachDialect('an import', (server) => {
  /** Tables, and nothing in them, so that it is the rows that are disturbed. */
  let made: TestDatabase;
  let whole: State;
  beforeAll(async () => {
    made = await server.empty();
    const { code, stderr } = await mtrack(['db', 'upgrade', made.uri, '--yes', '--to', 'mlflow==3.17']);
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
    const undisturbed = await server.copy(made);
    expect((await mtrack(args(source.uri, undisturbed.uri))).code).toBe(0);
    whole = await stateOf(undisturbed);
    await undisturbed.drop();
  });
  afterAll(async () => made?.drop());

  const disturbed = (fault: Fault, code: number, name: string) =>
    withDatabase(
      () => server.copy(made),
      async (to) => {
        const failed = await mtrack(args(source.uri, to.uri), broken([fault]));
        expect({ code: failed.code, name: error(failed) }).toEqual({ code, name });
        const again = await mtrack(args(source.uri, to.uri));
        expect({ code: again.code, error: error(again) }).toEqual({ code: 0, error: undefined });
        expect(differences(whole, await stateOf(to))).toEqual([]);
      },
    );

  const like = server.dialect === 'postgresql' ? '^COMMIT' : 'INSERT (?:OR FAIL )?INTO .?(?:tags|params)';

  test('into a database that is full says so, and goes on when there is room', async () => {
    await disturbed({ like, side: 'before', does: 'error', error: FULL[server.dialect] ?? {} }, 18, 'DISK_FULL');
  });

  test.skipIf(server.dialect === 'sqlite')('whose connection breaks says so, and goes on', async () => {
    await disturbed({ like: '^COMMIT', side: 'sent', does: 'cut' }, 4, 'CONNECTION_LOST');
  });

  test('that is told to stop does so, and goes on', async () => {
    await withDatabase(
      () => server.copy(made),
      (to) =>
        inTemporaryFolder(async (folder) => {
          const mark = join(folder, 'mark');
          const child = start(args(source.uri, to.uri), broken([{ like, side: 'before', does: 'hold', mark }]));
          const stopped = finished(child);
          await until('it loads', () => existsSync(mark));
          child.kill('SIGTERM');
          writeFileSync(`${mark}.go`, '');
          const failed = await stopped;
          expect({ code: failed.code, name: error(failed) }).toEqual({ code: 5, name: 'INTERRUPTED' });
          expect((await mtrack(args(source.uri, to.uri))).code).toBe(0);
          expect(differences(whole, await stateOf(to))).toEqual([]);
        }),
    );
  });

  test('into a database of an older MLflow is refused, with the command that helps', async () => {
    await withDatabase(
      () => server.load(OLDEST),
      async (to) => {
        const before = await fingerprint(server, to);
        const { code, stderr } = await mtrack(['import', '--from', source.uri, '--to', to.uri, '--yes']);
        expect({ code, stderr }).toEqual({ code: 10, stderr: expect.stringMatching(/mtrack db upgrade .* --to \w+/) });
        expect(await fingerprint(server, to)).toEqual(before);
      },
    );
  });

  test('of a database that somebody is writing to is of one moment', async () => {
    await withDatabase(
      () => server.load(NEWEST),
      async (from) => {
        const key = server.dialect === 'mysql' ? '`key`' : '"key"';
        const id = (n: number) => String(n).padStart(32, '0');
        const write = (n: number) =>
          run(
            from,
            // While the file is copied nobody can commit.
            ...(server.dialect === 'sqlite' ? ['PRAGMA busy_timeout = 10000'] : []),
            'BEGIN',
            `INSERT INTO runs (run_uuid, name, experiment_id, status, lifecycle_stage, start_time, source_type) VALUES ('${id(n)}', 'n', 0, 'RUNNING', 'active', ${n}, 'LOCAL')`,
            ...Array.from(
              { length: 5 },
              (_, at) => `INSERT INTO params (${key}, value, run_uuid) VALUES ('p${at}', 'x', '${id(n)}')`,
            ),
            `INSERT INTO tags (${key}, value, run_uuid) VALUES ('t', 'x', '${id(n)}')`,
            'COMMIT',
          );
        await inTemporaryFolder(async (folder) => {
          const to = `sqlite:///${join(folder, 'to.db')}`;
          const child = finished(start(args(from.uri, to)));
          let isOver = false;
          child.then(() => {
            isOver = true;
          });
          let n = 0;
          while (!isOver) {
            await write(n++);
            // SQLite answers at once: others must have their turn.
            await new Promise((resolve) => setTimeout(resolve, 5));
          }
          const { code, stdout } = await child;
          expect({ code, said: code === 0 ? '' : stdout }).toEqual({ code: 0, said: '' });
          expect(n).toBeGreaterThan(5);
          const target: TestDatabase = { ...source, uri: to, name: join(folder, 'to.db') };
          const torn = await query(
            target,
            `SELECT r.run_uuid FROM runs r WHERE r.name = 'n' AND r.experiment_id = 0 AND (
              (SELECT COUNT(*) FROM params p WHERE p.run_uuid = r.run_uuid) <> 5 OR NOT EXISTS (SELECT 1 FROM tags t WHERE t.run_uuid = r.run_uuid))`,
          );
          expect(torn).toEqual([]);
          const [before] = await query<{ n: number }>(target, "SELECT COUNT(*) AS n FROM runs WHERE name = 'n'");
          expect(Number(before?.n)).toBeLessThan(n);
          // The rest comes by the next one.
          expect((await mtrack(args(from.uri, to))).code).toBe(0);
          const [after] = await query<{ n: number }>(target, "SELECT COUNT(*) AS n FROM runs WHERE name = 'n'");
          expect(Number(after?.n)).toBe(n);
        });
      },
    );
  });
});
