/** `mtrack verify` finds each row that is missing or differs, in whatever is compared, and changes nothing. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { mtrack } from '../support/cli.js';
import { SERVERS, type TestDatabase, withDatabase } from '../support/databases.js';
import { fileStoreReleases, releases, unpackFileStore } from '../support/fixtures.js';
import { broken, type Fault } from '../support/kill.js';
import { query, run } from '../support/state.js';
import { forEachDialect } from '../support/suites.js';
import { fingerprint } from '../support/untouched.js';

interface Verified {
  readonly verified: boolean;
  readonly tables: readonly {
    readonly table: string;
    readonly equal: number;
    readonly different: number;
    readonly missing: number;
    readonly others: number;
  }[];
  readonly problems: readonly { readonly kind: string; readonly where: string; readonly reason: string }[];
}

let folder: string;
let files: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mtrack-verify-'));
  files = unpackFileStore(fileStoreReleases().at(-1) ?? '', folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function verified(from: string, to: string): Promise<Verified> {
  const { code, stdout, stderr } = await mtrack(['verify', '--from', from, '--to', to, '--json']);
  expect(stderr).toBe('');
  const found = JSON.parse(stdout) as Verified;
  expect(code).toBe(found.verified ? 0 : 42);
  return found;
}

const unlike = ({ tables }: Verified) =>
  tables
    .filter(({ different, missing }) => different + missing > 0)
    .map(({ table, different, missing }) => ({ table, different, missing }));

await forEachDialect('files and', (server) => {
  test('what was made of them', async () => {
    await withDatabase(
      () => server.empty(),
      async (database) => {
        expect((await mtrack(['import', '--from', files, '--to', database.uri, '--yes'])).code).toBeOneOf([0, 21]);
        expect(unlike(await verified(files, database.uri))).toEqual([]);

        const [param] = await query<{ run_uuid: string }>(database, "SELECT run_uuid FROM params WHERE value = '1'");
        await run(
          database,
          `UPDATE params SET value = '2' WHERE value = '1' AND run_uuid = '${param?.run_uuid}'`,
          `INSERT INTO tags (${quoted(server.dialect)}, value, run_uuid) VALUES ('of others', 'x', '${param?.run_uuid}')`,
        );
        const before = await fingerprint(server, database);
        const found = await verified(files, database.uri);
        expect(found.verified).toBe(false);
        expect(unlike(found).map(({ table }) => table)).toEqual(['params']);
        expect(found.tables.find(({ table }) => table === 'tags')?.others).toBe(1);
        const [problem] = found.problems.filter(({ kind }) => kind === 'different');
        expect(problem?.where).toContain(param?.run_uuid);
        expect(await fingerprint(server, database)).toEqual(before);
      },
    );
  });
});

const quoted = (dialect: string) => (dialect === 'mysql' ? '`key`' : '"key"');

describe('databases of different releases', () => {
  test('are compared at the newer one', async () => {
    const [oldest, newest] = [releases('sqlite')[0] ?? '', releases('sqlite').at(-1) ?? ''];
    const both: TestDatabase[] = [await SERVERS.sqlite.load(oldest), await SERVERS.sqlite.load(newest)];
    try {
      const [old, young] = both.map(({ uri }) => uri);
      const found = await verified(old ?? '', young ?? '');
      expect(found.verified).toBe(false);
      // Two databases that were filled alike, by two runs of one script: no run is in both.
      const runs = found.tables.find(({ table }) => table === 'runs');
      expect(runs?.equal).toBe(0);
      expect(runs?.missing).toBeGreaterThan(10);
      expect(found.problems.filter(({ where }) => where.startsWith('runs, '))).toHaveLength(runs?.missing ?? -1);
      expect((await verified(young ?? '', young?.replace('sqlite:///', 'sqlite:////') ?? '')).verified).toBe(true);
    } finally {
      for (const each of both) await each.drop();
    }
  });
});

await forEachDialect('two databases', (server) => {
  test.skipIf(server.dialect === 'sqlite')('of a kind: the one whose connection breaks is named', async () => {
    const newest = releases(server.dialect).at(-1) ?? '';
    await withDatabase(
      () => server.load(newest),
      (one) =>
        withDatabase(
          () => server.load(newest),
          async (other) => {
            const like = 'FROM .?params.?\\s+ORDER BY';
            // The source is read first.
            const mark = join(folder, `read-${server.dialect}`);
            writeFileSync(`${mark}.go`, '');
            const faults: Fault[] = [
              { like, side: 'before', does: 'hold', mark },
              { like, side: 'before', does: 'cut' },
            ];
            const { code, stdout } = await mtrack(
              ['verify', '--from', one.uri, '--to', other.uri, '--json'],
              broken(faults),
            );
            const { error } = JSON.parse(stdout) as { error: { code: string; found: string } };
            expect({ code, name: error.code }).toEqual({ code: 4, name: 'CONNECTION_LOST' });
            expect(error.found).toContain(other.name);
            expect(error.found).not.toContain(one.name);
          },
        ),
    );
  });
});

test('a store is not compared with itself', async () => {
  const { code } = await mtrack(['verify', '--from', files, '--to', files]);
  expect(code).toBe(2);
});
