/** File stores that MLflow wrote, moved into databases: real MLflow reads there what it read from the files. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { mtrack } from '../support/cli.js';
import { type Server, withDatabase } from '../support/databases.js';
import { EVERYTHING } from '../support/extent.js';
import { expectedAfterUpgrade, fileStoreReleases, unpackFileStore } from '../support/fixtures.js';
import { ORACLE } from '../support/mlflow.js';
import { Oracle } from '../support/oracle.js';
import { forEachDialect } from '../support/suites.js';
import { cutLongTags, experimentsAsMoved, type ReadStore, runsAsMoved } from './expected.js';

/** Releases before 2 left an experiment that was deleted as it was, in the trash: there it is active to MLflow, in a list that nobody sees. */
const trashOf = (root = '') => readdirSync(join(root, '.trash'));

const missing = inject('oracleMissing');

const RELEASES = fileStoreReleases();

let oracle: Oracle;
let folder: string;
const stores = new Map<string, string>();
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'mtrack-files-'));
  for (const release of RELEASES) stores.set(release, unpackFileStore(release, mkdtempSync(join(folder, 'store-'))));
  if (missing === null) oracle = new Oracle();
});
afterAll(async () => {
  await oracle?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

interface Imported {
  readonly renumbered: readonly { readonly from: string; readonly to: string }[];
  readonly tables: readonly { readonly table: string; readonly added: number; readonly equal: number }[];
  readonly unproven: readonly string[];
  readonly problems: readonly { readonly kind: string; readonly where: string }[];
}

const importing = async (release: string, uri: string, ...flags: string[]) => {
  const args = [
    '--from',
    stores.get(release) ?? '',
    '--to',
    uri,
    '--yes',

    '--json',
    '--revision',
    `mlflow==${ORACLE}`,
  ];
  const { code, stdout, stderr } = await mtrack(['import', ...args, ...flags]);
  expect({ stderr, said: code === 0 || code === 21 ? '' : stdout }).toEqual({ stderr: '', said: '' });
  const imported = JSON.parse(stdout) as Imported;
  expect(code).toBe(imported.problems.length === 0 ? 0 : 21);
  return imported;
};

/** The newest into every database, of the others each into one. */
const of = (server: Server, dialects: readonly string[]) =>
  RELEASES.filter(
    (release, at) =>
      EVERYTHING || release === RELEASES.at(-1) || at % dialects.length === dialects.indexOf(server.dialect),
  );

await forEachDialect('file stores', (server) => {
  describe.skipIf(missing !== null)(missing === null ? 'real MLflow' : `NOT RUN, ${missing}`, () => {
    test.each(of(server, ['sqlite', 'postgresql', 'mysql']))('that MLflow %s wrote', async (release) => {
      await withDatabase(
        () => server.empty(),
        async (database) => {
          const done = await importing(release, database.uri);
          expect(done.unproven).toEqual([]);
          const ids = new Map(done.renumbered.map(({ from, to }) => [from, to]));
          // SQLite's INTEGER holds any number that a file store gives.
          expect(ids.size > 0).toBe(server.dialect !== 'sqlite');

          const expected = expectedAfterUpgrade('filestore', release) as ReadStore;
          // SQLite's columns have no length.
          const cut = server.dialect === 'sqlite' ? [] : cutLongTags(expected);
          expect(done.problems).toHaveLength(cut.length);
          for (const [at, { kind, where }] of done.problems.entries()) {
            expect(kind).toBe('cut');
            expect(where).toContain(cut[at]);
          }
          const read = (await oracle.read(database.uri)) as unknown as ReadStore;
          expect(Object.keys(read.runs).length).toBeGreaterThan(0);
          expect(runsAsMoved(read)).toEqual(runsAsMoved(expected, ids));
          expect(experimentsAsMoved(read)).toEqual(experimentsAsMoved(expected, ids, trashOf(stores.get(release))));
          for (const noun of ['registered_models', 'logged_models', 'traces'] as const) {
            expect(Object.keys(read[noun] ?? {}).sort()).toEqual(Object.keys(expected[noun] ?? {}).sort());
          }

          await oracle.makeExperiment(database.uri, 'made afterwards');
          const again = await importing(release, database.uri);
          expect(again.tables.filter(({ added }) => added > 0)).toEqual([]);
          expect(again.renumbered).toEqual(done.renumbered);
        },
      );
    });
  });
});
