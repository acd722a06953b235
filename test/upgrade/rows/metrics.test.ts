/** 90e64c465722 and 89d4b8295536: tags from users, and the last point of each metric. */
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { BASE } from '../../../src/schema/lineage.js';
import { BLANKS } from '../../support/awkward.js';
import { type Server, type TestDatabase, withDatabase } from '../../support/databases.js';
import { Oracle } from '../../support/oracle.js';
import { insertRows, type Row, type Value } from '../../support/rows.js';
import { query, upgradeTo } from '../../support/state.js';
import { forEachDialect } from '../../support/suites.js';

const BEFORE_LATEST = '7ac759974ad8';
const LATEST = '89d4b8295536';

const missing = inject('oracleMissing');
let oracle: Oracle;
beforeAll(() => {
  if (missing === null) oracle = new Oracle();
});
afterAll(() => oracle?.[Symbol.asyncDispose]());

const run = (i: number) => String(i).padStart(32, '0');

function runs(users: readonly Value[]): Record<string, Row[]> {
  return {
    experiments: [1, 2].map((id) => ({ experiment_id: id, name: `e${id}`, lifecycle_stage: 'active' })),
    runs: users.map((user, i) => ({
      run_uuid: run(i),
      user_id: user,
      experiment_id: 1 + (i % 2),
      name: '',
      source_type: 'LOCAL',
      status: 'FINISHED',
      lifecycle_stage: 'active',
    })),
  };
}

await forEachDialect('rows of 90e64c465722', (server) => {
  test('every run with a user gets the tag, once, and no other tag changes', async () => {
    const users = [
      null,
      '',
      'alice',
      'alice',
      'O\'Neil "\\',
      '漢字🚀',
      'u'.repeat(250),
      'u'.repeat(251),
      '🚀'.repeat(256),
      ...BLANKS,
    ].filter((user) => user === null || server.dialect !== 'postgresql' || !user.includes('\0'));
    await withDatabase(server.empty, async (database) => {
      await upgradeTo(database, BASE);
      await insertRows(database, runs([...users, 'has one', 'has an empty one', 'has another']));
      const n = users.length;
      const tags = [
        { key: 'mlflow.user', value: 'set by hand', run_uuid: run(n) },
        { key: 'mlflow.user', value: '', run_uuid: run(n + 1) },
        { key: 'mlflow.users', value: 'x', run_uuid: run(n + 2) },
      ];
      await insertRows(database, { tags });
      await upgradeTo(database, '90e64c465722');
      const expected = [
        ...users.flatMap((user, i) => (user ? [[run(i), 'mlflow.user', [...user].slice(0, 250).join('')]] : [])),
        [run(n), 'mlflow.user', 'set by hand'],
        [run(n + 1), 'mlflow.user', ''],
        [run(n + 2), 'mlflow.user', 'has another'],
        [run(n + 2), 'mlflow.users', 'x'],
      ];
      expect(await tagsOf(database, server)).toEqual(expected);
      const left = await query<{ user_id: Value }>(database, 'SELECT user_id FROM runs ORDER BY run_uuid');
      expect(left.slice(0, n).map(({ user_id }) => user_id)).toEqual(users);
    });
  });
});

async function tagsOf(database: TestDatabase, { dialect }: Server) {
  const key = dialect === 'mysql' ? '`key`' : '"key"';
  const rows = await query<{ r: string; k: string; v: string }>(
    database,
    `SELECT run_uuid AS r, ${key} AS k, value AS v FROM tags ORDER BY run_uuid, ${key}`,
  );
  return rows.map(({ r, k, v }) => [r, k, v]);
}

type Point = readonly [step: number, timestamp: number, value: Value, isNan?: boolean];

const BIG = 9_007_199_254_740_991;
/** Points of a metric, of which the last is found alike by MLflow and mtrack. */
const METRICS: Readonly<Record<string, readonly Point[]>> = {
  one: [[0, 0, 0]],
  steps: [
    [0, 9, 9],
    [1, 5, 1],
    [2, 1, -1],
    [-3, 99, 99],
  ],
  timestamps: [
    [1, 1, 5],
    [1, 3, 2],
    [1, 2, 9],
    [0, 100, 7],
  ],
  values: [
    [4, 4, 1],
    [4, 4, 1.0000000000000002],
    [4, 4, -7],
    [4, 3, 99],
  ],
  negative: [
    [-1, -5, -2],
    [-1, -5, -1],
    [-2, 0, 0],
  ],
  zeros: [
    [0, 0, -0],
    [0, 0, 1e-300],
  ],
  extremes: [
    [BIG, BIG, -1.7976931348623157e308],
    [BIG, BIG, 1.7976931348623157e308],
    [BIG, -BIG, 1],
  ],
  tiny: [
    [0, 1, 5e-324],
    [0, 1, 2 ** -1022],
    [0, 1, 0],
  ],
  nan: [[7, 7, 0, true]],
  'nan before': [
    [1, 1, 0, true],
    [2, 1, 3],
  ],
  'nan at the end': [
    [1, 1, 3],
    [2, 1, 0, true],
  ],
  'nan later': [
    [2, 1, 3],
    [2, 2, 0, true],
  ],
  'it\'s "quoted" \\ 漢字🚀 %_': [
    [0, 0, 1],
    [1, 0, 2],
  ],
};
/** Infinities, and a NaN that is not marked as one, where the database stores them. */
const SPECIAL: Readonly<Record<string, Readonly<Record<string, readonly Point[]>>>> = {
  sqlite: {
    infinite: [
      [0, 0, 1e308],
      [0, 0, Number.POSITIVE_INFINITY],
    ],
    'minus infinite': [[0, 0, Number.NEGATIVE_INFINITY]],
  },
  postgresql: {
    infinite: [
      [0, 0, 1e308],
      [0, 0, 'Infinity'],
    ],
    'minus infinite': [[0, 0, '-Infinity']],
    unmarked: [
      [0, 0, 5],
      [0, 0, 'NaN'],
    ],
    'infinite and unmarked': [
      [0, 0, 'Infinity'],
      [0, 0, 'NaN'],
    ],
  },
  mysql: {},
};

const points = (metrics: Readonly<Record<string, readonly Point[]>>, of: number): Row[] =>
  Object.entries(metrics).flatMap(([key, all]) =>
    all.map(([step, timestamp, value, isNan = false]) => ({
      key,
      value,
      timestamp,
      run_uuid: run(of),
      step,
      is_nan: isNan,
    })),
  );

/** Each last point as text, in one order. */
async function latest(database: TestDatabase, { dialect }: Server): Promise<string[]> {
  const key = dialect === 'mysql' ? '`key`' : '"key"';
  const rows = await query<Record<string, unknown>>(
    database,
    `SELECT run_uuid, ${key} AS k, step, timestamp, value, is_nan FROM latest_metrics`,
  );
  return rows
    .map(({ run_uuid, k, step, timestamp, value, is_nan }) =>
      [run_uuid, k, Number(step), Number(timestamp), Number(value), Boolean(is_nan)].join(' | '),
    )
    .sort();
}

await forEachDialect('rows of 89d4b8295536', (server) => {
  test.skipIf(missing !== null)(
    `the last points are those that MLflow finds${missing === null ? '' : ` NOT RUN, ${missing}`}`,
    async () => {
      await withDatabase(server.empty, async (database) => {
        await upgradeTo(database, BEFORE_LATEST);
        await insertRows(database, runs(['a', 'b', 'c']));
        const all = { ...METRICS, ...SPECIAL[server.dialect] };
        const reversed = Object.fromEntries(Object.entries(all).map(([key, list]) => [key, list.toReversed()]));
        await insertRows(database, { metrics: [...points(all, 0), ...points(reversed, 1)] });
        await withDatabase(
          () => server.copy(database),
          async (other) => {
            await upgradeTo(database, LATEST);
            const done = await oracle.upgrade(other.uri);
            expect(done.code, done.said).toBe(0);
            const found = await latest(database, server);
            expect(found).toHaveLength(2 * Object.keys(all).length);
            expect(found).toEqual(await latest(other, server));
          },
        );
      });
    },
  );

  test("a NaN beside a number: the larger value wins, a NaN counting as 0, where MLflow's script fails", async () => {
    const ties: Readonly<Record<string, readonly Point[]>> = {
      above: [
        [1, 1, 5],
        [1, 1, 0, true],
      ],
      below: [
        [1, 1, -5],
        [1, 1, 0, true],
      ],
      // Of two that are equal, the one that is a number.
      equal: [
        [1, 1, 0],
        [1, 1, 0, true],
      ],
      earlier: [
        [0, 1, 0, true],
        [0, 1, 7],
        [1, 1, 2],
      ],
    };
    await withDatabase(server.empty, async (database) => {
      await upgradeTo(database, BEFORE_LATEST);
      await insertRows(database, runs(['a']));
      // The key of metrics holds is_nan, so that the two can be there side by side.
      await insertRows(database, { metrics: points(ties, 0) });
      await upgradeTo(database, LATEST);
      expect(await latest(database, server)).toEqual([
        `${run(0)} | above | 1 | 1 | 5 | false`,
        `${run(0)} | below | 1 | 1 | 0 | true`,
        `${run(0)} | earlier | 1 | 1 | 2 | false`,
        `${run(0)} | equal | 1 | 1 | 0 | false`,
      ]);
    });
  });
});
