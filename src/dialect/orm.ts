/** What every connection has in common: MikroORM opens and pools it, and says nothing on the terminal. */
import type { Kysely } from 'kysely';
import { pinnedSession, type Session, type TransactionControl } from './session.js';

/** Options of every connection: MikroORM would ask whether the database is there, and make it where it is not. */
export const QUIET = {
  entities: [],
  discovery: { warnWhenNoEntities: false },
  logger: () => undefined,
  ensureDatabase: false,
};

/** As much of a MikroORM as a session needs, whichever driver it has. */
interface Orm {
  readonly em: { getKysely(): unknown; getConnection(): { initClient(): Promise<void> } };
  close(force?: boolean): Promise<void>;
}

/**
 * A session on the one connection of a MikroORM, which is closed with it.
 * @throws what the driver throws where it cannot be reached
 */
export async function sessionOf(
  orm: Orm,
  control: (run: (statement: string) => Promise<number>) => TransactionControl,
): Promise<Session> {
  await orm.em.getConnection().initClient();
  return pinnedSession(orm.em.getKysely() as Kysely<object>, () => orm.close(true), control);
}
