/** What every noun of the database store works with. */
import type { Pool } from '../../dialect/pool.js';
import type { Limits } from '../store.js';
import type { Tables } from './entities/index.js';
import type { Questions, Texts } from './statements.js';

export interface Context {
  readonly pool: Pool<Tables>;
  /** Where artifacts go that name no place of their own, without a slash at its end. */
  readonly artifactRoot: string;
  readonly limits: Limits;
  readonly texts: Texts;
  readonly questions: Questions;
  /** Integer milliseconds since the epoch. */
  readonly now: () => number;
}
