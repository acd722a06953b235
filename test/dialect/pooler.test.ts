/**
 * PgBouncer, where it is installed (Debian: pgbouncer). It is no peer that CI must have: nothing of MLflow's needs it.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { mtrack } from '../support/cli.js';
import { SERVERS, type TestDatabase, withDatabase } from '../support/databases.js';
import { upgradeArgs } from '../support/kill.js';
import { query } from '../support/state.js';
import { inTemporaryFolder } from '../support/temporary.js';

const PGBOUNCER = ['/usr/sbin/pgbouncer', '/usr/bin/pgbouncer'].find(existsSync);
const missing = (await SERVERS.postgresql.unavailable()) ?? (PGBOUNCER ? null : 'pgbouncer is not installed');

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  await new Promise((closed) => server.close(closed));
  return typeof address === 'object' && address ? address.port : 0;
}

/** Runs a pooler before the server, and stops it. @param use given the store URI through it */
async function behind(mode: string, { name }: TestDatabase, use: (uri: string) => Promise<void>): Promise<void> {
  await inTemporaryFolder(async (folder) => {
    chmodSync(folder, 0o755);
    const port = await freePort();
    const [config, users] = [join(folder, 'pgbouncer.ini'), join(folder, 'users.txt')];
    writeFileSync(users, '"postgres" ""\n');
    writeFileSync(
      config,
      `[databases]
* = host=127.0.0.1 port=5432 user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
auth_type = trust
auth_file = ${users}
pool_mode = ${mode}
unix_socket_dir =
`,
    );
    const asUser = process.getuid?.() === 0 ? ['-u', 'postgres'] : [];
    const pooler = spawn(PGBOUNCER ?? '', [...asUser, config], { stdio: ['ignore', 'ignore', 'pipe'] });
    const ended = once(pooler, 'exit');
    try {
      for await (const chunk of pooler.stderr) if (String(chunk).includes('process up')) break;
      await use(`postgresql://postgres@127.0.0.1:${port}/${name}`);
    } finally {
      pooler.kill('SIGKILL');
      await ended;
    }
  });
}

test.skipIf(missing !== null)(
  `a pooler in transaction mode is refused${missing ? ` NOT RUN, ${missing}` : ''}`,
  async () => {
    await withDatabase(SERVERS.postgresql.empty, async (database) => {
      await behind('transaction', database, async (uri) => {
        for (const args of [['db', 'status', uri], ['db', 'upgrade', uri, '--dry-run'], upgradeArgs(uri)]) {
          const { code, stderr } = await mtrack(args);
          expect(code, stderr).toBe(3);
          expect(stderr).toContain('PgBouncer: pool_mode = transaction');
          expect(stderr).toContain('name the server itself in the store URI');
        }
        // Nothing of ours stays in a session that others get: it would keep them from writing.
        const shown = await promisify(execFile)('psql', [uri, '-Atc', 'SHOW default_transaction_read_only']);
        expect(shown.stdout.trim()).toBe('off');
      });
      expect(await query(database, "SELECT 1 AS one FROM pg_tables WHERE schemaname = 'public'")).toEqual([]);
    });
  },
);

test.skipIf(missing !== null)(
  `a pooler in session mode is as good as the server${missing ? ` NOT RUN, ${missing}` : ''}`,
  async () => {
    await withDatabase(SERVERS.postgresql.empty, async (database) => {
      await behind('session', database, async (uri) => {
        const { code, stderr } = await mtrack(upgradeArgs(uri));
        expect(code, stderr).toBe(0);
        expect((await mtrack(['db', 'status', uri])).code).toBe(0);
      });
    });
  },
);
