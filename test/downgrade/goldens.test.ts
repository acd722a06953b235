/** The way back from every revision makes the schema that real MLflow makes before it, on every dialect. */
import { expect, test } from 'vitest';
import { inOnePiece } from '../../src/dialect/ranges.js';
import { inverseOf } from '../../src/schema/inverse.js';
import { BASE, HEAD, revisions } from '../../src/schema/lineage.js';
import { opened, withDatabase } from '../support/databases.js';
import { golden, hasGoldens, inAnyOrder, plain } from '../support/golden.js';
import { upgradeTo } from '../support/state.js';
import { forEachDialect } from '../support/suites.js';

await forEachDialect('the way back', (server) => {
  test('from each revision leads to the schema before it', async () => {
    await withDatabase(server.empty, async (database) => {
      await upgradeTo(database, HEAD);
      const db = await opened(database);
      const session = await db.worker();
      try {
        await db.dialect.prepare(session, { lockTimeout: 10_000 });
        for (const revision of revisions.toReversed()) {
          let live = await db.dialect.readCatalog(session);
          for (const operation of inverseOf(revision, db.dialect)) {
            const { statements, after } = db.dialect.compile(operation, live);
            for (const { sql } of statements) await session.run(inOnePiece(sql));
            live = after;
          }
          const before = revision.parent ?? BASE;
          if (!hasGoldens(server.goldens, before)) continue;
          const found = plain(await db.dialect.readCatalog(session));
          expect(inAnyOrder(found), `back from ${revision.id}`).toEqual(inAnyOrder(golden(server.goldens, before)));
        }
      } finally {
        await session.close();
      }
    });
  });
});
