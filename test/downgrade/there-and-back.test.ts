/** Back to an earlier revision and forth again: the schema there is MLflow's, and every row is what it was. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { assessDowngrade, refusalOf } from '../../src/downgrade/assess.js';
import { executeDowngrade } from '../../src/downgrade/execute.js';
import { restoreSideFile } from '../../src/downgrade/restore.js';
import { HEAD, revisions } from '../../src/schema/lineage.js';
import { opened, type TestDatabase, withDatabase } from '../support/databases.js';
import { EVERYTHING, sample } from '../support/extent.js';
import { releases } from '../support/fixtures.js';
import { golden, hasGoldens, inAnyOrder, plain } from '../support/golden.js';
import { run, stateOf, upgradeTo } from '../support/state.js';
import { forEachDialect } from '../support/suites.js';
import { inTemporaryFolder } from '../support/temporary.js';

/** The oldest revision that every one after it can be undone to: 181f10493468 cannot. */
const OLDEST = '181f10493468';
const OPTIONS = {
  lockTimeout: 10_000,
  patience: 10_000,
  signal: new AbortController().signal,
  onProgress: () => undefined,
};

const all = revisions.map(({ id }) => id);
const possible = all.slice(all.indexOf(OLDEST), -1);
/** Heads of releases, and the revisions before those that move rows or narrow columns. */
const SAMPLE = [
  'e7d1f4b2a9c6',
  'b7e2c1a4d9f3',
  'c8d9e0f1a2b3',
  'bda7b8c39065',
  '867495a8f9d4',
  'acf3f17fdcc7',
  '97727af70f4d',
  OLDEST,
];
const targets = EVERYTHING ? possible.toReversed() : SAMPLE;

/** @returns the side file; null where nothing was lost */
async function downgrade(database: TestDatabase, target: string, sideFile: string): Promise<string | null> {
  const db = await opened(database);
  const reader = await db.reader(1000);
  const assessed = await assessDowngrade(db, target, reader).finally(() => reader.close());
  if (!assessed) throw new Error(`already at ${target}`);
  const refusal = refusalOf(assessed);
  if (refusal) throw refusal;
  return (await executeDowngrade(db, assessed, { ...OPTIONS, sideFile })).sideFile;
}

async function schemaOf(database: TestDatabase) {
  const db = await opened(database);
  const reader = await db.reader(1000);
  return db.dialect.readCatalog(reader).finally(() => reader.close());
}

await forEachDialect('there and back', (server) => {
  const newest = releases(server.dialect).at(-1) ?? '';

  test(`from the head, with what MLflow ${newest} wrote`, async () => {
    await withDatabase(
      () => server.load(newest),
      async (database) => {
        await upgradeTo(database, HEAD);
        // The way up cancels them: that is what revision dc11669786a5 does.
        await run(database, 'UPDATE jobs SET status = 5 WHERE status IN (0, 1)');
        // The first schemas have no such state, and no version of a model without a run: both are refused, see below.
        await run(
          database,
          "UPDATE runs SET status = 'FAILED' WHERE status = 'KILLED'",
          "UPDATE model_versions SET run_id = '' WHERE run_id IS NULL",
        );
        const before = await stateOf(database);
        // A server takes several times as long as a file.
        for (const target of server.dialect === 'sqlite' ? targets : sample(targets, 5)) {
          await inTemporaryFolder(async (folder) => {
            const sideFile = await downgrade(database, target, join(folder, 'side.jsonl'));
            if (hasGoldens(server.goldens, target)) {
              const found = inAnyOrder(plain(await schemaOf(database)));
              expect(found, `schema at ${target}`).toEqual(inAnyOrder(golden(server.goldens, target)));
            }
            await upgradeTo(database, HEAD);
            const restored = sideFile === null ? null : await restoreSideFile(sideFile, await opened(database));
            const after = await stateOf(database);
            expect(after.version).toEqual(before.version);
            expect(after.rows, `rows after ${target}, of which ${JSON.stringify(restored)}`).toEqual(before.rows);
          });
        }
      },
    );
  }, 1_800_000);
});
