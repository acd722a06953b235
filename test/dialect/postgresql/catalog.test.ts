/** The catalog while somebody else alters tables: it is read as it was at some time, and never fails for it. */
import { expect, test } from 'vitest';
import { opened, SERVERS, withDatabase } from '../../support/databases.js';

const server = SERVERS.postgresql;
const READS = 60;

test.skipIf((await server.unavailable()) !== null)(
  'what is dropped while it is looked at is looked at again',
  async () => {
    await withDatabase(server.empty, async (database) => {
      const { dialect, reader, worker } = await opened(database);
      const [looks, alters] = [await reader(10_000), await worker()];
      let over = false;
      const altering = (async () => {
        while (!over) {
          await alters.run(`CREATE TABLE brief (id INT PRIMARY KEY, v VARCHAR(32) DEFAULT 'x',
          CONSTRAINT is_positive CHECK (id > 0), CONSTRAINT v_once UNIQUE (v))`);
          await alters.run('CREATE INDEX of_some ON brief (v) WHERE id > 5');
          await alters.run('DROP TABLE brief');
        }
      })();
      try {
        let seen = 0;
        for (let i = 0; i < READS; i++) {
          const { tables } = await dialect.readCatalog(looks);
          const brief = tables.get('brief');
          if (brief) seen++;
          expect(brief?.checks.length ?? 1).toBeLessThanOrEqual(1);
        }
        // It was there at times, and not at others, or this has tried nothing.
        expect(seen).toBeGreaterThan(0);
        expect(seen).toBeLessThan(READS);
      } finally {
        over = true;
        await altering;
        await alters.close();
        await looks.close();
      }
    });
  },
);
