import type { Traits } from '../../schema/traits.js';

/** What MLflow's migrations do differently on PostgreSQL. */
export const TRAITS: Traits = {
  checksBooleans: false,
  restatesColumns: false,
  dropsCheckOfOldType: true,
  foldsCase: false,
  uniqueIndexIsConstraint: false,
  mergesUniqueIntoPrimaryKey: true,
  coveringIndexes: true,
  prefixIndexes: false,
};
