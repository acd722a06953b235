/** Runs and experiments out of the trash of a database at any revision, as MLflow's store takes them out. */
import { type RawBuilder, sql } from 'kysely';
import type { Session } from '../../dialect/session.js';
import { StoreError } from '../../store/errors.js';
import type { Restorer } from '../source.js';
import type { Live } from './live.js';

const ACTIVE = 'active';
const DELETED = 'deleted';

export function restorerOf(live: Live): Restorer {
  const set = (assignments: readonly RawBuilder<unknown>[]) => sql.join(assignments);
  const active = sql`${sql.ref('lifecycle_stage')} = ${ACTIVE}`;
  const ofRun = live.has('runs', 'deleted_time') ? [active, sql`${sql.ref('deleted_time')} = NULL`] : [active];
  const now = sql.raw(live.dialect.words.now());
  const ofExperiment = live.has('experiments', 'last_update_time')
    ? [active, sql`${sql.ref('last_update_time')} = ${now}`]
    : [active];

  const isDeleted = async (session: Session, table: string, key: string, id: unknown, shown: string) => {
    const { locking } = live.dialect.queries;
    const [row] = await session.rows<{ stage: string }>(
      sql`SELECT ${sql.ref('lifecycle_stage')} AS stage FROM ${sql.table(table)} ${locking.from} WHERE ${sql.ref(key)} = ${id} ${locking.end}`,
    );
    if (row === undefined) throw new StoreError('RESOURCE_DOES_NOT_EXIST', `there is no ${shown}`);
    if (row.stage !== DELETED) throw new StoreError('INVALID_STATE', `${shown} is not deleted`);
  };

  return {
    run: (id) =>
      live.connection.transaction(async (session) => {
        await isDeleted(session, 'runs', 'run_uuid', id, `run ${id}`);
        await session.run(sql`UPDATE ${sql.table('runs')} SET ${set(ofRun)} WHERE ${sql.ref('run_uuid')} = ${id}`);
      }),
    experiment: (id) =>
      live.connection.transaction(async (session) => {
        const key = Number(id);
        if (!Number.isSafeInteger(key)) throw new StoreError('RESOURCE_DOES_NOT_EXIST', `there is no experiment ${id}`);
        await isDeleted(session, 'experiments', 'experiment_id', key, `experiment ${id}`);
        const here = sql`WHERE ${sql.ref('experiment_id')} = ${key}`;
        await session.run(sql`UPDATE ${sql.table('experiments')} SET ${set(ofExperiment)} ${here}`);
        await session.run(sql`UPDATE ${sql.table('runs')} SET ${set(ofRun)} ${here}`);
      }),
  };
}
