/**
 * The tables that the store serves, as MikroORM's entities: one for each, its properties named as the columns are. They are
 * those of the head of the lineage; test/store/database/entities.test.ts compares them with the migrations.
 */
import type { InferKyselyDB } from '@mikro-orm/sql';
import * as loggedModels from './logged-models.js';
import * as registry from './registry.js';
import * as traces from './traces.js';
import * as tracking from './tracking.js';

const BY_NAME = { ...tracking, ...loggedModels, ...traces, ...registry };

export const ENTITIES = Object.values(BY_NAME);

/** Column types of each table, for Kysely. A boolean is read as 0 or 1 where the database has none. */
export type Tables = InferKyselyDB<(typeof BY_NAME)[keyof typeof BY_NAME], { columnNamingStrategy: 'property' }>;
