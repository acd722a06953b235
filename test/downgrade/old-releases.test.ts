/** After a downgrade to what an older MLflow release uses, that very release opens the database, and reads what there is. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { expect, inject, test } from 'vitest';
import { HEAD } from '../../src/schema/lineage.js';
import { mtrack } from '../support/cli.js';
import { withDatabase } from '../support/databases.js';
import { MAKE, releases } from '../support/fixtures.js';
import { olderMlflow } from '../support/mlflow.js';
import { Oracle } from '../support/oracle.js';
import { run, upgradeTo } from '../support/state.js';
import { forEachDialect } from '../support/suites.js';
import { inTemporaryFolder } from '../support/temporary.js';

const exec = promisify(execFile);

/** Each release, and how long a value of a param and of a tag may be in its schema. */
const OLDER = [
  { release: '3.0.1', params: 8000, tags: 8000 },
  { release: '2.22.0', params: 8000, tags: 8000 },
  { release: '2.9.2', params: 8000, tags: 5000 },
  { release: '1.30.1', params: 500, tags: 5000 },
] as const;
/** Installing a release takes a minute: one of them in a usual run. */
const TRIED = process.env.MTRACK_TESTS === 'all' ? OLDER : OLDER.filter(({ release }) => release === '2.9.2');

interface Read {
  readonly runs: Readonly<
    Record<
      string,
      {
        readonly info: Readonly<Record<string, unknown>>;
        readonly params: Readonly<Record<string, string>>;
        readonly tags: Readonly<Record<string, string>>;
        readonly metrics: unknown;
        readonly metric_history: unknown;
      }
    >
  >;
}

async function readBy(python: string, uri: string): Promise<Read> {
  return inTemporaryFolder(async (folder) => {
    const out = join(folder, 'read.json.gz');
    await exec(python, [join(MAKE, 'read_expected.py'), uri, out], {
      env: { ...process.env, PYTHONWARNINGS: 'ignore', MLFLOW_ALLOW_FILE_STORE: 'true' },
      maxBuffer: 64 * 1024 * 1024,
    });
    return JSON.parse(gunzipSync(readFileSync(out)).toString('utf8')) as Read;
  });
}

const cut = (values: Readonly<Record<string, string>>, length: number) =>
  Object.fromEntries(Object.entries(values).map(([key, value]) => [key, [...value].slice(0, length).join('')]));

await forEachDialect('an older MLflow after a downgrade', (server) => {
  const newest = releases(server.dialect).at(-1) ?? '';

  test.skipIf(inject('oracleMissing') !== null).each(TRIED)(
    'MLflow $release',
    { timeout: 900_000 },
    async ({ release, params, tags }) => {
      const python = await olderMlflow(release);
      await withDatabase(
        () => server.load(newest),
        async (database) => {
          // What MLflow 3.17 reads, whose revision the fixture is at.
          await using oracle = new Oracle();
          const before = (await oracle.read(database.uri)) as unknown as Read;
          await upgradeTo(database, HEAD);
          await run(database, "UPDATE model_versions SET run_id = '' WHERE run_id IS NULL");
          const to = `mlflow==${release.split('.').slice(0, 2).join('.')}`;
          await inTemporaryFolder(async (folder) => {
            const plan = await mtrack(['db', 'downgrade', database.uri, '--to', to, '--dry-run', '--json']);
            const { hash = '' } = JSON.parse(plan.stdout) as { hash?: string };
            const sideFile = join(folder, 'side.jsonl');
            const args = ['db', 'downgrade', database.uri, '--to', to, '--yes', '--accept-loss', hash];
            const done = await mtrack([...args, '--side-file', sideFile]);
            expect(done.stderr + done.stdout).toContain('schema and rows verified');
            const after = await readBy(python, database.uri);
            expect(Object.keys(after.runs).sort()).toEqual(Object.keys(before.runs).sort());
            for (const [id, run] of Object.entries(before.runs)) {
              const read = after.runs[id];
              expect(read?.params, id).toEqual(cut(run.params, params));
              expect(read?.tags, id).toEqual(cut(run.tags, tags));
              expect(read?.metrics, id).toEqual(run.metrics);
              expect(read?.metric_history, id).toEqual(run.metric_history);
            }
          });
        },
      );
    },
  );
});
