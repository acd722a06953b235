/**
 * Clients of old releases do their daily work against this server, and read what they read from MLflow's own: that was
 * recorded (old.json), and is compared anew with MTRACK_TESTS=all.
 */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, inject, test } from 'vitest';
import { SERVERS, withDatabase } from '../support/databases.js';
import { EVERYTHING } from '../support/extent.js';
import { olderMlflow } from '../support/mlflow.js';
import { inTemporaryFolder } from '../support/temporary.js';
import { startMlflow, startServer } from './processes.js';

const exec = promisify(execFile);
const SCRIPT = join(import.meta.dirname, 'client', 'old.py');
const RECORDED = readFileSync(join(import.meta.dirname, 'client', 'old.json'), 'utf8');

/** Installing a release takes half a minute. */
const RELEASES = EVERYTHING ? ['1.30.1', '2.9.2', '2.22.0'] : ['1.30.1', '2.9.2'];
const KINDS = EVERYTHING ? Object.values(SERVERS) : [SERVERS.sqlite];

async function work(release: string, url: string): Promise<Record<string, unknown>> {
  const python = await olderMlflow(release);
  return inTemporaryFolder(async (cwd) => {
    const env = { ...process.env, PYTHONWARNINGS: 'ignore', PYTHONDONTWRITEBYTECODE: '1' };
    const { stdout } = await exec(python, [SCRIPT, url], { cwd, env });
    return JSON.parse(stdout) as Record<string, unknown>;
  });
}

/** Aliases are younger than the first of them. */
function expected(release: string): Record<string, unknown> {
  const { alias, ...read } = JSON.parse(RECORDED) as Record<string, unknown>;
  return release.startsWith('1.') ? read : { ...read, alias };
}

describe.skipIf(inject('oracleMissing') !== null)("an old client's work", { timeout: 600_000 }, () => {
  describe.each(KINDS)('on $dialect', (server) => {
    test.each(RELEASES)('MLflow %s', async (release) => {
      await withDatabase(server.empty, (database) =>
        inTemporaryFolder(async (folder) => {
          const args = ['--init', '--artifacts-destination', join(folder, 'files')];
          await using running = await startServer(args, { env: { MLFLOW_BACKEND_STORE_URI: database.uri } });
          expect(await work(release, running.url)).toEqual(expected(release));
        }),
      );
    });
  });

  // 1.30 cannot work with the registry of MLflow 3: it asks at paths that are not there any more.
  test.runIf(EVERYTHING).each(['2.9.2', '2.22.0'])("MLflow %s against MLflow's server", async (release) => {
    await inTemporaryFolder(async (folder) => {
      const store = { uri: `sqlite:///${join(folder, 'mlflow.db')}`, destination: join(folder, 'files') };
      await using mlflow = await startMlflow([store]);
      expect(await work(release, mlflow.urls[0] ?? '')).toEqual(expected(release));
    });
  });
});
