/** Searches for runs: filters and orders that chance has made find the same runs in MLflow's store, page by page. */
import * as fc from 'fast-check';
import { afterAll, beforeAll, test } from 'vitest';
import { type Call, Oracle } from '../../support/oracle.js';
import { twins } from '../../support/twin.js';
import { forEachStore } from '../implementations.js';
import { madeRuns, runQuestion } from '../random-runs.js';

let oracle: Oracle;
beforeAll(() => {
  oracle = new Oracle();
});
afterAll(() => oracle[Symbol.asyncDispose]());

/** Another one asks other questions. */
const SEED = Number(process.env.MTRACK_SEED ?? 4);
const RUNS = 30;
const QUESTIONS = process.env.MTRACK_TESTS === 'all' ? 400 : 60;

/** MLflow's file store reads every file of every run for each question. */
const FEWER = 3;

/** Each question, and its second page. */
function asked(before: number, kind: 'database' | 'file'): Call[] {
  const numRuns = kind === 'file' ? Math.ceil(QUESTIONS / FEWER) : QUESTIONS;
  return fc.sample(runQuestion, { numRuns, seed: SEED }).flatMap((each, at): Call[] => [
    ['runs.search', [each]],
    ['runs.search', [{ ...each, page_token: { of: before + 2 * at, path: ['next_page_token'] } }]],
  ]);
}

await forEachStore('searches for runs', (implementation) => {
  test('find what MLflow finds', async () => {
    const before = madeRuns(RUNS, SEED);
    await twins(implementation, oracle, asked(before.length, implementation.kind), { before });
  });
});
