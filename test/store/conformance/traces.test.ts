/** Traces, on each database: what they do, and what searches find. */
import { afterAll, beforeAll } from 'vitest';
import { Oracle } from '../../support/oracle.js';
import { forEachStore } from '../implementations.js';
import { traceSearches } from './search-traces.js';
import { tracesSuite } from './traces.js';

let oracle: Oracle;
beforeAll(() => {
  oracle = new Oracle();
});
afterAll(() => oracle[Symbol.asyncDispose]());

await forEachStore('traces', (implementation) => {
  tracesSuite(implementation, () => oracle);
  if (implementation.kind === 'database') traceSearches(implementation, () => oracle);
});
