import type { Traits } from '../../schema/traits.js';

/** What MLflow's migrations do differently on SQLite. */
export const TRAITS: Traits = {
  checksBooleans: true,
  restatesColumns: false,
  dropsCheckOfOldType: true,
  foldsCase: false,
  uniqueIndexIsConstraint: false,
  mergesUniqueIntoPrimaryKey: false,
  coveringIndexes: false,
  prefixIndexes: false,
};
