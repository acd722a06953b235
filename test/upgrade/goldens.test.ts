/** The schema at every revision is the one that real MLflow makes, on every dialect. */
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { BASE, revisions } from '../../src/schema/lineage.js';
import type { Schema } from '../../src/schema/model.js';
import { opened, type TestDatabase, withDatabase } from '../support/databases.js';
import { sample } from '../support/extent.js';
import { golden, hasGoldens, plain, rawGolden } from '../support/golden.js';
import { GoldenReader } from '../support/golden-reader.js';
import { upgradeTo } from '../support/state.js';
import { forEachDialect } from '../support/suites.js';

const missing = inject('oracleMissing');

async function catalogOf(database: TestDatabase): Promise<Schema> {
  const { dialect, reader } = await opened(database);
  const session = await reader(1000);
  return dialect.readCatalog(session).finally(() => session.close());
}

let goldens: GoldenReader | null = null;
beforeAll(() => {
  if (missing === null) goldens = new GoldenReader();
});
afterAll(() => goldens?.[Symbol.asyncDispose]());

await forEachDialect('goldens', (server) => {
  const known = (revision: string) => hasGoldens(server.goldens, revision);

  const byWhom = missing === null ? '' : ` (the script that made the goldens NOT RUN, ${missing})`;
  describe(`each revision, one after the other, makes the schema that MLflow makes${byWhom}`, () => {
    let database: TestDatabase;
    beforeAll(async () => {
      database = await server.empty();
    });
    afterAll(() => database?.drop());

    // In the order of the lineage: each goes on from where the one before ended.
    test.each([BASE, ...revisions.map(({ id }) => id)])('%s', async (revision) => {
      await upgradeTo(database, revision);
      if (!known(revision)) return;
      expect(plain(await catalogOf(database))).toEqual(golden(server.goldens, revision));
      // And so says the script that made the goldens, to the last word of the catalog.
      if (goldens) expect(await goldens.read(database.uri)).toEqual(rawGolden(server.goldens, revision));
    });
  });

  test.each(
    sample(
      revisions.map(({ id }) => id),
      4,
    ),
  )('an empty database upgraded to %s in one go has that schema, too', async (revision) => {
    await withDatabase(server.empty, async (database) => {
      await upgradeTo(database, revision);
      if (known(revision)) expect(plain(await catalogOf(database))).toEqual(golden(server.goldens, revision));
    });
  });
});
