/**
 * What is described at /openapi.json is what is served: schemathesis makes requests of the description, right ones and wrong
 * ones, and every answer is one that is described, and none an error of the server. MTRACK_TESTS=all tries all that it can.
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, inject, test } from 'vitest';
import { EVERYTHING } from '../support/extent.js';
import { inTemporaryFolder } from '../support/temporary.js';
import { startServer } from './processes.js';

const exec = promisify(execFile);
const HOME = join(process.env.MTRACK_LAB ?? join(homedir(), 'mtrack-lab'), 'schemathesis-4.32.5');
const PROGRAM = join(HOME, 'bin', 'schemathesis');
const CHECKS = [
  'no_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_headers_conformance',
  'response_schema_conformance',
];
/** The same functions are served once more for the web pages, under /ajax-api. */
const EXTENT = EVERYTHING
  ? ['--phases', 'coverage,fuzzing,stateful', '--max-examples', '50']
  : ['--phases', 'fuzzing', '--max-examples', '3', '--seed', '1', '--exclude-path-regex', '^/ajax-api/'];

async function install(): Promise<void> {
  if (existsSync(PROGRAM)) return;
  mkdirSync(HOME, { recursive: true });
  await exec('python3', ['-m', 'venv', HOME]);
  await exec(join(HOME, 'bin', 'python'), ['-m', 'pip', 'install', '-q', 'schemathesis==4.32.5']);
}

// What cannot be had without a package index is missing where MLflow is.
test.skipIf(inject('oracleMissing') !== null).each(EVERYTHING ? ['database', 'files'] : ['database'])(
  'every answer is described, on %s',
  { timeout: 3_600_000 },
  async (kind) => {
    await install();
    await inTemporaryFolder(async (folder) => {
      const uri = kind === 'files' ? join(folder, 'mlruns') : `sqlite:///${join(folder, 'mlflow.db')}`;
      const args = ['--artifacts-destination', join(folder, 'files'), ...(kind === 'files' ? [] : ['--init'])];
      await using server = await startServer(args, { env: { MLFLOW_BACKEND_STORE_URI: uri } });
      const asked = ['run', `${server.url}/openapi.json`, '--checks', CHECKS.join(), ...EXTENT];
      const quiet = ['--continue-on-failure', '--no-shrink', '--warnings', 'off', '--no-color'];
      const { stdout } = await exec(PROGRAM, [...asked, ...quiet], {
        cwd: folder,
        env: {
          ...process.env,
          SCHEMATHESIS_HOOKS: 'described',
          PYTHONPATH: import.meta.dirname,
          PYTHONDONTWRITEBYTECODE: '1',
        },
        maxBuffer: 64 * 1024 * 1024,
      }).catch((error: { stdout?: string }) => ({ stdout: error.stdout ?? String(error) }));
      expect(stdout).toContain('No issues found');
      // How many there are differs from run to run: some for most of the routes.
      expect(Number(/(\d+) generated/.exec(stdout)?.[1])).toBeGreaterThan(100);
    });
  },
);
