/** `mtrack server` as a process: what it refuses, how it runs, and how it ends. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { hash } from 'bcryptjs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { HEAD } from '../../src/schema/lineage.js';
import { type RunningServer, startServer, stopped } from '../server/processes.js';
import { mtrack } from '../support/cli.js';
import type { TestDatabase } from '../support/databases.js';
import { oldest } from '../support/old-databases.js';
import { run, upgradeTo } from '../support/state.js';
import { forEachDialect } from '../support/suites.js';
import { filesIn, inTemporaryFolder } from '../support/temporary.js';
import { fingerprint } from '../support/untouched.js';

const json = (body: unknown): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});

const API = '/api/2.0/mlflow';

/** A server on a new SQLite database. */
async function onNewDatabase(
  args: readonly string[],
  use: (server: RunningServer, folder: string) => Promise<void>,
): Promise<void> {
  await inTemporaryFolder(async (folder) => {
    await using server = await startServer(
      ['--backend-store-uri', `sqlite:///${join(folder, 'mlflow.db')}`, '--init', ...args],
      { cwd: folder },
    );
    await use(server, folder);
  });
}

const refuse = async (uri: string, ...more: readonly string[]) => {
  const result = await mtrack(['server', '--port', '0', '--json', ...more], { env: { MLFLOW_BACKEND_STORE_URI: uri } });
  return { code: result.code, error: (JSON.parse(result.stdout) as { error: { code: string; fix: string[] } }).error };
};

/** States of a database that are refused, by what makes them of one at the head. */
const REFUSED: readonly (readonly [what: string, code: string, make: (database: TestDatabase) => Promise<unknown>])[] =
  [
    ['newer', 'DATABASE_NEWER', (database) => run(database, "UPDATE alembic_version SET version_num = 'ffffffffffff'")],
    ['without a version', 'UNVERSIONED', (database) => run(database, 'DROP TABLE alembic_version')],
    ['drifted', 'DRIFTED', (database) => run(database, 'DROP TABLE latest_metrics')],
  ];

await forEachDialect('a database that is refused', (server) => {
  let head: TestDatabase;
  beforeAll(async () => {
    head = await server.empty();
    await upgradeTo(head, HEAD);
  });
  afterAll(() => head.drop());

  test('is old: both revisions and the command are named, and nothing is written', async () => {
    const database = await oldest(server);
    try {
      const before = await fingerprint(server, database);
      const { code, error } = await refuse(database.uri);
      expect({ code, error: error.code }).toEqual({ code: 10, error: 'UPGRADE_PENDING' });
      expect(JSON.stringify(error)).toMatch(/revisions behind.*expected.*MLflow 3\.18/);
      expect(error.fix.join('\n')).toMatch(/take a backup first.*\n.*mtrack db upgrade/);
      expect(await fingerprint(server, database)).toBe(before);
    } finally {
      await database.drop();
    }
  });

  test('is empty: it says how to make the tables, and makes none', async () => {
    const database = await server.empty();
    try {
      const before = server.dialect === 'sqlite' ? null : await fingerprint(server, database);
      const { code, error } = await refuse(database.uri);
      expect({ code, error: error.code }).toEqual({ code: 12, error: 'DATABASE_EMPTY' });
      expect(error.fix.at(-1)).toContain('--init');
      if (before !== null) expect(await fingerprint(server, database)).toBe(before);
      else expect(filesIn(join(database.name, '..'))).toEqual([]);
    } finally {
      await database.drop();
    }
  });

  // What makes a database unusable is looked for in the store's own tests, on all of them.
  test.skipIf(server.dialect !== 'sqlite').each(REFUSED)(
    'is %s: %s, and nothing is written',
    async (_, expected, make) => {
      const database = await server.copy(head);
      try {
        await make(database);
        const before = await fingerprint(server, database);
        expect((await refuse(database.uri)).error.code).toBe(expected);
        expect((await refuse(database.uri, '--init')).error.code).toBe(expected);
        expect(await fingerprint(server, database)).toBe(before);
      } finally {
        await database.drop();
      }
    },
  );
});

describe('mtrack server', () => {
  test('says where it listens, answers what is under way when it is stopped, and ends with 0', () =>
    onNewDatabase([], async (server, folder) => {
      expect(await (await fetch(`${server.url}/version`)).text()).toBe('3.17.2');
      const upload = httpRequest(`${server.url}/api/2.0/mlflow-artifacts/artifacts/slow.txt`, {
        method: 'PUT',
        headers: { 'content-length': '10' },
      });
      upload.write('first');
      await sleep(100);
      const exit = once(server.process, 'exit');
      server.process.kill('SIGTERM');
      await sleep(300);
      upload.end('later');
      const [answer] = (await once(upload, 'response')) as [IncomingMessage];
      expect(answer.statusCode).toBe(200);
      expect((await exit)[0]).toBe(0);
      expect(readFileSync(join(folder, 'mlartifacts', 'slow.txt'), 'utf8')).toBe('firstlater');
    }));

  test('cuts what takes longer than the timeout', () =>
    onNewDatabase(['--shutdown-timeout', '300ms'], async (server, folder) => {
      const upload = httpRequest(`${server.url}/api/2.0/mlflow-artifacts/artifacts/slow.txt`, { method: 'PUT' });
      upload.on('error', () => undefined);
      upload.write('first');
      await sleep(100);
      const exit = once(server.process, 'exit');
      server.process.kill('SIGTERM');
      expect((await exit)[0]).toBe(0);
      expect(filesIn(folder)).not.toContain('slow.txt');
      expect(filesIn(join(folder, 'mlartifacts'))).toEqual([]);
    }));

  test('says that the address is taken', () =>
    onNewDatabase([], async (server, folder) => {
      const { port } = new URL(server.url);
      const uri = `sqlite:///${join(folder, 'mlflow.db')}`;
      const result = await mtrack(['server', '--backend-store-uri', uri, '--port', port]);
      expect(result.code).toBe(22);
      expect(result.stderr).toMatch(/something else listens on 127\.0\.0\.1:\d+ already/);
    }));

  test('asks for a password', () =>
    inTemporaryFolder(async (folder) => {
      const users = join(folder, 'users');
      writeFileSync(users, `ada:${await hash('secret word', 4)}\n`);
      await onNewDatabase(['--auth-file', users], async ({ url, log }) => {
        const get = (path: string, login?: string) =>
          fetch(`${url}${path}`, {
            headers: login === undefined ? {} : { authorization: `Basic ${Buffer.from(login).toString('base64')}` },
          });
        expect((await get('/health')).status).toBe(200);
        const refused = await get(`${API}/experiments/get?experiment_id=0`);
        expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([401, 'Basic realm="mlflow"']);
        expect((await get(`${API}/experiments/get?experiment_id=0`, 'ada:wrong')).status).toBe(401);
        expect((await get(`${API}/experiments/get?experiment_id=0`, 'ada:secret word')).status).toBe(200);
        expect((await get('/metrics')).status).toBe(401);
        expect(log()).not.toContain('secret');
      });
      const wrong = await mtrack(['server', '--auth-file', join(folder, 'none')], { cwd: folder });
      expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('--auth-file')]);
    }));

  test('speaks TLS', () =>
    inTemporaryFolder(async (folder) => {
      const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
      execFileSync(
        'openssl',
        [
          ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1'],
          ...['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', cert],
        ],
        { stdio: 'ignore' },
      );
      await onNewDatabase(['--tls-cert', cert, '--tls-key', key], async ({ url }) => {
        expect(url).toMatch(/^https:/);
        const asked = httpsRequest(`${url}/version`, { ca: readFileSync(cert) }).end();
        const [answer] = (await once(asked, 'response')) as [IncomingMessage];
        expect(await text(answer)).toBe('3.17.2');
      });
    }));

  test('refuses what is too large', () =>
    onNewDatabase(['--max-body', '1KB', '--max-upload', '2KB'], async ({ url }) => {
      const large = await fetch(`${url}${API}/experiments/create`, json({ name: 'x'.repeat(2000) }));
      expect([large.status, await large.json()]).toEqual([
        413,
        expect.objectContaining({ error_code: 'INVALID_PARAMETER_VALUE' }),
      ]);
      const put = (size: number) =>
        fetch(`${url}/api/2.0/mlflow-artifacts/artifacts/f`, { method: 'PUT', body: 'x'.repeat(size) });
      expect((await put(2000)).status).toBe(200);
      expect((await put(3000)).status).toBe(413);
      const chunked = httpRequest(`${url}/api/2.0/mlflow-artifacts/artifacts/g`, { method: 'PUT' });
      chunked.write('x'.repeat(1500));
      chunked.end('x'.repeat(1500));
      const [answer] = (await once(chunked, 'response')) as [IncomingMessage];
      expect(answer.statusCode).toBe(413);
      const listed = await fetch(`${url}/api/2.0/mlflow-artifacts/artifacts`);
      expect(await listed.json()).toEqual({ files: [{ path: 'f', is_dir: false, file_size: 2000 }] });
    }));

  test('logs lines of JSON with the id of the request, and no secret', () =>
    onNewDatabase(['--log-level', 'debug'], async ({ url, log }) => {
      await fetch(`${url}${API}/experiments/get?experiment_id=0`, { headers: { 'x-request-id': 'mine-7' } });
      await fetch(`${url}/version`, { headers: { host: 'evil.example.org' } });
      await sleep(50);
      const lines = log()
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Record<string, unknown>);
      expect(lines).toContainEqual(
        expect.objectContaining({ level: 'debug', request: 'mine-7', path: `${API}/experiments/get`, status: 200 }),
      );
    }));

  test('shares the port among workers, replaces one that dies, and counts for all of them', () =>
    onNewDatabase(['--workers', '2'], async ({ url, process: primary }) => {
      const workers = () =>
        execFileSync('ps', ['-o', 'pid=', '--ppid', String(primary.pid)], { encoding: 'utf8' })
          .trim()
          .split(/\s+/)
          .map(Number);
      const before = workers();
      expect(before).toHaveLength(2);
      const ask = async (times: number) => {
        // Each with a connection of its own, so that they are spread.
        const asked = Array.from({ length: times }, () =>
          fetch(`${url}${API}/experiments/search?max_results=5`, { headers: { connection: 'close' } }),
        );
        for (const answer of await Promise.all(asked)) expect(answer.status).toBe(200);
      };
      await ask(20);
      const total =
        /mtrack_http_requests_total\{method="GET",route="\/api\/2\.0\/mlflow\/experiments\/search",status="200"\} 20/;
      expect(await (await fetch(`${url}/metrics`)).text()).toMatch(total);
      process.kill(before[0] as number, 'SIGKILL');
      for (let i = 0; i < 100 && workers().filter((pid) => pid !== before[0]).length < 2; i++) await sleep(100);
      const after = workers();
      expect(after).toHaveLength(2);
      expect(after).not.toContain(before[0]);
      await sleep(1500);
      await ask(10);
      await stopped(primary);
      expect(primary.exitCode).toBe(0);
    }));

  test('serves ./mlruns when nothing is said, and a database that is there instead', () =>
    inTemporaryFolder(async (folder) => {
      const made = await startServer(['--backend-store-uri', 'sqlite:///mlflow.db', '--init'], { cwd: folder });
      await stopped(made.process);
      await using server = await startServer([], { cwd: folder });
      expect((await (await fetch(`${server.url}/api/3.0/mlflow/server-info`)).json()) as object).toMatchObject({
        store_type: 'SqlStore',
      });
    }));

  test('starts to answer within a second', { retry: 3 }, () =>
    inTemporaryFolder(async (folder) => {
      mkdirSync(join(folder, 'x'));
      const uri = `sqlite:///${join(folder, 'mlflow.db')}`;
      await stopped((await startServer(['--backend-store-uri', uri, '--init'])).process);
      const begun = performance.now();
      await using server = await startServer(['--backend-store-uri', uri]);
      await fetch(`${server.url}${API}/experiments/search?max_results=1`);
      // On an idle machine; one that is busy may take several times as long.
      expect(performance.now() - begun).toBeLessThan(10_000);
    }),
  );
});
