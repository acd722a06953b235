/** What is never deleted, and what happens to a run whose artifacts cannot be. */
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { SERVERS } from '../support/databases.js';
import { dropTemplates, filesIn, id, type SmallStore, withSmallStore } from '../support/gc.js';
import { insertRows } from '../support/rows.js';
import { query, run } from '../support/state.js';
import { forEachDialect } from '../support/suites.js';

const OLD = { deletedAt: 1 };
const onStore = (use: (store: SmallStore) => Promise<void>) => () => withSmallStore(SERVERS.sqlite, use);

afterAll(dropTemplates);

function put(path: string, content = 'x'): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}

describe('artifacts', () => {
  test(
    'go with the folder of their run, however the place is written; missing ones are no failure',
    onStore(async (store) => {
      const place = (n: number) => join(store.root, 'place ü', id(n), 'artifacts');
      for (const n of [1, 2]) put(join(place(n), 'deep', 'file'));
      await store.add(
        { id: id(1), ...OLD, location: place(1) },
        { id: id(2), ...OLD, location: pathToFileURL(place(2)).href },
        { id: id(3), ...OLD, location: `file://${place(3)}` },
        { id: id(4), ...OLD, location: null },
      );
      const report = await store.collect();
      expect(report).toMatchObject({ artifacts: { objects: 2, bytes: 2, missing: 1 }, failed: [], kept: [] });
      expect(report.removed.runs).toHaveLength(4);
      expect(existsSync(dirname(place(1)))).toBe(false);
      expect(existsSync(join(store.root, 'place ü'))).toBe(true);
    }),
  );

  test(
    'that are in no folder of the run itself are never deleted, and the run stays',
    onStore(async (store) => {
      put(join(store.root, 'precious'));
      const places = [
        store.root,
        '/',
        join(store.root, '1'),
        `${store.root}/1/${id(3)}/../../precious`,
        pathToFileURL(store.root).href,
      ];
      await store.add(...places.map((location, i) => ({ id: id(i + 1), ...OLD, location })));
      const report = await store.collect();
      expect(report.removed.runs).toEqual([]);
      expect(report.kept.map(({ reason }) => reason)).toEqual(places.map(() => 'foreign-location'));
      expect(existsSync(join(store.root, 'precious'))).toBe(true);
    }),
  );

  test(
    'that something living has a part in are never deleted: at the same place, in it, or around it',
    onStore(async (store) => {
      const own = (n: number) => join(store.root, '1', id(n), 'artifacts');
      for (const n of [1, 2, 3, 4]) put(join(own(n), 'file'));
      await store.add(
        { id: id(1), ...OLD },
        { id: id(11), location: own(1) },
        { id: id(2), ...OLD },
        { id: id(12), location: join(own(2), id(12), 'artifacts') },
        { id: id(3), ...OLD, location: join(store.root, '1', id(13), 'artifacts', id(3), 'artifacts') },
        { id: id(13) },
        { id: id(4), ...OLD },
        { id: id(5), ...OLD },
      );
      await insertRows(store.database, {
        logged_models: [
          {
            model_id: `m-${id(1)}`,
            experiment_id: 1,
            name: 'inside',
            artifact_location: join(own(4), 'models', `m-${id(1)}`, 'artifacts'),
            creation_timestamp_ms: 1,
            last_updated_timestamp_ms: 1,
            status: 2,
            lifecycle_stage: 'active',
          },
        ],
      });
      const before = filesIn(store.root);
      const report = await store.collect();
      expect(report.kept.map((each) => [each.id, each.reason])).toEqual([1, 2, 3, 4].map((n) => [id(n), 'shared']));
      expect(report.removed.runs).toEqual([id(5)]);
      expect(filesIn(store.root)).toEqual(before);
      // When nobody else has a part in it any more, it goes.
      await run(
        store.database,
        `UPDATE runs SET lifecycle_stage = 'deleted', deleted_time = 1 WHERE run_uuid = '${id(11)}'`,
      );
      expect((await store.collect({ runIds: [id(1)] })).removed.runs).toEqual([id(1)]);
    }),
  );

  test(
    'behind a link are left: a link in them goes, and a folder that is one keeps its run',
    onStore(async (store) => {
      const secret = join(store.root, 'secret');
      put(join(secret, 'key'), 'precious');
      await store.add({ id: id(1), ...OLD, files: { a: 'x' } }, { id: id(2), ...OLD });
      symlinkSync(secret, join(store.root, '1', id(1), 'artifacts', 'link'));
      mkdirSync(join(store.root, '1', id(2)), { recursive: true });
      symlinkSync(secret, join(store.root, '1', id(2), 'artifacts'));
      const report = await store.collect();
      expect(report.removed.runs).toEqual([id(1)]);
      expect(report.failed).toMatchObject([{ id: id(2), cause: expect.stringContaining('symbolic link') }]);
      expect(readFileSync(join(secret, 'key'), 'utf8')).toBe('precious');
      expect(existsSync(join(store.root, '1', id(1)))).toBe(false);
    }),
  );

  test(
    'of an unknown kind, or behind a server that is not named, keep their run, which is told with the cause',
    onStore(async (store) => {
      await store.add(
        ...['dbfs:/x', 'mlflow-artifacts:/1', 'https://example.org/somewhere'].map((location, i) => ({
          id: id(i + 1),
          ...OLD,
          location: `${location}/${id(i + 1)}/artifacts`,
        })),
        { id: id(9), ...OLD },
      );
      const report = await store.collect();
      expect(report.removed.runs).toEqual([id(9)]);
      expect(report.failed.map(({ cause }) => cause)).toEqual([
        expect.stringContaining('dbfs:/x'),
        expect.stringContaining('which a tracking server proxies'),
        expect.stringContaining('https://example.org/somewhere'),
      ]);
    }),
  );
});

await forEachDialect('one broken run among a thousand', (server) => {
  afterAll(dropTemplates);

  test('is kept whole, and the others go', () =>
    withSmallStore(server, async (store) => {
      const broken = 501;
      await store.add(
        ...Array.from({ length: 1000 }, (_, i) => ({
          id: id(i + 1),
          ...OLD,
          ...(i + 1 === broken && { location: `s3://nowhere/${id(broken)}/artifacts` }),
        })),
        { id: id(2000) },
      );
      Object.assign(process.env, {
        AWS_ACCESS_KEY_ID: 'x',
        AWS_SECRET_ACCESS_KEY: 'x',
        AWS_ENDPOINT_URL: 'http://127.0.0.1:9',
      });
      const dry = await store.look();
      const report = await store.collect();
      expect(report).toEqual(dry);
      expect(report.removed.runs).toHaveLength(999);
      expect(report.rows).toEqual({ experiments: 1, metrics: 999, params: 999, runs: 999, tags: 999 });
      expect(report.failed).toMatchObject([
        { kind: 'run', id: id(broken), location: `s3://nowhere/${id(broken)}/artifacts` },
      ]);
      expect(await store.runs()).toEqual([id(broken), id(2000)]);
      for (const table of ['metrics', 'params', 'tags']) {
        const left = await query<{ id: string }>(
          store.database,
          `SELECT run_uuid AS id FROM ${table} ORDER BY run_uuid`,
        );
        expect(left.map((row) => row.id)).toEqual([id(broken), id(2000)]);
      }
    }));
});
