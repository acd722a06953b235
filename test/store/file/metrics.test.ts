/** Lines of metric files are read as MLflow reads them, or refused; the latest point is the one that MLflow takes. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Unreadable } from '../../../src/store/file/damage.js';
import { latestPlainLine } from '../../../src/store/file/latest-line.js';
import { formatModelLine, formatRunLine, parseModelLine, parseRunLine } from '../../../src/store/file/metric-lines.js';
import { latestOf, readSeries } from '../../../src/store/file/series.js';
import { parseInteger, reprFloat } from '../../../src/store/search/index.js';
import { Oracle } from '../../support/oracle.js';

const SEED = Number(process.env.MTRACK_METRICS_SEED ?? Math.floor(Math.random() * 2 ** 31));
const sample = <Value>(values: fc.Arbitrary<Value>, count = 800) => fc.sample(values, { numRuns: count, seed: SEED });

const integer = fc.oneof(
  fc.integer({ min: -3, max: 3 }).map(String),
  fc.maxSafeInteger().map(String),
  fc.constantFrom('', '0', '-0', '+5', '007', '1_000', '12345678901234567890', '1.0', 'x', '1700000000000', '٣'),
);
const value = fc.oneof(
  fc.double().map(reprFloat),
  fc.constantFrom(...['0', '1', '-1', '1e5', '1E5', '.5', '5.', '-.5e-3', 'nan', 'NaN', 'inf', '-inf', '+Infinity']),
  fc.constantFrom(...['-nan', '1_0.5', '1__0', '1e', '', '--1', '0x10', '1.2.3', '1e400', '5e-324', '١٫٥', '٣.٥']),
);
const word = fc.constantFrom('d', 'train', 'ü', 'run-1', '');
const line = fc
  .tuple(fc.array(fc.oneof(integer, value, word), { maxLength: 7 }), fc.constantFrom('', ' ', '\r'))
  .map(([parts, end]) => parts.join(' ') + end);
const likely = fc
  .tuple(integer, value, fc.option(integer), fc.array(word, { maxLength: 4 }))
  .map(([time, number, step, rest]) => [time, number, ...(step === null ? [] : [step]), ...rest].join(' '));

type Told = readonly [
  time: string,
  value: string,
  step: string,
  name: string | null,
  digest: string | null,
  run: string | null,
];

function ours(kind: string, text: string): Told | null {
  try {
    const point = kind === 'run' ? parseRunLine(text) : parseModelLine(text);
    const { timestamp, value, shownStep, dataset_name = null, dataset_digest = null, run_id = null } = point;
    return [String(timestamp), reprFloat(value), String(shownStep), dataset_name, dataset_digest, run_id];
  } catch (error) {
    if (error instanceof Unreadable) return null;
    throw error;
  }
}

/**
 * What has a blank in the name of its dataset MLflow writes, and refuses to read; and of a run's point that was measured on a
 * dataset it does not look at the step, which may be anything.
 */
function isReadOtherwise(kind: string, line: string): boolean {
  const parts = line.trim().split(' ');
  if (kind === 'model') return parts.length > 6;
  return parts.length > 5 || (parts.length === 5 && parseInteger(parts[2] ?? '') === undefined);
}

describe(`metric files (seed ${SEED})`, () => {
  let oracle: Oracle;
  beforeAll(() => {
    oracle = new Oracle();
  });
  afterAll(() => oracle[Symbol.asyncDispose]());

  test('each line is read as MLflow reads it', async () => {
    const lines = [...sample(line), ...sample(likely)];
    const cases = lines.flatMap((text) => [
      ['run', text],
      ['model', text],
    ]) as [string, string][];
    const theirs = await oracle.call<Told | null>('metric_lines', cases);
    let read = 0;
    for (const [at, [kind, text]] of cases.entries()) {
      if (isReadOtherwise(kind, text)) continue;
      const found = ours(kind, text);
      expect({ kind, text, found }).toEqual({ kind, text, found: theirs[at] });
      if (found) read += 1;
    }
    expect(read).toBeGreaterThan(200);
  });

  test('the latest point is the one that MLflow takes, fast or slow', async () => {
    const small = fc.integer({ min: -2, max: 2 });
    const number = fc.oneof(
      { weight: 5, arbitrary: fc.constantFrom('0.0', '1.0', '-1.0', '1.5', '1e-05', '10.0', '9.0') },
      fc.constantFrom('nan', 'inf', '-inf', '1e5', '.5', 'x'),
    );
    const point = fc
      .tuple(fc.integer({ min: 0, max: 3 }), number, small, fc.constantFrom('', '', '', '', ' d 1', ' x'))
      .map(([time, written, step, rest]) => `${time} ${written} ${step}${rest}`);
    const file = fc
      .tuple(fc.array(point, { minLength: 1, maxLength: 6 }), fc.constantFrom('\n', '\n', '\n', ''))
      .map(([points, end]) => points.join('\n') + end);
    const texts = [
      ...sample(file, 2000),
      ...sample(fc.array(likely, { minLength: 1, maxLength: 3 }).map((all) => `${all.join('\n')}\n`)),
    ];
    const theirs = await oracle.call<readonly [string, string, string] | null>('latest_metrics', texts);
    let fast = 0;
    for (const [at, text] of texts.entries()) {
      if (text.split('\n').some((each) => isReadOtherwise('run', each))) continue;
      const line = latestPlainLine(text);
      if (line !== undefined) fast += 1;
      const series = readSeries(text, parseRunLine);
      if (series.bad.length > 0 || text.trim() === '') {
        // What is refused by line is not passed over by the fast way.
        expect({ text, line }).toEqual({ text, line: undefined });
        continue;
      }
      const points = [latestOf(series.points), line === undefined ? undefined : parseRunLine(line)];
      const [slow, quick] = points.map(
        (each) => each && [String(each.timestamp), reprFloat(each.value), String(each.shownStep)],
      );
      expect({ text, slow }).toEqual({ text, slow: theirs[at] });
      if (line !== undefined) expect({ text, quick }).toEqual({ text, quick: theirs[at] });
    }
    expect(fast).toBeGreaterThan(200);
  });

  test('what is written is what is read', () => {
    fc.assert(
      fc.property(
        fc.record({ timestamp: fc.nat(), value: fc.double(), step: fc.maxSafeInteger() }),
        fc.option(fc.record({ dataset_name: word.filter(Boolean), dataset_digest: word.filter(Boolean) }), { nil: {} }),
        (numbers, dataset) => {
          const point = { ...numbers, ...dataset };
          expect(parseRunLine(formatRunLine(point))).toMatchObject(point);
          expect(parseModelLine(formatModelLine(point, 'r'))).toMatchObject({ ...point, run_id: 'r' });
        },
      ),
    );
  });

  test('a blank in the name of a dataset keeps its place', () => {
    expect(parseRunLine('1 0.5 7 train set d1')).toMatchObject({
      step: 7,
      dataset_name: 'train set',
      dataset_digest: 'd1',
    });
    expect(parseModelLine('1 0.5 7 r train set d1')).toMatchObject({ step: 7, run_id: 'r', dataset_name: 'train set' });
  });
});
