/** Traces, on each database: what they do, and what searches find. */
import { afterAll, beforeAll } from 'vitest';
import { Oracle } from '../../support/oracle.js';
import { forEachDatabaseStore } from '../implementations.js';
import { traceSearches } from './search-traces.js';
import { tracesSuite } from './traces.js';

let oracle: Oracle;
beforeAll(() => {
  oracle = new Oracle();
});
afterAll(() => oracle[Symbol.asyncDispose]());

await forEachDatabaseStore('traces', (implementation) => {
  const suites = [tracesSuite, traceSearches];
  for (const suite of suites) suite(implementation, () => oracle);
});
