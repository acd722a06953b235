/** Searches for logged models: filters, datasets and orders that chance has made find the same models in MLflow's store. */
import * as fc from 'fast-check';
import { test } from 'vitest';
import type { Call, Oracle, Reference } from '../../support/oracle.js';
import { START, twins } from '../../support/twin.js';
import type { Implementation } from '../implementations.js';
import {
  asked,
  clauses,
  join,
  key,
  listed,
  number,
  ordered,
  pairs,
  quoted,
  quotedOf,
  sample,
  sizes,
  TEXTS,
  textual,
  under,
} from './chance.js';

const NAMES = TEXTS.filter((text) => text !== '' && !/[%'.]/.test(text));
const DATASETS = [
  ['d', '1'],
  ['d', '2'],
  ['e', '1'],
] as const;
const MODELS = 25;

const model = fc.record({
  experiment_id: fc.constantFrom('0', '0', '1'),
  name: fc.constantFrom(...NAMES),
  model_type: fc.option(fc.constantFrom('agent', 'Agent', 'x'), { nil: undefined }),
  source_run_id: fc.option(fc.constantFrom('r', 'R'), { nil: undefined }),
  params: pairs,
  tags: pairs,
});

const measured = fc.record({
  run: fc.constantFrom(0, 1),
  key: fc.constantFrom('k', 'loss', 'a.b'),
  value: fc.constantFrom(0, 1, 1.5, -0.5, 2),
  timestamp: fc.integer({ min: 1, max: 5 }),
  step: fc.integer({ min: 0, max: 3 }),
  dataset: fc.option(fc.constantFrom(0, 1, 2), { nil: undefined }),
  model: fc.integer({ min: 0, max: MODELS - 1 }),
});

function database(): Call[] {
  const calls: Call[] = [['experiments.create', [{ name: 'other', tags: [] }]]];
  const runs = [0, 1].map((at): Reference => {
    calls.push(['runs.create', [{ experiment_id: '0', start_time: at, user_id: 'u', run_name: 'r', tags: [] }]]);
    return { of: calls.length - 1, path: ['info', 'run_id'] };
  });
  // A metric names a dataset that its run has as an input.
  for (const run of runs) {
    const inputs = DATASETS.map(([name, digest]) => ({
      tags: [],
      dataset: { name, digest, source_type: 's', source: 's' },
    }));
    calls.push(['runs.logInputs', [run, inputs, []]]);
  }
  const models = sample(model, MODELS).map((made): Reference => {
    calls.push(['loggedModels.create', [made]]);
    return { of: calls.length - 1, path: ['info', 'model_id'] };
  });
  const taken = new Set<string>();
  for (const { run, model: of, dataset, ...metric } of sample(measured, 120)) {
    const unique = JSON.stringify([run, of, metric.key, metric.timestamp, metric.step]);
    if (taken.has(unique)) continue;
    taken.add(unique);
    const [dataset_name, dataset_digest] = dataset === undefined ? [] : (DATASETS[dataset] ?? []);
    const point = { ...metric, model_id: models[of], ...(dataset_name && { dataset_name, dataset_digest }) };
    calls.push(['runs.logMetric', [runs[run], point]]);
  }
  models.forEach((id, at) => {
    if (at % 7 === 0) calls.push(['loggedModels.delete', [id]]);
    if (at % 3 === 0) calls.push(['loggedModels.finalize', [id, 'LOGGED_MODEL_READY']]);
  });
  return calls;
}

const orderBy = fc.array(
  fc.record(
    {
      field_name: fc.oneof(
        fc.constantFrom(
          'name',
          'model_type',
          'creation_timestamp',
          'creation_time',
          'last_updated_timestamp',
          'source_run_id',
          'status',
          'model_id',
        ),
        fc.constantFrom('metrics.k', 'metrics.loss', 'metrics.a.b', 'metrics.absent'),
        fc.constantFrom('nonsense', 'params.k'),
      ),
      ascending: fc.boolean(),
      dataset_name: fc.constantFrom('d', 'D', 'e'),
      dataset_digest: fc.constantFrom('1', '2'),
    },
    { requiredKeys: ['field_name'] },
  ),
  { maxLength: 2 },
);

const question = fc.record(
  {
    experiment_ids: fc.constantFrom(['0'], ['0', '1'], ['1', '99'], ['x']),
    filter: clauses(
      join(under(['metrics'], fc.constantFrom('k', 'loss', '`a.b`')), ordered, number),
      join(under(['params', 'tags'], key), textual, quoted),
      join(under(['params', 'tags'], key), fc.constantFrom('IN', 'NOT IN'), listed),
      join(fc.constantFrom('name', 'attributes.name'), textual, quotedOf(...NAMES, 'a%', 'A%')),
      join('name', fc.constantFrom('IN', 'NOT IN'), fc.constantFrom("('a', 'ab')", "('x y')")),
      join(fc.constantFrom('model_type', 'source_run_id'), textual, quotedOf('agent', 'AGENT', 'r', '%', 'x')),
      join(
        fc.constantFrom('creation_timestamp', 'creation_time', 'last_updated_timestamp'),
        ordered,
        String(START + 15_000),
      ),
      join('status', fc.constantFrom('=', '!='), quotedOf('1', '2', '7')),
      join('experiment_id', fc.constantFrom('=', '!='), quotedOf('0', '1')),
      fc.constantFrom('nonsense', 'metrics.k LIKE 1', "datasets.name = 'd'", "nothing = 'x'"),
    ),
    datasets: fc.array(
      fc.record(
        { dataset_name: fc.constantFrom('d', 'D', 'e', ''), dataset_digest: fc.constantFrom('1', '2') },
        { requiredKeys: ['dataset_name'] },
      ),
      { maxLength: 2 },
    ),
    order_by: orderBy,
    max_results: sizes,
  },
  { requiredKeys: ['experiment_ids'] },
);

/** @param oracle asked for when it is needed: it is not there before */
export function loggedModelSearches(implementation: Implementation, oracle: () => Oracle): void {
  test('searches for logged models find what MLflow finds', async () => {
    const before = database();
    await twins(implementation, oracle(), asked('loggedModels.search', question, before.length), { before });
  });
}
