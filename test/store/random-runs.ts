/** Runs, and searches for them, that chance has made. */
import * as fc from 'fast-check';
import type { Call, Reference } from '../support/oracle.js';

const pair = (key: string, value: string) => ({ key, value });

// ---------------------------------------------------------------- what is there

const TEXTS = ['a', 'A', 'ab', 'Ab', 'a%b', 'a_b', 'ä', 'Ä', "it's", '', '10', '9', '模型', 'x y', '\\', 'a\\b'];
const NUMBERS = [0, -0.5, 1, 1.5, 2, 1e300, 0.1, -3];
const KEYS = ['k', 'k', 'k', 'long key', 'long key', 'K', 'a.b'];
const STATUSES = ['RUNNING', 'FINISHED', 'FAILED'] as const;

interface Made {
  readonly experiment: number;
  readonly start: number;
  readonly name: string;
  readonly user: string;
  readonly status: (typeof STATUSES)[number];
  readonly end: number | undefined;
  readonly metrics: readonly (readonly [key: string, value: unknown])[];
  readonly params: readonly (readonly [string, string])[];
  readonly tags: readonly (readonly [string, string])[];
  readonly dataset:
    | readonly [dataset: readonly [name: string, digest: string], context: string | undefined]
    | undefined;
  readonly deleted: boolean;
}

/** Keys that are the same but for their case are two on some databases only. */
const keyed = <Value>(value: fc.Arbitrary<Value>) =>
  fc.uniqueArray(fc.tuple(fc.constantFrom(...KEYS), value), { selector: ([key]) => key.toLowerCase(), maxLength: 3 });

const run: fc.Arbitrary<Made> = fc.record({
  experiment: fc.constantFrom(0, 0, 1),
  start: fc.integer({ min: 1, max: 6 }),
  name: fc.constantFrom(...TEXTS.filter((text) => text !== '')),
  user: fc.constantFrom(...TEXTS),
  status: fc.constantFrom(...STATUSES),
  end: fc.option(fc.integer({ min: 1, max: 9 }), { nil: undefined }),
  metrics: keyed(
    fc.oneof(
      fc.constantFrom<unknown>(...NUMBERS),
      fc.constantFrom({ float: 'nan' }, { float: 'nan' }, { float: 'inf' }),
    ),
  ),
  params: keyed(fc.constantFrom(...TEXTS)),
  tags: keyed(fc.constantFrom(...TEXTS)),
  dataset: fc.option(
    fc.tuple(
      fc.constantFrom(['d', '1'] as const, ['d', '2'] as const, ['D', '3'] as const, ['e', '1'] as const),
      fc.option(fc.constantFrom('train', 'Test'), { nil: undefined }),
    ),
    { nil: undefined },
  ),
  deleted: fc.integer({ min: 0, max: 5 }).map((chance) => chance === 0),
});

function makeRun(made: Made, at: number): Call[] {
  const id: Reference = { of: at, path: ['info', 'run_id'] };
  const { experiment, start, name, user, status, end, metrics, params, tags, dataset, deleted } = made;
  return [
    [
      'runs.create',
      [{ experiment_id: String(experiment), start_time: start, user_id: user, run_name: name, tags: [] }],
    ],
    ['runs.update', [id, { status, ...(end !== undefined && { end_time: end }) }]],
    [
      'runs.logBatch',
      [
        id,
        {
          metrics: metrics.map(([key, value]) => ({ key, value, timestamp: 1, step: 0 })),
          params: params.map(([key, value]) => pair(key, value)),
          tags: tags.map(([key, value]) => pair(key, value)),
        },
      ],
    ],
    ...(dataset ? [logDataset(id, dataset)] : []),
    ...(deleted ? [['runs.delete', [id]] as const] : []),
  ];
}

function logDataset(id: Reference, [[name, digest], context]: NonNullable<Made['dataset']>): Call {
  const tags = context === undefined ? [] : [pair('mlflow.data.context', context)];
  return ['runs.logInputs', [id, [{ tags, dataset: { name, digest, source_type: 's', source: 's' } }], []]];
}

/** Calls that make runs in two experiments. */
export function madeRuns(count: number, seed: number): Call[] {
  const calls: Call[] = [['experiments.create', [{ name: 'other', tags: [] }]]];
  for (const made of fc.sample(run, { numRuns: count, seed })) calls.push(...makeRun(made, calls.length));
  return calls;
}

// ---------------------------------------------------------------- what is asked

const quoted = fc
  .constantFrom(...TEXTS, 'a%', '%b', '_', '%', 'A%', 'none')
  .filter((text) => !text.includes('\\'))
  .map((text) => (text.includes("'") ? `"${text}"` : `'${text}'`));
const key = fc.constantFrom(...KEYS, 'absent').map((name) => (/^\w+$/.test(name) ? name : `\`${name}\``));
const textual = fc.constantFrom('=', '!=', 'LIKE', 'ILIKE', 'like');
const ordered = fc.constantFrom('=', '!=', '<', '<=', '>', '>=');
const listed = fc.array(quoted, { minLength: 1, maxLength: 3 }).map((list) => `(${list.join(', ')})`);
const join = (...parts: fc.Arbitrary<string>[]) => fc.tuple(...parts).map((words) => words.join(' '));
const number = fc.constantFrom(...NUMBERS, 5, 1e16).map(String);

const clause = fc.oneof(
  // As often as the others together are rare: NaN is the one that is easy to get wrong.
  join(fc.constant('metrics.k'), ordered, number),
  join(
    key.map((name) => `metrics.${name}`),
    ordered,
    number,
  ),
  join(
    key.map((name) => `params.${name}`),
    textual,
    quoted,
  ),
  join(
    key.map((name) => `tags.${name}`),
    textual,
    quoted,
  ),
  join(
    fc.tuple(fc.constantFrom('params', 'tags'), key).map((parts) => parts.join('.')),
    fc.constantFrom('IS NULL', 'IS NOT NULL'),
  ),
  join(fc.constantFrom('run_name', 'attributes.user_id', 'attr.status'), textual, quoted),
  join(fc.constantFrom('run_name', 'attributes.user_id'), fc.constantFrom('IN', 'NOT IN'), listed),
  join(fc.constantFrom('attributes.start_time', 'end_time', 'created'), ordered, fc.constantFrom('3', '5', '2.5')),
  join(fc.constantFrom("status = 'FINISHED'", "status != 'RUNNING'", "artifact_uri LIKE '%/1/%'")),
  join(fc.constantFrom('dataset.name', 'datasets.digest'), textual, fc.constantFrom("'d'", "'D'", "'1'", "'%'")),
  join(fc.constantFrom('dataset.context'), textual, fc.constantFrom("'train'", "'test'", "'T%'")),
  join(
    fc.constantFrom('dataset.name', 'dataset.context'),
    fc.constantFrom('IN', 'NOT IN'),
    fc.constantFrom("('d', 'e')", "('train')"),
  ),
  // Not all that is asked can be answered.
  fc.constantFrom(
    'params.k = 1',
    'metrics.k LIKE 3',
    'nonsense',
    "run_id IN ('x')",
    "params.k IN ('a')",
    "tags.k > 'a'",
  ),
);

const order = fc
  .tuple(
    fc.oneof(
      {
        arbitrary: fc.tuple(fc.constantFrom('metrics', 'params', 'tags'), key).map((parts) => parts.join('.')),
        weight: 3,
      },
      {
        arbitrary: fc.constantFrom(
          'start_time',
          'attributes.end_time',
          'run_name',
          'status',
          'user_id',
          'run_id',
          'created',
        ),
        weight: 2,
      },
    ),
    fc.constantFrom('', ' ASC', ' DESC'),
  )
  .map((parts) => parts.join(''));

export const runQuestion = fc.record(
  {
    filter: fc
      .oneof(
        { arbitrary: fc.array(clause, { minLength: 1, maxLength: 1 }), weight: 3 },
        fc.array(clause, { maxLength: 3 }),
      )
      .map((clauses) => clauses.join(' AND ')),
    order_by: fc.array(order, { maxLength: 2 }),
    max_results: fc.constantFrom(1, 3, 7, 40, 1000),
    run_view_type: fc.constantFrom('ACTIVE_ONLY', 'DELETED_ONLY', 'ALL'),
    experiment_ids: fc.constantFrom(['0'], ['0', '1'], ['1', '0', '99', '99999999999']),
  },
  { requiredKeys: ['experiment_ids'] },
);
