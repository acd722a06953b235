/** db backup, db backup-check and the gate as a user has them: the example of the README, passwords, signals, kill -9. */
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, expect, test } from 'vitest';
import { HEAD } from '../../../src/schema/lineage.js';
import { takenBackup, verdict } from '../../support/backups.js';
import { finished, mtrack, ROOT, RUN, start } from '../../support/cli.js';
import { type Server, type TestDatabase, withDatabase } from '../../support/databases.js';
import { scratchOf } from '../../support/scratch.js';
import { query, run, upgradeTo } from '../../support/state.js';
import { forEachDialect } from '../../support/suites.js';
import { filesIn, inTemporaryFolder } from '../../support/temporary.js';
import { programOnTerminal } from '../../support/terminal.js';
import { fingerprint } from '../../support/untouched.js';

/** For what these tests restore, and nobody else. */
const TEMPORARY = mkdtempSync(join(tmpdir(), 'mtrack-test-scratch-'));
afterAll(() => rmSync(TEMPORARY, { recursive: true, force: true }));

/** From here on no revision needs an agreement of its own. */
const LATE = 'dc11669786a5';

async function late(server: Server): Promise<TestDatabase> {
  const database = await server.load('2.9.2');
  await upgradeTo(database, LATE);
  return database;
}

/** Lines of the README behind the comment that names this file. */
function example(): string {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
  const block = /<!-- test\/commands\/db\/backup\.test\.ts .*-->\n```sh\n([\s\S]*?)```/.exec(readme)?.[1];
  if (block === undefined) throw new Error('the README has no such example');
  return block;
}

await forEachDialect('a backup', (server) => {
  test('the example of the README, as it stands', async () => {
    await withDatabase(
      () => late(server),
      async (database) => {
        await inTemporaryFolder(async (folder) => {
          let text = example();
          if (server.dialect === 'sqlite') copyFileSync(database.name, join(folder, 'mlflow.db'));
          else text = text.replace(/^(export MLFLOW_BACKEND_STORE_URI=).*$/m, `$1'${database.uri}'`);
          const script = `mtrack() { '${process.execPath}' '${RUN}' "$@"; }\nset -e\n${text}`;
          const answers = [{ after: 'Upgrade this database now? (y/N)', send: 'y\r' }];
          const { code, screen } = await programOnTerminal(['bash', '-c', script], answers, { cwd: folder });
          expect(code, screen).toBe(0);
          expect(screen).toContain('every row is the same in the database');
          expect(screen).toContain(`rehearsed: the upgrade to ${HEAD}`);
          expect(screen).toMatch(/before-upgrade\.receipt\.json holds: the backup was taken .* ago and restored/);
          expect(screen).toContain('when it was rehearsed');
          expect(screen).not.toContain('Nothing proves that there is a backup');
          expect(screen).toMatch(new RegExp(`upgraded to ${HEAD} .*: 3 revisions`));
          expect(filesIn(folder)).toEqual([
            'before-upgrade',
            'before-upgrade.manifest.json',
            'before-upgrade.receipt.json',
            ...(server.dialect === 'sqlite' ? ['mlflow.db'] : []),
          ]);
        });
      },
    );
  });

  test('looking writes nothing: taken, checked, restored, rehearsed, and refused at the gate', async () => {
    await withDatabase(
      () => late(server),
      async (database) => {
        const before = await fingerprint(server, database);
        await inTemporaryFolder(async (folder) => {
          const path = join(folder, 'backup');
          const env = { MLFLOW_BACKEND_STORE_URI: database.uri, TMPDIR: TEMPORARY };
          const taken = await mtrack(['db', 'backup', '--output', path, '--json'], { env });
          expect(taken.code, taken.stderr).toBe(0);
          expect(JSON.parse(taken.stdout)).toMatchObject({
            path,
            source: { revision: LATE },
            content: { versions: [LATE] },
          });
          const again = await mtrack(['db', 'backup', '--output', path], { env });
          expect(again).toMatchObject({ code: 2, stderr: expect.stringContaining('is there already') });
          const checked = await mtrack(['db', 'backup-check', path, '--rehearse', '--exact', '--restore', '--json'], {
            env,
          });
          expect(checked.code, checked.stderr).toBe(0);
          expect(JSON.parse(checked.stdout)).toMatchObject({ lacks: {}, notes: [], rehearsal: { to: HEAD } });
          const gate = ['db', 'upgrade', '--require-backup', path, '--require-rehearsal'];
          const dry = await mtrack([...gate, '--dry-run', '--json'], { env });
          expect(JSON.parse(dry.stdout).revisions[0].steps[0]).toMatchObject({ basis: 'rehearsed' });
          const old = await mtrack([...gate, '--max-age', '1ms', '--yes', '--json'], { env });
          expect(old.code).toBe(36);
          const other = await mtrack([...gate, '--to', 'e7d1f4b2a9c6', '--yes', '--json'], { env });
          expect(other.code).toBe(38);
          expect(JSON.parse(other.stdout)).toMatchObject({ error: { code: 'GATE_REFUSED' } });
        });
        expect(await fingerprint(server, database)).toBe(before);
        expect(await scratchOf(server, TEMPORARY)).toEqual([]);
      },
    );
  });

  test('alone it is read, and compared with nothing', async () => {
    await withDatabase(
      () => server.load('2.9.2'),
      async (database) => {
        await inTemporaryFolder(async (folder) => {
          const path = await takenBackup(database, join(folder, 'backup'));
          const { code, stdout } = await mtrack(['db', 'backup-check', path, '--alone', '--json']);
          expect(code).toBe(0);
          expect(JSON.parse(stdout)).toMatchObject({ manifest: true, revision: 'acf3f17fdcc7', tables: { runs: 31 } });
          // A store must be named, or it must be said that there is none: a check that was to compare must not pass alone.
          expect((await mtrack(['db', 'backup-check', path])).code).toBe(2);
          expect(filesIn(folder)).toEqual(['backup', 'backup.manifest.json']);
        });
      },
    );
  });

  test.skipIf(server.dialect === 'sqlite')('who may not make databases restores beside another one', async () => {
    await withDatabase(
      () => server.load('2.9.2'),
      async (database) => {
        await inTemporaryFolder(async (folder) => {
          const path = await takenBackup(database, join(folder, 'backup'));
          const reader = `mtrack_test_${database.name.slice(-8)}`;
          const rights = READING[server.dialect === 'mysql' ? 'mysql' : 'postgresql'](reader, database.name);
          await run(database, ...rights.made);
          try {
            const uri = database.uri.replace(/\/\/\w+@/, `//${reader}@`);
            const check = ['db', 'backup-check', path, uri, '--restore', '--exact'];
            const refused = await mtrack(check);
            expect(refused.code, refused.stderr).toBe(39);
            expect(refused.stderr).toMatch(/RESTORE_FAILED: no scratch database could be made[\s\S]*--scratch-uri/);
            const other = await mtrack([...check, '--scratch-uri', database.uri, '--json']);
            expect(other.code, other.stderr).toBe(0);
            expect(JSON.parse(other.stdout)).toMatchObject({ lacks: {}, restored: { seconds: expect.any(Number) } });
          } finally {
            await run(database, ...rights.dropped);
          }
        });
      },
    );
  });

  test.runIf(server.dialect === 'mysql')('where the tool is missing it says which', async () => {
    await withDatabase(
      () => server.empty(),
      async (database) => {
        await upgradeTo(database, LATE);
        await inTemporaryFolder(async (folder) => {
          const env = { PATH: folder };
          const { code, stderr } = await mtrack(['db', 'backup', database.uri, '-o', join(folder, 'backup')], { env });
          expect(code).toBe(30);
          expect(stderr).toContain('mariadb-dump or mysqldump is not in PATH');
          expect(filesIn(folder)).toEqual([]);
        });
      },
    );
  });

  test.skipIf(server.dialect === 'sqlite')('its password is in no list of processes and in no file', async () => {
    await withDatabase(
      () => late(server),
      async (database) => {
        const password = 's3cr3t-Pässwörd\'"\\ $x';
        const user = `mtrack_test_${database.name.slice(-8)}`;
        await withUser(server, database, user, password, async () => {
          await inTemporaryFolder(async (folder) => {
            const uri = database.uri.replace(/\/\/\w+@/, `//${user}:${encodeURIComponent(password)}@`);
            const options = { env: { MLFLOW_BACKEND_STORE_URI: uri, XDG_STATE_HOME: folder }, cwd: folder };
            const seen = new Set<string>();
            let said = '';
            for (const args of [
              ['db', 'backup', '--output', 'backup'],
              ['db', 'backup-check', 'backup', '--restore', '--rehearse'],
              ['db', 'upgrade', '--require-backup', 'backup', '--require-rehearsal', '--yes'],
              ['db', 'history'],
            ]) {
              const child = start(args, options);
              let running = true;
              const done = finished(child).finally(() => {
                running = false;
              });
              const leaks: string[] = [];
              while (running) {
                for (const line of commandLines()) {
                  if (/s3cr3t/.test(line)) leaks.push(line);
                  seen.add(/[^/\0]*(?=\0)/.exec(line)?.[0] ?? '');
                }
                await sleep(3);
              }
              const { code, stdout, stderr } = await done;
              expect(code, stderr).toBe(0);
              expect(leaks).toEqual([]);
              said += stdout + stderr;
            }
            // The tools were running while it was looked.
            const tools = server.dialect === 'mysql' ? ['mariadb-dump', 'mariadb'] : ['pg_dump', 'pg_restore', 'psql'];
            expect([...seen]).toEqual(expect.arrayContaining(tools));
            expect(said).toContain(user);
            expect(said).not.toMatch(/s3cr3t/);
            for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
              const content =
                name.endsWith('json') || name.endsWith('jsonl') ? readFileSync(join(folder, name), 'utf8') : '';
              expect(content, name).not.toMatch(/s3cr3t/);
            }
          });
        });
      },
    );
  });

  test('SIGINT drops the scratch database, and leaves no half backup', async () => {
    await withDatabase(
      () => late(server),
      async (database) => {
        await inTemporaryFolder(async (folder) => {
          const path = join(folder, 'backup');
          const env = { MLFLOW_BACKEND_STORE_URI: database.uri, TMPDIR: TEMPORARY };
          const child = start(['db', 'backup-check', path, '--restore', '--rehearse', '--json'], { env });
          // Not there yet: that one ends by itself.
          expect((await finished(child)).code).toBe(30);
          expect((await mtrack(['db', 'backup', '-o', path], { env })).code).toBe(0);
          for (const [args, isBegun] of [
            [
              ['db', 'backup-check', path, '--rehearse'],
              async () => (await scratchOf(server, TEMPORARY, { inUse: true })).length > 0,
            ],
            [
              ['db', 'backup', '-o', join(folder, 'other')],
              async () => filesIn(folder).some((name) => name.startsWith('other')),
            ],
          ] as const) {
            const running = start(args, { env });
            const done = finished(running);
            for (let i = 0; i < 600 && !(await isBegun()); i++) await sleep(10);
            running.kill('SIGINT');
            const { code, stderr } = await done;
            // It may have been through when the signal came, or not have begun to listen.
            expect([0, 5, null], stderr).toContain(code);
            if (code === 5) expect(stderr).toMatch(/INTERRUPTED/);
            expect(await scratchOf(server, TEMPORARY)).toEqual([]);
            expect(filesIn(folder).filter((name) => name.includes('partial'))).toEqual([]);
          }
        });
      },
    );
  });

  test('kill -9 at any moment: no half backup under its name, and the next run clears away what is left', async () => {
    await withDatabase(
      () => late(server),
      async (database) => {
        const env = { MLFLOW_BACKEND_STORE_URI: database.uri, TMPDIR: TEMPORARY };
        const before = await fingerprint(server, database);
        await inTemporaryFolder(async (folder) => {
          const path = join(folder, 'backup');
          const takes = await timed(['db', 'backup', '-o', join(folder, 'first')], env);
          for (const part of [0.5, 0.8]) {
            await killed(['db', 'backup', '-o', path], env, takes * part);
            if (!existsSync(path)) continue;
            expect(await verdict(path, database)).toBe('trusted');
            break;
          }
          if (!existsSync(path)) expect((await mtrack(['db', 'backup', '-o', path], { env })).code).toBe(0);
          await sleep(200);
          expect(filesIn(folder).filter((name) => /^backup(?!.*partial)/.test(name))).toContain('backup');

          const check = ['db', 'backup-check', join(folder, 'first'), '--rehearse'];
          const lasts = await timed(check, env);
          let left = 0;
          for (const part of [0.45, 0.65, 0.85]) {
            await killed(check, env, lasts * part);
            left += (await scratchOf(server, TEMPORARY)).length;
          }
          expect(left).toBeGreaterThan(0);
          const last = await mtrack(check, { env });
          expect(last.code, last.stderr).toBe(0);
          expect(await scratchOf(server, TEMPORARY)).toEqual([]);
        });
        expect(await fingerprint(server, database)).toBe(before);
      },
    );
  }, 600_000);
});

/** A user who may read a database, and nothing else. */
const READING = {
  postgresql: (user: string, database: string) => ({
    made: [
      `CREATE ROLE ${user} LOGIN`,
      `GRANT pg_read_all_data TO ${user}`,
      `GRANT CONNECT ON DATABASE ${database} TO ${user}`,
    ],
    dropped: [`REVOKE ALL ON DATABASE ${database} FROM ${user}`, `DROP ROLE ${user}`],
  }),
  mysql: (user: string, database: string) => ({
    made: [
      `CREATE USER ${user}@'127.0.0.1'`,
      `GRANT SELECT, SHOW VIEW, TRIGGER ON ${database}.* TO ${user}@'127.0.0.1'`,
    ],
    dropped: [`DROP USER ${user}@'127.0.0.1'`],
  }),
};

/** How long a run takes, in milliseconds. */
async function timed(args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const begun = performance.now();
  const { code, stderr } = await mtrack(args, { env });
  expect(code, stderr).toBe(0);
  return performance.now() - begun;
}

async function killed(args: readonly string[], env: NodeJS.ProcessEnv, after: number): Promise<void> {
  const child = start(args, { env });
  const done = finished(child);
  await sleep(after);
  child.kill('SIGKILL');
  await done;
}

/** Arguments of all processes, each ended by a zero. */
function commandLines(): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        return [readFileSync(`/proc/${pid}/cmdline`, 'utf8')];
      } catch {
        return [];
      }
    });
}

async function withUser(
  { dialect }: Server,
  database: TestDatabase,
  user: string,
  password: string,
  use: () => Promise<void>,
): Promise<void> {
  const quoted =
    dialect === 'mysql' ? password.replaceAll('\\', '\\\\').replaceAll("'", "\\'") : password.replaceAll("'", "''");
  const [made, dropped] =
    dialect === 'mysql'
      ? [
          [
            `CREATE USER ${user}@'127.0.0.1' IDENTIFIED BY '${quoted}'`,
            `GRANT ALL ON \`${database.name}\`.* TO ${user}@'127.0.0.1'`,
            `GRANT ALL ON \`mtrack\\_scratch\\_%\`.* TO ${user}@'127.0.0.1'`,
          ],
          [`DROP USER ${user}@'127.0.0.1'`],
        ]
      : [
          [`CREATE ROLE ${user} LOGIN SUPERUSER PASSWORD '${quoted}'`],
          [`REASSIGN OWNED BY ${user} TO postgres`, `DROP ROLE ${user}`],
        ];
  await run(database, ...made);
  try {
    await use();
  } finally {
    await run(database, ...dropped);
  }
}

await forEachDialect('the log of runs', (server) => {
  test('has each upgrade, when it began and how it ended, and shows what was changed in it', async () => {
    await withDatabase(
      () => late(server),
      async (database) => {
        await inTemporaryFolder(async (folder) => {
          const log = join(folder, 'log', 'history.jsonl');
          const args = ['db', 'upgrade', database.uri, '--yes', '--history-file', log];
          expect((await mtrack([...args, '--to', 'e7d1f4b2a9c6'])).code).toBe(0);
          expect((await mtrack(args)).code).toBe(0);
          // Nothing was changed by this one.
          expect((await mtrack(args)).code).toBe(0);
          const { code, stdout } = await mtrack(['db', 'history', '--history-file', log, '--json']);
          expect(code).toBe(0);
          expect(JSON.parse(stdout)).toMatchObject({
            verified: true,
            runs: [
              {
                command: 'db upgrade',
                from: LATE,
                to: 'e7d1f4b2a9c6',
                end: { outcome: 'done', did: ['e7d1f4b2a9c6'] },
              },
              { command: 'db upgrade', from: 'e7d1f4b2a9c6', to: HEAD, end: { outcome: 'done' } },
            ],
          });
          expect(await query(database, 'SELECT version_num FROM alembic_version')).toEqual([{ version_num: HEAD }]);
        });
      },
    );
  });
});
