/** Whether what a backup refers to is there: the artifacts of its models. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openArtifacts } from '../../src/artifacts/open.js';
import { artifactOptions } from '../../src/cli/artifacts.js';
import { check, takenBackup } from '../support/backups.js';
import { withDatabase } from '../support/databases.js';
import { query, run } from '../support/state.js';
import { forEachDialect } from '../support/suites.js';
import { inTemporaryFolder } from '../support/temporary.js';

await forEachDialect('artifacts of a backup', (server) => {
  test('are looked for where its models have them', async () => {
    await withDatabase(
      () => server.load('2.9.2'),
      async (database) => {
        await inTemporaryFolder(async (folder) => {
          const place = join(folder, 'a model');
          mkdirSync(place);
          writeFileSync(join(place, 'MLmodel'), 'flavors: {}\n');
          // Of one version that was deleted, of one that refers to a run, and of others.
          const versions = await query<{ n: number | string }>(database, 'SELECT COUNT(*) AS n FROM model_versions');
          expect(Number(versions[0]?.n)).toBeGreaterThan(3);
          await run(
            database,
            `UPDATE model_versions SET source = '${place}', storage_location = '${place}', status = 'READY'`,
            "UPDATE model_versions SET source = 'runs:/abc/model', storage_location = NULL WHERE version = 2",
          );
          const artifacts = openArtifacts(artifactOptions({ timeout: 10_000, retries: 0 }, {}));
          const list = async (uri: string) => (await artifacts.open(uri)).list('');
          const path = await takenBackup(database, join(folder, 'backup'));
          const { artifacts: report } = await check(path, database, { restore: true, listArtifacts: list });
          expect(report).toEqual({ looked: 1, missing: [], unknown: [] });
          rmSync(place, { recursive: true });
          await expect(check(path, database, { restore: true, listArtifacts: list })).rejects.toMatchObject({
            code: 'BACKUP_ARTIFACTS',
            exit: 37,
            failure: { found: expect.stringContaining(`nothing is at ${place}`) },
          });
        });
      },
    );
  });
});
