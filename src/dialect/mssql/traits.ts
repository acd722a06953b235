import type { Traits } from '../../schema/traits.js';

/** What MLflow's migrations do differently on SQL Server. */
export const TRAITS: Traits = {
  checksBooleans: false,
  restatesColumns: false,
  dropsCheckOfOldType: true,
  foldsCase: true,
  uniqueIndexIsConstraint: false,
  mergesUniqueIntoPrimaryKey: false,
  // The server has both, but MLflow makes these indexes plain ones here.
  coveringIndexes: false,
  prefixIndexes: false,
};
