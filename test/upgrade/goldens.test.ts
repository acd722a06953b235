/** The schema at every revision is the one that real MLflow makes, on every dialect. */
import { expect, inject, test } from 'vitest';
import type { Database } from '../../src/dialect/dialect.js';
import { BASE, revisions } from '../../src/schema/lineage.js';
import type { Schema } from '../../src/schema/model.js';
import { assess } from '../../src/upgrade/assess.js';
import { execute } from '../../src/upgrade/execute.js';
import { opened, withDatabase } from '../support/databases.js';
import { golden, hasGoldens, plain, rawGolden } from '../support/golden.js';
import { GoldenReader } from '../support/golden-reader.js';
import { forEachDialect } from '../support/suites.js';

async function upgradeTo(database: Database, target: string): Promise<void> {
  const reader = await database.reader(1000);
  const assessment = await assess(database, target, reader).finally(() => reader.close());
  if (!assessment) throw new Error(`already at ${target}`);
  await execute(database, assessment.plan, {
    lockTimeout: 10_000,
    patience: 10_000,
    signal: new AbortController().signal,
    onProgress: () => undefined,
  });
}

async function catalogOf(database: Database): Promise<Schema> {
  const reader = await database.reader(1000);
  return database.dialect.readCatalog(reader).finally(() => reader.close());
}

await forEachDialect('goldens', (server) => {
  const known = (revision: string) => hasGoldens(server.goldens, revision);

  test('each revision, one after the other, makes the schema that MLflow makes', async () => {
    await withDatabase(server.empty, async (database) => {
      const db = await opened(database);
      for (const revision of [BASE, ...revisions.map(({ id }) => id)]) {
        await upgradeTo(db, revision);
        if (known(revision)) expect(plain(await catalogOf(db)), revision).toEqual(golden(server.goldens, revision));
      }
    });
  });

  test.skipIf(inject('oracleMissing') !== null)(
    'and so says the script that made the goldens, to the last word of the catalog',
    async () => {
      await using reader = new GoldenReader();
      await withDatabase(server.empty, async (database) => {
        const db = await opened(database);
        for (const revision of [BASE, ...revisions.map(({ id }) => id)]) {
          await upgradeTo(db, revision);
          if (known(revision))
            expect(await reader.read(database.uri), revision).toEqual(rawGolden(server.goldens, revision));
        }
      });
    },
  );

  test.each(revisions.map(({ id }) => id).filter((_, i, all) => i % 9 === 0 || i === all.length - 1))(
    'an empty database upgraded to %s in one go has that schema, too',
    async (revision) => {
      await withDatabase(server.empty, async (database) => {
        const db = await opened(database);
        await upgradeTo(db, revision);
        if (known(revision)) expect(plain(await catalogOf(db))).toEqual(golden(server.goldens, revision));
      });
    },
  );
});
