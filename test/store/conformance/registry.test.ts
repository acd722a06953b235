/** The registry and logged models, on each database: what they do, and what searches find. */
import { afterAll, beforeAll } from 'vitest';
import { Oracle } from '../../support/oracle.js';
import { forEachDatabaseStore } from '../implementations.js';
import { loggedModelsSuite } from './logged-models.js';
import { registrySuite } from './registry.js';
import { loggedModelSearches } from './search-logged-models.js';
import { registrySearches } from './search-registry.js';

let oracle: Oracle;
beforeAll(() => {
  oracle = new Oracle();
});
afterAll(() => oracle[Symbol.asyncDispose]());

await forEachDatabaseStore('models', (implementation) => {
  const suites = [registrySuite, loggedModelsSuite, registrySearches, loggedModelSearches];
  for (const suite of suites) suite(implementation, () => oracle);
});
