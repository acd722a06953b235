/** Calls on a run, as the scripts of a conformance test and of a twin test have them. */
import type { Call, Reference } from '../support/oracle.js';

export const pair = (key: string, value: string) => ({ key, value });
export const point = (key: string, value: unknown, more: object = {}) => ({
  ...{ key, value, timestamp: 1000, step: 0 },
  ...more,
});
export const many = <Item>(count: number, item: (at: number) => Item) =>
  Array.from({ length: count }, (_, at) => item(at));

/** The id of the run that the call of this number made. */
export const runOf = (of: number): Reference => ({ of, path: ['info', 'run_id'] });

/** The run that the first call of a script made. */
export const RUN = runOf(0);
export const get: Call = ['runs.get', [RUN]];
export const tag = (key: string, value: string, run: unknown = RUN): Call => ['runs.setTag', [run, pair(key, value)]];
export const param = (key: string, value: string, run: unknown = RUN): Call => [
  'runs.logParam',
  [run, pair(key, value)],
];
export const metric = (each: object, run: unknown = RUN): Call => ['runs.logMetric', [run, each]];
export const batch = (given: object, run: unknown = RUN): Call => [
  'runs.logBatch',
  [run, { metrics: [], params: [], tags: [], ...given }],
];
export const history = (key: string, page?: object): Call => ['metrics.history', page ? [RUN, key, page] : [RUN, key]];

/** It is changed, loses its name and gets another, and is deleted. */
export const UNTIL_DELETED: readonly Call[] = [
  ['runs.update', [RUN, { status: 'FINISHED', end_time: 99, run_name: 'changed' }]],
  ['runs.update', [RUN, { status: 'FAILED' }]],
  ['runs.update', [RUN, { end_time: 0 }]],
  ['runs.update', [RUN, { run_name: '' }]],
  ['runs.update', [RUN, {}]],
  ['runs.update', ['none', {}]],
  get,
  ['runs.deleteTag', [RUN, 'mlflow.runName']],
  get,
  ['runs.update', [RUN, { run_name: 'again' }]],
  get,
  ['runs.delete', [RUN]],
  ['runs.delete', [RUN]],
  ['runs.delete', ['none']],
  get,
];

/** While it is deleted. */
export const WHILE_DELETED: readonly Call[] = [
  ['runs.update', [RUN, { status: 'KILLED' }]],
  tag('t', 'x'),
  ['runs.deleteTag', [RUN, 't']],
  param('p', 'x'),
  metric(point('m', 1)),
  batch({ params: [pair('p', 'x')] }),
  ['runs.logInputs', [RUN, [], []]],
  ['runs.logOutputs', [RUN, [{ model_id: 'm-1', step: 0 }]]],
];

export const RESTORED: readonly Call[] = [
  ['runs.restore', [RUN]],
  ['runs.restore', [RUN]],
  ['runs.restore', ['none']],
  get,
];

/** Values at the edges of what a float is, of one step and of several. */
export const NUMBERS: readonly Call[] = [
  metric(point('m', 1.5)),
  metric(point('m', 1.5)),
  metric(point('m', 2.5)),
  metric(point('m', -1, { step: 1 })),
  metric(point('m', 9, { step: 1, timestamp: 999 })),
  metric(point('m', 0.1 + 0.2, { step: -5, timestamp: 2 ** 52 })),
  metric(point('nan', { float: 'nan' })),
  metric(point('nan', 0)),
  metric(point('nan', -1)),
  metric(point('zero', 0)),
  metric(point('zero', { float: 'nan' })),
  metric(point('inf', { float: 'inf' })),
  metric(point('inf', { float: '-inf' }, { step: 1 })),
  metric(point('tiny', 5e-324)),
  metric(point('big', 1.7976931348623157e308, { step: 2 ** 53 - 1 })),
];

/** Keys that are allowed and keys that are not, and a run that is not there. */
export const KEYS: readonly Call[] = [
  metric(point('a/b c.d-e_f:g ü', 1)),
  metric(point('', 1)),
  metric(point('a//b', 1)),
  metric(point('../a', 1)),
  metric(point('/a', 1)),
  metric(point('a?b', 1)),
  metric(point('a', 1, { timestamp: -1 })),
  metric(point('k'.repeat(251), 1)),
  metric(point('m', 1), 'none'),
];

/** Batches of which nothing is taken: what is wrong with them differs. */
export const REFUSED_BATCHES: readonly Call[] = [
  batch({ params: [pair('s', '1'), pair('s', '2'), pair('s', '3')] }),
  batch({ params: [pair('a?', '1')] }),
  batch({ tags: [pair('ok', '1'), pair('k'.repeat(251), '1')] }),
  batch({ metrics: [point('ok', 1), point('b', 1, { timestamp: -3 })] }),
  batch({ params: many(101, (at) => pair(`p${at}`, 'x')) }),
  batch({ tags: many(101, (at) => pair(`t${at}`, 'x')) }),
  batch({ metrics: many(1001, (at) => point(`m${at}`, 1)) }),
  batch({}, 'none'),
  batch({}, 'no/id'),
];
