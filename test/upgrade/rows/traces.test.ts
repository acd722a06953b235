/** 75868b020152 makes columns of rows: of any text there, it must make what MLflow's own code makes of it. */
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { revisions } from '../../../src/schema/lineage.js';
import type { SqlWords } from '../../../src/schema/operations.js';
import { anyDocument, anyScalar, BLANKS, documents, SCALARS, sample } from '../../support/awkward.js';
import { mtrack } from '../../support/cli.js';
import { opened, type Server, type TestDatabase, withDatabase } from '../../support/databases.js';
import { LATE } from '../../support/old-databases.js';
import { type Exact, Oracle } from '../../support/oracle.js';
import { insertRows, type Value } from '../../support/rows.js';
import { differences, query, run, stateOf, upgradeTo } from '../../support/state.js';
import { forEachDialect } from '../../support/suites.js';

const REVISION = '75868b020152';
const TOKENS = [
  'input_tokens',
  'output_tokens',
  'total_tokens',
  'cache_read_input_tokens',
  'cache_creation_input_tokens',
  'cache_creation_input_tokens_above_1hr',
];
const COSTS = ['input_cost', 'output_cost', 'total_cost'];
const MODEL = 'mlflow.llm.model';
const PROVIDER = 'mlflow.llm.provider';

const missing = inject('oracleMissing');
let oracle: Oracle;
beforeAll(() => {
  if (missing === null) oracle = new Oracle();
});
afterAll(() => oracle?.[Symbol.asyncDispose]());

/** What the database can hold in a column of so many characters. */
const storable = (server: Server, most: number) => (text: string) =>
  text.isWellFormed() && [...text].length <= most && !(server.dialect === 'postgresql' && text.includes('\0'));

const asText = ({ dialect }: Server, column: string) => `CAST(${column} AS ${dialect === 'mysql' ? 'CHAR' : 'TEXT'})`;

/** Values as the oracle gives them, and as a database does, in one form. */
const exact = (value: null | boolean | string | Exact): unknown => {
  if (value === null || typeof value !== 'object') return value;
  return 'int' in value ? value.int : Number(value.float);
};
const double = (value: unknown) => (value === null ? null : Number(value));

/** Each input whose outcome is another than MLflow's, with both. */
function mismatches<T>(inputs: readonly T[], expected: readonly unknown[], found: readonly unknown[]) {
  expect(found).toHaveLength(inputs.length);
  return inputs.flatMap((input, i) =>
    // 0 and -0 are one value to every column.
    JSON.stringify(expected[i]) === JSON.stringify(found[i]) ? [] : [{ input, mlflow: expected[i], mtrack: found[i] }],
  );
}

const trace = (i: number) => `tr-${String(i).padStart(6, '0')}`;

/** Databases just before the revision, made once and copied. */
const templates = new Map<Server, Promise<TestDatabase>>();
afterAll(async () => {
  for (const template of templates.values()) await (await template).drop();
});

async function template(server: Server): Promise<TestDatabase> {
  const database = await server.empty();
  await upgradeTo(database, LATE);
  return database;
}

async function atLate(server: Server, traces: number): Promise<TestDatabase> {
  const made = templates.get(server) ?? template(server);
  templates.set(server, made);
  const database = await server.copy(await made);
  await insertRows(database, {
    experiments: [{ experiment_id: 1, name: 'e', workspace: 'default', lifecycle_stage: 'active' }],
    trace_info: Array.from({ length: traces }, (_, i) => ({
      request_id: trace(i),
      experiment_id: 1,
      timestamp_ms: 1_750_000_000_000 + i,
      status: 'OK',
    })),
  });
  return database;
}

await forEachDialect('rows of 75868b020152', (server) => {
  describe.skipIf(missing !== null)(missing === null ? "as MLflow's own code has them" : `NOT RUN, ${missing}`, () => {
    test('token counts, costs, names and sessions of traces', async () => {
      const usages = [...documents(TOKENS), ...sample(anyDocument(TOKENS), 300)].filter(storable(server, 8000));
      const costs = [...documents(COSTS), ...sample(anyDocument(COSTS), 300)].filter(storable(server, 8000));
      const names = [
        ...BLANKS,
        'plain',
        ...[249, 250, 251, 4095, 4096, 4097, 8000].flatMap((n) => ['a'.repeat(n), 'é'.repeat(n), '🚀'.repeat(n)]),
        `${'x'.repeat(4095)}🚀y`,
        `${'x'.repeat(249)}🚀y`,
        'a\0b',
        'e\u0301'.repeat(4000),
      ].filter(storable(server, 8000));
      const metrics = [
        null,
        0,
        1,
        2.5,
        -3,
        2 ** 53 - 1,
        2 ** 53,
        2 ** 53 + 2,
        2 ** 62,
        -(2 ** 62),
        2 ** 63,
        -(2 ** 63),
        9.2e18,
        1e19,
        1e300,
        0.1 + 0.2,
        5e-324,
        ...(server.dialect === 'postgresql' ? ['NaN', 'Infinity', '-Infinity'] : []),
        ...(server.dialect === 'sqlite' ? [Number.POSITIVE_INFINITY] : []),
      ];
      const n = Math.max(usages.length, costs.length);
      const cases = Array.from({ length: n }, (_, i) => ({
        usage: usages[i % usages.length] ?? '',
        cost: costs[i % costs.length] ?? '',
        name: names[i % names.length] ?? '',
        // Every third trace has some counts as metrics, too.
        metrics: i % 3 === 0 ? [[TOKENS[i % 6] ?? '', metrics[(i / 3) % metrics.length] ?? null] as const] : [],
      }));
      await withDatabase(
        () => atLate(server, n),
        async (database) => {
          await insertRows(database, {
            trace_tags: cases.map(({ name }, i) => ({ key: 'mlflow.traceName', value: name, request_id: trace(i) })),
            trace_request_metadata: cases.flatMap(({ usage, cost, name }, i) => [
              { key: 'mlflow.trace.tokenUsage', value: usage, request_id: trace(i) },
              { key: 'mlflow.trace.cost', value: cost, request_id: trace(i) },
              { key: 'mlflow.trace.session', value: name, request_id: trace(i) },
            ]),
            trace_metrics: cases.flatMap((each, i) =>
              each.metrics.map(([key, value]) => ({ request_id: trace(i), key, value: value as Value })),
            ),
          });
          await upgradeTo(database, REVISION);
          const spelt = (value: Value) => (value === Number.POSITIVE_INFINITY ? 'inf' : value);
          const expected = await oracle.call<Record<string, Exact | string | null>>(
            'trace_values',
            cases.map(({ usage, cost, name, metrics }) => [
              { 'mlflow.trace.tokenUsage': usage, 'mlflow.trace.cost': cost, 'mlflow.trace.session': name },
              Object.fromEntries(metrics.map(([key, value]) => [key, spelt(value as Value)])),
            ]),
          );
          const columns = [
            ...TOKENS.map((key) => `${asText(server, key)} AS ${key}`),
            ...COSTS,
            'session_id',
            'trace_name',
          ];
          const found = await query<Record<string, unknown>>(
            database,
            `SELECT ${columns.join(', ')} FROM trace_info ORDER BY request_id`,
          );
          const inOrder = (row: Record<string, unknown>) =>
            [...TOKENS, ...COSTS, 'session_id', 'trace_name'].map((key) => row[key]);
          expect(
            mismatches(
              cases,
              expected.map((row, i) =>
                inOrder({
                  ...Object.fromEntries(Object.entries(row).map(([key, value]) => [key, exact(value)])),
                  trace_name: [...(cases[i]?.name ?? '')].slice(0, 4096).join(''),
                }),
              ),
              found.map((row) =>
                inOrder({ ...row, ...Object.fromEntries(COSTS.map((key) => [key, double(row[key])])) }),
              ),
            ),
          ).toEqual([]);
          for (const table of ['trace_tags', 'trace_request_metadata', 'trace_metrics'])
            expect(await query(database, `SELECT * FROM ${table}`), table).toEqual([]);
        },
      );
    });

    test('what assessments count for', async () => {
      const values = [...SCALARS, ...sample(anyScalar, 300)].filter(storable(server, 16_000));
      await withDatabase(
        () => atLate(server, 2),
        async (database) => {
          await insertRows(database, {
            assessments: values.map((value, i) => assessment(i, value)),
          });
          await upgradeTo(database, REVISION);
          const expected = await oracle.call<[Exact | null, boolean]>('assessments', values);
          const found = await query<Record<string, unknown>>(
            database,
            `SELECT ${asText(server, 'trace_timestamp_ms')} AS time, experiment_id, aggregate_value, is_numeric_value FROM assessments ORDER BY assessment_id`,
          );
          expect(
            mismatches(
              values,
              expected.map(([aggregate, isNumeric], i) => [
                String(1_750_000_000_000 + (i % 2)),
                1,
                exact(aggregate),
                isNumeric,
              ]),
              found.map((row) => [
                row.time,
                row.experiment_id,
                double(row.aggregate_value),
                Boolean(row.is_numeric_value),
              ]),
            ),
          ).toEqual([]);
        },
      );
    });

    test('models, providers and costs of spans', async () => {
      const found = [
        ...documents([MODEL, PROVIDER, 'x']),
        ...attributes(),
        ...sample(anyDocument([MODEL, PROVIDER]), 200),
      ];
      const candidates = await storableJson(server, found.filter(storable(server, 16_000)));
      const expected = await oracle.call<readonly (string | null)[] | null>('dimensions', candidates);
      // What MLflow refuses is refused here (below), and so is a half of a character, which MLflow cannot write back.
      const isFine = (each: readonly (string | null)[] | null | undefined) =>
        Boolean(each?.every((text) => text === null || (text.isWellFormed() && storable(server, 500)(text))));
      const fine = candidates.flatMap((text, i) =>
        isFine(expected[i]) && !isTwice(text) ? [{ text, expected: expected[i] }] : [],
      );
      expect(fine.length).toBeGreaterThan(40);
      const costs = [
        null,
        0,
        0.1,
        1 / 3,
        5e-324,
        1.7976931348623157e308,
        -1,
        ...(server.dialect === 'postgresql' ? ['NaN', 'Infinity', '-Infinity'] : []),
        ...(server.dialect === 'sqlite' ? [Number.POSITIVE_INFINITY] : []),
      ];
      const costOf = (i: number): Value => costs[i % costs.length] ?? null;
      await withDatabase(
        () => atLate(server, fine.length),
        async (database) => {
          await insertRows(database, {
            spans: fine.map(({ text }, i) => span(i, text)),
            span_metrics: fine.map((_, i) => ({
              trace_id: trace(i),
              span_id: 's',
              key: 'total_cost',
              value: costOf(i),
            })),
            trace_request_metadata: fine
              .filter((_, i) => i % 2 === 0)
              .map((_, i) => ({ key: 'mlflow.gateway.endpointId', value: 'e', request_id: trace(2 * i) })),
          });
          await upgradeTo(database, REVISION);
          const rows = await query<Record<string, unknown>>(
            database,
            'SELECT s.model_name, s.model_provider, s.total_cost, t.total_cost AS of_trace FROM spans s JOIN trace_info t ON t.request_id = s.trace_id ORDER BY s.trace_id',
          );
          const finite = (value: Value) => (typeof value === 'number' && Number.isFinite(value) ? value : null);
          expect(
            mismatches(
              fine.map(({ text }) => text),
              fine.map(({ expected }, i) => [expected, finite(costOf(i)), i % 2 === 0 ? finite(costOf(i)) : null]),
              rows.map((row) => [[row.model_name, row.model_provider], double(row.total_cost), double(row.of_trace)]),
            ),
          ).toEqual([]);
        },
      );
    });

    test('attributes of spans that the columns cannot hold are refused, and nothing is changed', async () => {
      const candidates = await storableJson(
        server,
        [...documents([MODEL, PROVIDER, 'x']), ...attributes()].filter(storable(server, 16_000)),
      );
      const expected = await oracle.call<unknown>('dimensions', candidates);
      const refused = candidates.filter((_, i) => expected[i] === null);
      expect(refused.length).toBeGreaterThan(40);
      await withDatabase(
        () => atLate(server, 1),
        async (database) => {
          await insertRows(database, { spans: refused.map((text, i) => ({ ...span(0, text), span_id: String(i) })) });
          const found = await query<{ b: string }>(database, offending((await opened(database)).dialect.words));
          const ids = new Set(found.map(({ b }) => b));
          expect(refused.filter((_, i) => !ids.has(String(i)))).toEqual([]);
          await run(database, 'DELETE FROM spans');
          await insertRows(database, { spans: [span(0, '{"mlflow.llm.model": 1}')] });
          const before = await stateOf(database);
          await expect(upgradeTo(database, REVISION)).rejects.toThrow(
            'spans.dimension_attributes of span "s" in trace "tr-000000" holds more than the strings',
          );
          expect(differences(before, await stateOf(database))).toEqual([]);
        },
      );
    });
  });
});

await forEachDialect('a script of 75868b020152', (server) => {
  test("does what the upgrade does, run by the database's own client, and stops where rows came since", async () => {
    const texts = [
      '{"input_tokens": 5}',
      '{"input_tokens": "1_000", "output_tokens": NaN}',
      '{"input_tokens": 2, "input_tokens": 3}',
      '{"x": NaN, "input_cost": 0.30000000000000004}',
    ];
    await withDatabase(
      () => atLate(server, texts.length),
      async (database) => {
        await insertRows(database, {
          trace_request_metadata: texts.flatMap((value, i) =>
            ['mlflow.trace.tokenUsage', 'mlflow.trace.cost'].map((key) => ({ key, value, request_id: trace(i) })),
          ),
          spans: ['"m"', '"\\u00e9\\n\'"'].map((model, i) => span(i, `{"${MODEL}": ${model}}`)),
          assessments: ['1', '" Yes\\t"', 'NaN', '1e400', '"no"'].map((value, i) => assessment(i, value)),
        });
        const accept = ['--accept', REVISION];
        const { stdout, stderr, code } = await mtrack([
          'db',
          'upgrade',
          database.uri,
          '--to',
          REVISION,
          '--sql',
          ...accept,
        ]);
        expect(code, stderr).toBe(0);
        await withDatabase(
          () => server.copy(database),
          async (other) => {
            await server.runScript(other, stdout);
            const scripted = await stateOf(other);
            expect(scripted.version).toEqual([REVISION]);
            await withDatabase(
              () => server.copy(database),
              async (third) => {
                await insertRows(third, { assessments: [assessment(9, '"\\u0079es"')] });
                await expect(server.runScript(third, stdout)).rejects.toThrow(
                  'rows of assessments have changed since this was written',
                );
              },
            );
            await upgradeTo(database, REVISION);
            expect(differences(await stateOf(database), scripted)).toEqual([]);
          },
        );
      },
    );
  });
});

const assessment = (i: number, value: string) => ({
  assessment_id: String(i).padStart(6, '0'),
  trace_id: trace(i % 2),
  name: 'n',
  assessment_type: 'feedback',
  value,
  created_timestamp: 1,
  last_updated_timestamp: 2,
  source_type: 'HUMAN',
  valid: true,
});

const span = (i: number, attributes: string) => ({
  trace_id: trace(i),
  experiment_id: 1,
  span_id: 's',
  status: 'OK',
  start_time_unix_nano: 1,
  content: '{}',
  dimension_attributes: attributes,
});

/** A key that is there twice is refused by some databases: see docs/differences.md. */
const isTwice = (text: string) => [MODEL, PROVIDER].some((key) => text.split(`"${key}"`).length > 2);

/** The condition of the revision that its third operation sets. */
function offending(words: SqlWords): string {
  const condition = revisions.find(({ id }) => id === REVISION)?.operations[2];
  if (condition?.op !== 'require') throw new Error('not a condition');
  return condition.offending(words);
}

function attributes(): string[] {
  const values = [
    'gpt-4',
    'é',
    '🚀',
    '漢字',
    'a"b',
    'a\\b',
    'tab\t',
    '',
    ' ',
    'm'.repeat(499),
    'm'.repeat(500),
    'm'.repeat(501),
    '🚀'.repeat(501),
    `${'m'.repeat(499)}🚀x`,
    "quote's",
    '%_',
    '\u007f',
    '\0',
  ];
  const escaped = (text: string) =>
    JSON.stringify(text).replaceAll(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return values.flatMap((value) => [
    JSON.stringify({ [MODEL]: value }),
    `{"${PROVIDER}": ${escaped(value)}, "${MODEL}": ${escaped(value)}}`,
    JSON.stringify({ [MODEL]: value, [PROVIDER]: null }),
    `{"${MODEL}": "first", "${MODEL}": ${escaped(value)}}`,
  ]);
}

/** The texts that a JSON column takes. */
async function storableJson(server: Server, texts: readonly string[]): Promise<string[]> {
  // SQLite and Python take any text for JSON until they read it: what is none is refused by both.
  if (server.dialect === 'sqlite') return [...texts];
  return withDatabase(server.empty, async (database) => {
    const session = await (await opened(database)).worker();
    try {
      await session.run('CREATE TABLE t (a json)');
      const taken: string[] = [];
      for (const text of texts) {
        const took = await session.run(sql`INSERT INTO t VALUES (${text})`).then(
          () => true,
          () => false,
        );
        if (took) taken.push(text);
      }
      return taken;
    } finally {
      await session.close();
    }
  });
}
