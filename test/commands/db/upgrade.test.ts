/** `mtrack db upgrade` as its user sees it: what is agreed to and how, targets, progress, waiting, and being stopped. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { finished, mtrack, start } from '../../support/cli.js';
import { opened, SERVERS, type Server, type TestDatabase, withDatabase } from '../../support/databases.js';
import { golden } from '../../support/golden.js';
import { broken, slowly, until, upgradeArgs } from '../../support/kill.js';
import { oldest } from '../../support/old-databases.js';
import { differences, query, run, stateOf, upgradeTo } from '../../support/state.js';
import { bothWays } from '../../support/status.js';
import { forEachDialect } from '../../support/suites.js';
import { inTemporaryFolder } from '../../support/temporary.js';
import { onTerminal } from '../../support/terminal.js';

const HEAD = 'f4a9b2c7d1e6';
const WIDER_PARAMS = '2d6e25af4d3e';
/** MLflow 1.30's: before the revision that needs an agreement of its own on every database. */
const BEFORE_CONSENT = '97727af70f4d';

const versionOf = async (database: TestDatabase) =>
  (await query<{ version_num: string }>(database, 'SELECT version_num FROM alembic_version')).map(
    ({ version_num }) => version_num,
  );

/** What an error says to do, its command as arguments of mtrack. */
function proposed(stderr: string): string[] {
  const line = stderr.split('\n').findLast((each) => each.includes('mtrack db upgrade')) ?? '';
  return line
    .trim()
    .replace(/^to do: +/, '')
    .split(' ')
    .slice(1);
}

/** The words of each dialect for how long `params` is closed, from the manuals of the databases. */
const LOCK_OF_PARAMS = {
  // SQLite knows locks of the whole file only, and changes a type by a copy of the table.
  sqlite: /params: the table is rewritten; blocks reads and writes \(EXCLUSIVE/,
  // A longer varchar is a change of the catalog (https://www.postgresql.org/docs/current/sql-altertable.html).
  postgresql: /params: only the catalog changes; blocks reads and writes \(ACCESS EXCLUSIVE\), under a second/,
  // Nor does InnoDB copy where the length takes two bytes already (https://mariadb.com/kb/en/innodb-online-ddl-operations-with-the-inplace-alter-algorithm/).
  mysql: /params: .*; blocks (nobody|reads and writes|writes) \(.*\), under a second/,
};
const BACKUP = { sqlite: 'sqlite3 ', postgresql: 'pg_dump ', mysql: 'mariadb-dump ' };

await forEachDialect('db upgrade', (server) => {
  const atVersion = (version: string, use: (database: TestDatabase) => Promise<void>) => () =>
    withDatabase(async () => {
      const database = await oldest(server);
      await upgradeTo(database, version);
      return database;
    }, use);

  test(
    'without a terminal it asks for --yes and for --accept, with the numbers of this database, and does as it proposed',
    atVersion(BEFORE_CONSENT, async (database) => {
      const none = await bothWays(['db', 'upgrade', database.uri]);
      expect(none.code).toBe(7);
      expect(none.stderr).toContain('Error CONSENT_REQUIRED: nothing was changed');
      expect(none.stderr).toContain('the upgrade (--yes)');
      expect(none.json.error).toMatchObject({
        code: 'CONSENT_REQUIRED',
        exit: 7,
        details: { missing: [WIDER_PARAMS] },
      });

      const yes = await bothWays(['db', 'upgrade', database.uri, '--yes']);
      expect(yes.code).toBe(7);
      expect(yes.stderr).not.toContain('(--yes)');
      for (const said of [none.stderr, yes.stderr]) {
        expect(said).toContain(`! ${WIDER_PARAMS} cannot be undone`);
        expect(said).toContain("MLflow's own downgrade of it does nothing");
        expect(said).toContain('older MLflow');
        // 24 runs with three params each, the longest 250 characters of two bytes.
        expect(said).toContain('This database: 72 rows in params; 250 characters in the longest value of params.');
        expect(said).toMatch(/take 8000 characters; MLflow itself accepts at most 6000/);
        expect(said).toMatch(LOCK_OF_PARAMS[server.dialect]);
        expect(said).toContain('take a backup: mtrack db backup ');
        expect(said).toContain(`or with the database's own tool: ${BACKUP[server.dialect]}`);
      }
      expect(yes.json.error).toMatchObject({
        fix: [
          expect.stringContaining('mtrack db backup '),
          expect.stringContaining(BACKUP[server.dialect]),
          expect.stringContaining(`--yes --accept ${WIDER_PARAMS}`),
        ],
        details: {
          consents: [
            {
              revision: WIDER_PARAMS,
              facts: [
                { label: 'rows in params', n: 72 },
                { label: 'characters in the longest value of params', n: 250 },
              ],
            },
          ],
        },
      });

      const wrong = await mtrack(['db', 'upgrade', database.uri, '--yes', '--accept', 'acf3f17fdcc7']);
      expect(wrong.code).toBe(7);
      const mistyped = await mtrack(['db', 'upgrade', database.uri, '--yes', '--accept', '2d6e25af4d3f']);
      expect(mistyped.code).toBe(2);
      expect(mistyped.stderr).toContain('--accept 2d6e25af4d3f: no such revision');
      expect(await versionOf(database)).toEqual([BEFORE_CONSENT]);

      const args = proposed(yes.stderr);
      expect(args).toEqual(['db', 'upgrade', database.uri, '--yes', '--accept', WIDER_PARAMS]);
      const done = await mtrack(args);
      expect(done.code, done.stderr).toBe(0);
      expect(done.stdout).toBe(`${done.stdout.split('\n')[0]}\n`);
      expect(done.stdout).toMatch(
        /^upgraded to f4a9b2c7d1e6 {2}\(MLflow 3.18\): 51 revisions in .*; schema and rows verified/,
      );
      // Progress is for people, on the other stream, one line for each revision, without control characters.
      expect(done.stderr).toMatch(/^\[1\/51\] 3500859a5d39 /m);
      expect(done.stderr).toMatch(/^\[51\/51\] f4a9b2c7d1e6 /m);
      expect(done.stderr + done.stdout).not.toContain('\x1b');
      expect(await versionOf(database)).toEqual([HEAD]);
    }),
  );

  test('each revision that loses something is agreed to by itself; none for an empty database', async () => {
    await withDatabase(
      () => oldest(server),
      async (database) => {
        const args = ['db', 'upgrade', database.uri, '--to', WIDER_PARAMS, '--yes', '--json'];
        const all = ['451aebb31d03', '90e64c465722', '181f10493468', WIDER_PARAMS];
        const missingWith = async (...accepted: string[]) => {
          const { code, stdout } = await mtrack([...args, ...accepted.flatMap((each) => ['--accept', each])]);
          expect(code).toBe(7);
          return JSON.parse(stdout).error.details.missing;
        };
        expect(await missingWith()).toEqual(all);
        expect(await missingWith('90e64c465722')).toEqual(['451aebb31d03', '181f10493468', WIDER_PARAMS]);
        expect(await missingWith(all.slice(0, 3).join(','))).toEqual([WIDER_PARAMS]);
        expect(await versionsTable(database)).toEqual([]);

        const { code, stdout, stderr } = await mtrack([...args, '--accept', all.join(',')]);
        expect(code, stdout).toBe(0);
        expect(stderr).toBe('');
        expect(JSON.parse(stdout)).toMatchObject({ from: 'base', to: WIDER_PARAMS, remainingDifferences: [] });
        expect(JSON.parse(stdout).applied).toHaveLength(22);
        expect(await versionOf(database)).toEqual([WIDER_PARAMS]);
      },
    );
  });

  test("an empty database gets MLflow's schema; then there is nothing to do, and one query says so", async () => {
    await withDatabase(
      () => server.empty(),
      async (database) => {
        const refused = await mtrack(['db', 'upgrade', database.uri]);
        expect(refused.code).toBe(7);
        expect(refused.stderr).not.toContain('backup');
        const made = await mtrack(['db', 'upgrade', database.uri, '--yes']);
        expect(made.code, made.stderr).toBe(0);
        const { schema, version } = await stateOf(database);
        const expected = { version: [HEAD], schema: golden(server.goldens, HEAD), rows: {} };
        expect(differences(expected, { version, schema, rows: {} })).toEqual([]);

        await inTemporaryFolder(async (folder) => {
          const log = join(folder, 'statements');
          const again = await mtrack(
            ['db', 'upgrade', database.uri],
            broken([], { MTRACK_STATEMENT_LOG: log, MLFLOW_SQLALCHEMYSTORE_ECHO: 'true' }),
          );
          expect(again.code, again.stderr).toBe(0);
          expect(again.stdout).toBe(`at revision ${HEAD}  (MLflow 3.18): nothing to do\n`);
          // SQLite is read by a library that is not listened to: there the echo has to do.
          const statements = existsSync(log) ? readFileSync(log, 'utf8') : again.stderr;
          const asked = statements.split('\n').filter((line) => /^"?\s*(SELECT|SHOW|WITH)\b/i.test(line));
          // What the server is, and whether a pooler stands before it, is asked of every connection.
          expect(asked.filter((line) => !/VERSION\(\) AS version|pg_backend_pid\(\) AS pid/.test(line))).toEqual([
            expect.stringMatching(/version_num.* FROM .*alembic_version/),
          ]);
        });
        const json = await mtrack(['db', 'upgrade', database.uri, '--yes', '--json']);
        expect(JSON.parse(json.stdout)).toMatchObject({ from: HEAD, to: HEAD, applied: [] });
      },
    );
  });

  test('only as far as a release, and never back', async () => {
    await withDatabase(
      () => server.load('2.9.2'),
      async (database) => {
        const done = await mtrack(['db', 'upgrade', database.uri, '--to', 'mlflow==2.14', '--yes']);
        expect(done.code, done.stderr).toBe(0);
        expect(done.stdout).toContain('upgraded to 5b0e9adcef9c  (MLflow 2.13 – 2.14)');
        expect(await versionOf(database)).toEqual(['5b0e9adcef9c']);
        const back = await bothWays(['db', 'upgrade', database.uri, '--to', 'mlflow==2.9', '--yes']);
        expect(back.code).toBe(13);
        expect(back.json.error).toMatchObject({ code: 'DATABASE_NEWER' });
        expect(back.stderr).toContain('5b0e9adcef9c (MLflow 2.13 – 2.14)');
        expect(back.stderr).toContain('acf3f17fdcc7 (MLflow 2.8 – 2.12)');
        expect(back.stderr).toContain('to go back: mtrack db downgrade --to');
        expect(await versionOf(database)).toEqual(['5b0e9adcef9c']);
      },
    );
  });

  test(
    'another session that holds a lock: 6 after the time that was to be waited, and who it is',
    atVersion(BEFORE_CONSENT, async (database) => {
      const other = await (await opened(database)).worker();
      try {
        const waits = await holdBack(server, other.run);
        const began = Date.now();
        const { code, stderr } = await mtrack(upgradeArgs(database.uri, 'head', ...waits));
        expect(code, stderr).toBe(6);
        expect(Date.now() - began).toBeLessThan(40_000);
        expect(stderr).toMatch(/^waiting for .+: .+/m);
        expect(stderr).toContain('Error LOCKED: ');
        expect(stderr).toMatch(/to do: +\S/);
        if (server.dialect !== 'sqlite') expect(stderr).toContain('--lock-timeout');
        await other.rollback();
      } finally {
        await other.close();
      }
      const { code, stderr } = await mtrack(upgradeArgs(database.uri, 'head', '--lock-timeout', '30s'));
      expect(code, stderr).toBe(0);
      expect(await versionOf(database)).toEqual([HEAD]);
    }),
  );

  test(
    'Ctrl-C in the middle: it stops at a safe point, says where the database stands, and the next run ends it',
    atVersion(BEFORE_CONSENT, async (database) => {
      await inTemporaryFolder(async (folder) => {
        const mark = join(folder, 'mark');
        // The first of three tables of 867495a8f9d4.
        const hold = { like: '^CREATE TABLE .?trace_info', side: 'after', does: 'hold', mark } as const;
        const child = start(upgradeArgs(database.uri), broken([hold]));
        const end = finished(child);
        await until('the upgrade is in its middle', () => existsSync(mark), 60_000);
        child.kill('SIGINT');
        if (server.dialect !== 'sqlite') await new Promise((resolve) => setTimeout(resolve, 100));
        child.kill('SIGINT');
        writeFileSync(`${mark}.go`, '');
        const { code, stderr } = await end;
        expect(code, stderr).toBe(5);
        expect(stderr).toContain('SIGINT: stopping at the next safe point');
        expect(stderr).toContain('Error INTERRUPTED: ');
        // One transaction for all of it on SQLite; on the others every revision that was ended stays.
        expect(stderr).toContain(
          server.dialect === 'sqlite'
            ? 'the database is as it was before the upgrade'
            : 'the database is at revision acf3f17fdcc7',
        );
        const status = await mtrack(['db', 'status', database.uri]);
        expect(status.code, status.stdout).toBe(server.dialect === 'mysql' ? 11 : 10);
        if (server.dialect === 'sqlite') expect(await versionOf(database)).toEqual([BEFORE_CONSENT]);

        const again = await mtrack(upgradeArgs(database.uri));
        expect(again.code, again.stderr).toBe(0);
        expect(await versionOf(database)).toEqual([HEAD]);
      });
    }),
  );

  test.skipIf(server.dialect === 'sqlite')(
    'a password is in no output: not in errors, plans, scripts, commands to copy, or the echo of statements',
    atVersion(BEFORE_CONSENT, async (database) => {
      const secret = 's3cr:t-p@ss';
      const user = `mtrack_${database.name.slice(-8)}`;
      await asAdministrator(server, database, [
        server.dialect === 'mysql'
          ? `CREATE USER ${user}@'127.0.0.1' IDENTIFIED BY '${secret}'; GRANT ALL ON ${database.name}.* TO ${user}@'127.0.0.1'`
          : `CREATE ROLE ${user} LOGIN SUPERUSER PASSWORD '${secret}'`,
      ]);
      const uri = database.uri.replace(/\/\/\w+@/, `//${user}:${encodeURIComponent(secret)}@`);
      try {
        let everything = '';
        for (const args of [[], ['--yes', '--json'], ['--dry-run'], ['--sql'], ['--accept', WIDER_PARAMS, '--yes']]) {
          const { code, stdout, stderr } = await mtrack(['db', 'upgrade', uri, ...args], {
            env: { MLFLOW_SQLALCHEMYSTORE_ECHO: 'true' },
          });
          expect([0, 7], stderr).toContain(code);
          everything += stdout + stderr;
        }
        expect(everything).toContain(':***@');
        expect(everything).toContain(user);
        expect(everything).toContain(BACKUP[server.dialect]);
        expect(everything).not.toMatch(/s3cr(:|%3A)t-p(@|%40)ss/i);
        // The command to copy is one word for a shell, and the password is left to be put in.
        expect(everything).toMatch(/mtrack db upgrade '\S+:\*\*\*@\S+' --yes/);
      } finally {
        await asAdministrator(server, database, [
          server.dialect === 'mysql'
            ? `DROP USER ${user}@'127.0.0.1'`
            : `REASSIGN OWNED BY ${user} TO postgres; DROP OWNED BY ${user}; DROP ROLE ${user}`,
        ]);
      }
    }),
  );
});

const asAdministrator = (server: Server, database: TestDatabase, statements: readonly string[]) =>
  server.runScript(database, `${statements.join(';\n')};\n`);

/** The rows of alembic_version, which need not be there. */
async function versionsTable(database: TestDatabase): Promise<readonly string[]> {
  return (await stateOf(database)).version ?? [];
}

/** Holds what the upgrade needs. @returns flags with which it waits a short while only */
async function holdBack({ dialect }: Server, statement: (sql: string) => Promise<number>): Promise<string[]> {
  switch (dialect) {
    case 'sqlite':
      await statement('BEGIN IMMEDIATE');
      return ['--wait-timeout', '1s'];
    case 'postgresql':
      await statement('BEGIN');
      await statement('LOCK TABLE params IN ROW EXCLUSIVE MODE');
      return ['--lock-timeout', '1s'];
    case 'mysql':
      await statement('START TRANSACTION');
      // A read is enough to keep the definition of a table as it is.
      await statement('DO (SELECT COUNT(*) FROM params)');
      return ['--lock-timeout', '1s'];
  }
}

describe('db upgrade --to', () => {
  test.each([
    { to: 'head', is: HEAD },
    { to: 'acf3f17fdcc7', is: 'acf3f17fdcc7' },
    { to: 'acf3', is: 'acf3f17fdcc7' },
    { to: 'mlflow==2.9', is: 'acf3f17fdcc7' },
    { to: 'mlflow==2.9.2', is: 'acf3f17fdcc7' },
    { to: 'mlflow==3.17', is: 'dc11669786a5' },
  ])('$to is $is', async ({ to, is }) => {
    const { code, stdout } = await mtrack(['db', 'upgrade', 'sqlite:///:memory:', '--dry-run', '--json', '--to', to]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout).to).toBe(is);
  });

  test.each(['nonsense', 'mlflow==9.9', 'mlflow==x', 'acf', '2d6e25af4d3f', ''])('"%s" is refused: 2', async (to) => {
    const { code, stderr } = await mtrack(['db', 'upgrade', 'sqlite:///:memory:', '--yes', '--to', to]);
    expect(code).toBe(2);
    expect(stderr).toContain(`Error TARGET_UNKNOWN: --to ${to}: `);
    expect(stderr).toMatch(/to do: +\S/);
  });
});

describe('db upgrade: flags that are wrong', () => {
  test.each([
    { flags: ['--lock-timeout', '3'], says: '--lock-timeout 3' },
    { flags: ['--wait-timeout', 'soon'], says: '--wait-timeout soon' },
    { flags: ['--frobnicate'], says: '--frobnicate' },
    { flags: ['--sql', '--dry-run'], says: '--dry-run' },
    { flags: ['--to', 'base:head'], says: '--sql' },
    { flags: ['another'], says: 'another' },
  ])('$flags: 2, and the flag is named', async ({ flags, says }) => {
    const { code, stderr } = await mtrack(['db', 'upgrade', 'sqlite:///:memory:', ...flags]);
    expect(code).toBe(2);
    expect(stderr).toContain('Error USAGE: ');
    expect(stderr).toContain(says);
  });
});

test.each([['db', 'upgarde'], ['db:upgarde', '--json'], ['upgrade']])(
  'an unknown command: 2, and where they are listed',
  async (...args) => {
    const { code, stderr } = await mtrack(args);
    expect(code).toBe(2);
    expect(stderr).toContain(
      `Error USAGE: there is no command \`mtrack ${args.filter((arg) => arg !== '--json').join(' ')}\``,
    );
    expect(stderr).toContain('mtrack db --help');
  },
);

test('an argument for a command that takes none: 2, and the argument is named', async () => {
  const { code, stderr } = await mtrack(['db', 'history', 'mlflow.db', '--json']);
  expect(code).toBe(2);
  expect(stderr).toContain('Error USAGE: `mtrack db history` takes no argument: mlflow.db');
  expect(stderr).toContain('mtrack db history --help');
});

describe('the store', () => {
  test('by argument, flag, file or environment; what is proposed names it in the same way', async () => {
    await withDatabase(
      () => SERVERS.sqlite.load('2.9.2'),
      (database) =>
        inTemporaryFolder(async (folder) => {
          const file = join(folder, "uri of 'mlflow'");
          writeFileSync(file, `${database.uri}\n`, { mode: 0o600 });
          const quoted = `'${file.replaceAll("'", "'\\''")}'`;
          const ways = [
            { args: [database.uri], env: {}, named: ` ${database.uri}` },
            { args: ['--backend-store-uri', database.uri], env: {}, named: ` ${database.uri}` },
            { args: ['--backend-store-uri-file', file], env: {}, named: ` --backend-store-uri-file ${quoted}` },
            { args: [], env: { MLFLOW_BACKEND_STORE_URI: database.uri }, named: '' },
            { args: [], env: { MLFLOW_TRACKING_URI: database.uri }, named: '' },
            // The command line is stronger than the environment.
            {
              args: [database.uri],
              env: { MLFLOW_BACKEND_STORE_URI: 'sqlite:////nowhere.db' },
              named: ` ${database.uri}`,
            },
          ];
          for (const { args, env, named } of ways) {
            const { code, stderr } = await mtrack(['db', 'upgrade', ...args], { env });
            expect(code, stderr).toBe(7);
            expect(stderr).toContain(`mtrack db upgrade${named} --yes\n`);
          }
          expect(await versionOf(database)).toEqual(['acf3f17fdcc7']);
        }),
    );
  });

  test.each([
    { args: ['sqlite:///a.db', '--backend-store-uri', 'sqlite:///b.db'], says: ['argument', '--backend-store-uri'] },
    { args: ['sqlite:///a.db', '--backend-store-uri-file', '/dev/null'], says: ['/dev/null is empty'] },
    { args: ['--backend-store-uri-file', '/nowhere/at/all'], says: ['/nowhere/at/all cannot be read'] },
    { args: [], says: ['no store is named', 'MLFLOW_BACKEND_STORE_URI'] },
  ])('$args: 2', async ({ args, says }) => {
    const { code, stderr } = await mtrack(['db', 'upgrade', '--yes', ...args]);
    expect(code).toBe(2);
    for (const each of says) expect(stderr).toContain(each);
  });
});

describe('on a terminal', () => {
  const withOld = (use: (database: TestDatabase) => Promise<void>) => () =>
    withDatabase(async () => {
      const database = await oldest(SERVERS.sqlite);
      await upgradeTo(database, BEFORE_CONSENT);
      return database;
    }, use);
  const OWN = 'cannot be undone? (y/N)';
  const LAST = 'Upgrade this database now? (y/N)';
  const MANY_PARAMS = `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 600000)
    INSERT INTO params (key, value, run_uuid) SELECT 'p' || i, 'value', run_uuid FROM n, (SELECT MIN(run_uuid) AS run_uuid FROM runs)`;

  test(
    'it shows the plan, the backup command and the warning, asks for each agreement, and shows what it does',
    withOld(async (database) => {
      // More rows than fit into some chunks, and time for each, so that there is a rate and a time left to be shown.
      await run(database, MANY_PARAMS);
      const { code, screen, unanswered } = await onTerminal(
        ['db', 'upgrade', database.uri],
        [
          { after: OWN, send: 'y\r' },
          { after: LAST, send: 'y\r' },
        ],
        slowly('^INSERT INTO .*params', 200),
      );
      expect(code, screen).toBe(0);
      expect(unanswered).toBe(0);
      expect(screen).toContain(`from  ${BEFORE_CONSENT}  (MLflow 1.29 – 2.2)`);
      expect(screen).toContain('Nothing proves that there is a backup (--require-backup)');
      expect(screen).toContain(`A backup first: mtrack db backup ${database.uri}`);
      expect(screen).toContain(`own tool: sqlite3 ${database.name} ".backup '${database.name}.backup'"`);
      expect(screen).toContain(`the proof: mtrack db backup-check BACKUP ${database.uri} --restore --rehearse`);
      expect(screen).toContain('This database: 600,072 rows in params');
      // Before the questions, not after them.
      expect(screen.indexOf('what takes time:')).toBeGreaterThan(0);
      expect(screen.indexOf('what takes time:')).toBeLessThan(screen.indexOf(OWN));
      expect(screen).toMatch(/upgrade: \[3\/51\] 2d6e25af4d3e params.value: 500 to 8000 characters/);
      expect(screen).toMatch(/copy params: [\d,]+ of 600,072 rows, [\d,]+ rows\/s, [\d.]+ s left/);
      expect(screen).toContain('verifying schema and rows');
      expect(screen).toMatch(/upgraded to f4a9b2c7d1e6 {2}\(MLflow 3.18\): 51 revisions in /);
      expect(await versionOf(database)).toEqual([HEAD]);
    }),
  );

  test.each([
    { what: 'no to the revision', answers: [{ after: OWN, send: 'n\r' }], says: 'the answer was no' },
    { what: 'Enter alone', answers: [{ after: OWN, send: '\r' }], says: 'the answer was no' },
    {
      what: 'yes to the revision, no to the upgrade',
      answers: [
        { after: OWN, send: 'y\r' },
        { after: LAST, send: 'n\r' },
      ],
      says: 'the answer was no',
    },
    { what: 'Ctrl-C', answers: [{ after: OWN, send: '\x03' }], says: 'no answer was given' },
  ])('$what: 7, and nothing was changed', async ({ answers, says }) => {
    await withOld(async (database) => {
      const before = await stateOf(database);
      const { code, screen } = await onTerminal(['db', 'upgrade', database.uri], answers);
      expect(code, screen).toBe(7);
      expect(screen).toContain(`Error CONSENT_REQUIRED: ${says}: nothing was changed`);
      expect(differences(before, await stateOf(database))).toEqual([]);
    })();
  });

  test(
    '--yes still asks for the revision that it does not cover; --accept alone still asks for the upgrade',
    withOld(async (database) => {
      const yes = await onTerminal(['db', 'upgrade', database.uri, '--yes'], [{ after: OWN, send: 'n\r' }]);
      expect(yes.code, yes.screen).toBe(7);
      const accept = await onTerminal(
        ['db', 'upgrade', database.uri, '--accept', WIDER_PARAMS],
        [{ after: LAST, send: 'y\r' }],
      );
      expect(accept.code, accept.screen).toBe(0);
      expect(accept.screen).not.toContain(OWN);
    }),
  );

  test(
    'Ctrl-C in the middle of an upgrade: 5, the file is as it was, and the next run ends it',
    withOld(async (database) => {
      await run(database, MANY_PARAMS);
      const { code, screen } = await onTerminal(
        ['db', 'upgrade', database.uri, '--yes', '--accept', WIDER_PARAMS],
        [{ after: 'copy params: ', send: '\x03' }],
        slowly('^INSERT INTO .*params', 200),
      );
      expect(code, screen).toBe(5);
      expect(screen).toContain('SIGINT: stopping at the next safe point');
      expect(screen).toContain('Error INTERRUPTED: ');
      expect(screen).toContain('the database is as it was before the upgrade');
      expect(await versionOf(database)).toEqual([BEFORE_CONSENT]);
      expect(existsSync(`${database.name}-journal`)).toBe(false);
      const again = await mtrack(upgradeArgs(database.uri));
      expect(again.code, again.stderr).toBe(0);
      expect(await versionOf(database)).toEqual([HEAD]);
    }),
  );
});
