/** The last revisions that move rows: workspaces, jobs, categories of issues, and versions that differ in case. */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { categoriesOf } from '../../../migrations/069_8b6ad64cb8f5_extend_issue_contract.js';
import { BLANKS, SCALARS, sample } from '../../support/awkward.js';
import { type TestDatabase, withDatabase } from '../../support/databases.js';
import { Oracle } from '../../support/oracle.js';
import { insertRows } from '../../support/rows.js';
import { differences, query, run, stateOf, upgradeTo } from '../../support/state.js';
import { forEachDialect } from '../../support/suites.js';

const missing = inject('oracleMissing');
let oracle: Oracle;
beforeAll(() => {
  if (missing === null) oracle = new Oracle();
});
afterAll(() => oracle?.[Symbol.asyncDispose]());

const LETTERS = [
  'Latency',
  'latency',
  ' LATENCY ',
  'Ünïque',
  'ÜNÏQUE',
  'İstanbul',
  'ΟΔΟΣ',
  'οδός',
  'ß',
  'ẞ',
  'ﬀ',
  'Ǆ',
  '漢字',
  '🚀',
  '',
  ' ',
  'a\0b',
  'e\u0301',
  'É',
];

/** Lists of categories as Python's json writes them, and as nothing should. */
const LISTS: readonly string[] = [
  JSON.stringify(LETTERS),
  JSON.stringify(LETTERS.toReversed()),
  ...LETTERS.map((letters) => JSON.stringify([letters])),
  ...BLANKS.map((blank) => JSON.stringify([`${blank}Late${blank}`, 'late', `LA${blank}TE`])),
  '[]',
  ' [ "a" , "A" ] ',
  '["\\u0041", "a"]',
  '["\\ud83d\\ude80", "🚀"]',
  '["\\ud800"]',
  '["a", "\\udc00b"]',
  '["a", 1]',
  '["a", null]',
  '[NaN]',
  '[["a"]]',
  '[{}]',
  '["a",]',
  "['a']",
  '["a"',
  '["a\tb"]',
  '\ufeff["a"]',
  'null',
  '5',
  'true',
  '',
  'NaN',
  '["a"] x',
  ...SCALARS.filter((text) => !text.startsWith('"') && text.length < 100).slice(0, 100),
  ...sample(
    fc.array(fc.string({ unit: 'binary', maxLength: 12 }), { maxLength: 6 }).map((list) => JSON.stringify(list)),
    300,
  ),
];

describe('8b6ad64cb8f5', () => {
  test.skipIf(missing !== null)(
    `reads categories as MLflow does${missing === null ? '' : ` NOT RUN, ${missing}`}`,
    async () => {
      const expected = await oracle.call<[string, string][] | null>('categories', LISTS);
      const found = LISTS.map((text) => {
        try {
          return categoriesOf('i', text).map(({ category_hash, category }) => [category_hash, category]);
        } catch (error) {
          expect(String(error)).toContain('issue i is not a JSON array of strings');
          return null;
        }
      });
      const same = (i: number) => JSON.stringify(found[i]) === JSON.stringify(expected[i]);
      expect(LISTS.flatMap((text, i) => (same(i) ? [] : [{ text, mlflow: expected[i], mtrack: found[i] }]))).toEqual(
        [],
      );
      expect(found.filter((each) => each === null).length).toBeGreaterThan(20);
      expect(found.filter((each) => each !== null).length).toBeGreaterThan(200);
    },
  );

  test('refuses a text and an object, which MLflow takes apart', () => {
    for (const text of ['"abc"', '{"a": 1}', '{}'])
      expect(() => categoriesOf('i', text), text).toThrow('issue i is not a JSON array of strings');
  });
});

const hash = (text: string) => createHash('sha256').update(text).digest('hex');

await forEachDialect('rows of the last revisions', (server) => {
  test('workspaces, jobs and categories', async () => {
    await withDatabase(server.empty, async (database) => {
      await upgradeTo(database, 'c8d9e0f1a2b3');
      await insertRows(database, {
        experiments: [{ experiment_id: 1, name: 'e', lifecycle_stage: 'active' }],
        registered_models: ['m', 'M2', '漢字'].map((name) => ({ name, creation_time: 1 })),
        model_versions: ['m', 'M2'].flatMap((name) => [1, 2].map((version) => ({ name, version, creation_time: 1 }))),
        registered_model_tags: [{ name: 'm', key: 'k', value: 'v' }],
        model_version_tags: [{ name: 'm', version: 2, key: 'k', value: 'v' }],
        registered_model_aliases: [{ name: 'M2', alias: 'champion', version: 1 }],
        jobs: [0, 1, 2, 3, 4, 5].map((status) => ({
          id: `job-${status}`,
          creation_time: 1,
          job_name: 'work',
          params: '{}',
          status,
          retry_count: 0,
          last_update_time: 7,
        })),
      });
      const before = await stateOf(database);
      await upgradeTo(database, '1b5f0d9ad7c1');
      expect(await query(database, 'SELECT name, description FROM workspaces')).toEqual([
        { name: 'default', description: 'Default workspace for legacy resources' },
      ]);
      for (const table of [
        'experiments',
        'registered_models',
        'model_versions',
        'registered_model_tags',
        'model_version_tags',
        'registered_model_aliases',
        'jobs',
      ]) {
        const rows = await query<{ workspace: string }>(database, `SELECT workspace FROM ${table}`);
        expect(
          rows.map(({ workspace }) => workspace),
          table,
        ).toEqual(before.rows[table]?.map(() => 'default'));
      }

      await upgradeTo(database, '75868b020152');
      const started = Date.now();
      await upgradeTo(database, 'dc11669786a5');
      const jobs = await query<Record<string, unknown>>(
        database,
        'SELECT id, status, last_update_time AS t FROM jobs ORDER BY id',
      );
      expect(jobs.map(({ status }) => status)).toEqual([5, 5, 2, 3, 4, 5]);
      const times = jobs.map(({ t }) => Number(t));
      expect(times.slice(2)).toEqual([7, 7, 7, 7]);
      for (const time of times.slice(0, 2)) expect(Math.abs(time - started)).toBeLessThan(60_000);

      await upgradeTo(database, 'e7d1f4b2a9c6');
      await insertRows(database, { issues: issues(['["Late", " LATE ", "x"]', null, '[]', '["漢字🚀"]']) });
      await upgradeTo(database, '8b6ad64cb8f5');
      expect(
        await query(
          database,
          'SELECT issue_id, category_hash, category FROM issue_categories ORDER BY issue_id, category',
        ),
      ).toEqual([
        { issue_id: 'i0', category_hash: hash('late'), category: ' LATE ' },
        { issue_id: 'i0', category_hash: hash('x'), category: 'x' },
        { issue_id: 'i3', category_hash: hash('漢字🚀'), category: '漢字🚀' },
      ]);
      const seen = await query<Record<string, unknown>>(
        database,
        'SELECT created_timestamp AS c, last_seen_timestamp AS s FROM issues ORDER BY issue_id',
      );
      expect(seen.map(({ s }) => Number(s))).toEqual([100, 101, 102, 103]);
    });
  });

  test('categories that are no list of texts stop the upgrade, which goes on once they are corrected', async () => {
    await withDatabase(server.empty, async (database) => {
      await upgradeTo(database, 'e7d1f4b2a9c6');
      await insertRows(database, { experiments: [experiment], issues: issues(['["a"]', '"a"']) });
      await expect(upgradeTo(database, '8b6ad64cb8f5')).rejects.toThrow(
        'issues with issue_id "i1": issues.categories of issue i1 is not a JSON array of strings',
      );
      await run(database, `UPDATE issues SET categories = '["b"]' WHERE issue_id = 'i1'`);
      await upgradeTo(database, '8b6ad64cb8f5');
      const rows = await query<{ category: string }>(
        database,
        'SELECT category FROM issue_categories ORDER BY issue_id',
      );
      expect(rows.map(({ category }) => category)).toEqual(['a', 'b']);
    });
  });

  test('MCP versions that are referred to in another case', async () => {
    await withDatabase(server.empty, async (database) => {
      await upgradeTo(database, '8b6ad64cb8f5');
      await insertRows(database, {
        mcp_servers: [{ name: 'server', created_at: 1, last_updated_at: 1 }],
        mcp_server_versions: [
          {
            name: 'server',
            version: '1.0-Beta',
            version_major: 1,
            version_minor: 0,
            version_patch: 0,
            version_prerelease_sort_key: 'b',
            server_json: '{}',
            created_at: 1,
            last_updated_at: 1,
          },
        ],
        mcp_server_aliases: [{ name: 'server', alias: 'latest', version: '1.0-BETA' }],
      });
      const before = await stateOf(database);
      const folds = await foldsCase(database);
      if (folds) {
        await expect(upgradeTo(database, 'f4a9b2c7d1e6')).rejects.toThrow(
          'mcp_server_aliases.version says "1.0-BETA" for MCP server "server" in workspace "default", but the version is called "1.0-Beta"',
        );
        expect(differences(before, await stateOf(database))).toEqual([]);
        await run(database, `UPDATE mcp_server_aliases SET version = '1.0-Beta'`);
      }
      await upgradeTo(database, 'f4a9b2c7d1e6');
      const after = await stateOf(database);
      expect(after.rows.mcp_server_versions).toEqual(before.rows.mcp_server_versions);
      expect(await foldsCase(database)).toBe(folds);
    });
  });
});

const experiment = { experiment_id: 1, name: 'e', lifecycle_stage: 'active' };

const issues = (categories: readonly (string | null)[]) =>
  categories.map((each, i) => ({
    issue_id: `i${i}`,
    experiment_id: 1,
    name: 'n',
    description: 'd',
    status: 'pending',
    categories: each,
    created_timestamp: 100 + i,
    last_updated_timestamp: 200,
  }));

/** Whether the database's usual comparison takes a for A. */
async function foldsCase(database: TestDatabase): Promise<boolean> {
  return (await query(database, `SELECT name FROM mcp_servers WHERE name = 'SERVER'`)).length > 0;
}
