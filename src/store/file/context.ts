/** What every noun of the file store works with. */
import type { Limits } from '../store.js';
import type { Fault } from './damage.js';
import type { Files } from './files.js';
import type { Locks } from './locks.js';

export interface Context {
  /** Absolute, without a slash at its end. */
  readonly root: string;
  readonly files: Files;
  /** Where artifacts go that name no place of their own. */
  readonly artifactRoot: string;
  readonly limits: Limits;
  /** Integer milliseconds since the epoch. */
  readonly now: () => number;
  /** Every write is on the medium when its call returns; see changes.ts. */
  readonly syncsAll: boolean;
  /** Told of what listings leave out, once of each. */
  readonly warn: (fault: Fault) => void;
  readonly locks: Locks;
  /** Where runs were found last: the folder of the experiment by the id of a run. */
  readonly runPlaces: Map<string, string>;
}
