import type { Traits } from '../../schema/traits.js';

/** What MLflow's migrations do differently on MySQL and MariaDB. */
export const TRAITS: Traits = {
  checksBooleans: true,
  restatesColumns: true,
  dropsCheckOfOldType: false,
  foldsCase: true,
  uniqueIndexIsConstraint: true,
  mergesUniqueIntoPrimaryKey: false,
  coveringIndexes: false,
  prefixIndexes: true,
};
