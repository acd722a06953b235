/** The registry and logged models, on each database: what they do, and what searches find. */
import { afterAll, beforeAll } from 'vitest';
import { Oracle } from '../../support/oracle.js';
import { forEachStore } from '../implementations.js';
import { loggedModelsSuite } from './logged-models.js';
import { registrySuite } from './registry.js';
import { loggedModelSearches } from './search-logged-models.js';
import { registrySearches } from './search-registry.js';

let oracle: Oracle;
beforeAll(() => {
  oracle = new Oracle();
});
afterAll(() => oracle[Symbol.asyncDispose]());

await forEachStore('models', (implementation) => {
  loggedModelsSuite(implementation, () => oracle);
  if (implementation.kind === 'file') return;
  for (const suite of [registrySuite, registrySearches, loggedModelSearches]) suite(implementation, () => oracle);
});
