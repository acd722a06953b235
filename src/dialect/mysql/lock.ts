/**
 * A named lock of the session that does the work (https://dev.mysql.com/doc/refman/8.4/en/locking-functions.html,
 * https://mariadb.com/kb/en/get_lock/). A killed client's last ALTER runs on in the server to its end, and with it, as
 * it is the same session, the lock: the next upgrade does not start beside it.
 */
import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import type { Blocker, NamedLock } from '../dialect.js';
import { takeLock, type Work } from '../patience.js';
import type { Session } from '../session.js';

/** MySQL refuses longer names (error 3057). */
const LONGEST_NAME = 64;

/** Names are of the whole server, so the database's is a part of it. */
async function nameOf(work: Work, session: Session): Promise<string> {
  const [row] = await session.rows<{ name: string | null }>('SELECT DATABASE() AS name');
  const name = `mtrack ${work} ${row?.name ?? ''}`;
  return name.length <= LONGEST_NAME
    ? name
    : `mtrack ${work} ${createHash('sha256').update(name).digest('hex').slice(0, 40)}`;
}

export function lockOf(work: Work): NamedLock {
  return {
    take: async (session, wait) => {
      const name = await nameOf(work, session);
      const attempt = async () => {
        const [row] = await session.rows<{ locked: number | null }>(sql`SELECT GET_LOCK(${name}, 0) AS locked`);
        return Number(row?.locked) === 1;
      };
      const holders = async () =>
        (await session.rows<ThreadRow>(sql`${THREADS} WHERE p.ID = IS_USED_LOCK(${name})`)).map(blockerOf);
      await takeLock(attempt, holders, wait, {
        work,
        fix: 'wait for it to end (KILL does not end an ALTER at once)',
        privilege: 'PROCESS',
      });
    },
    holds: async (session) => {
      const [row] = await session.rows<{ ours: number | null }>(
        sql`SELECT IS_USED_LOCK(${await nameOf(work, session)}) = CONNECTION_ID() AS ours`,
      );
      return Number(row?.ours) === 1;
    },
    release: async (session) => {
      await session.rows(sql`SELECT RELEASE_LOCK(${await nameOf(work, session)})`);
    },
  };
}

interface ThreadRow {
  id: number | string;
  user: string | null;
  host: string | null;
  state: string | null;
  seconds: number | string | null;
  info: string | null;
}

const THREADS = sql`SELECT p.ID AS id, p.USER AS user, p.HOST AS host, p.STATE AS state, p.TIME AS seconds, LEFT(p.INFO, 200) AS info
  FROM information_schema.PROCESSLIST p`;

function blockerOf(row: ThreadRow): Blocker {
  return {
    who: `thread ${row.id} (${row.user ?? '?'} from ${row.host ?? '?'})`,
    sinceSeconds: row.seconds === null ? null : Number(row.seconds),
    what: row.info?.replaceAll(/\s+/g, ' ') || row.state || 'idle in a transaction',
  };
}

/**
 * Threads with an open transaction, which is what an ALTER waits for; without the PROCESS privilege only one's own user's.
 * The server does not say of which tables: those of other databases are named only where there is nobody in this one.
 */
export async function blockers(session: Session): Promise<Blocker[]> {
  const rows = await session.rows<ThreadRow & { here: number }>(sql`
    SELECT p.ID AS id, p.USER AS user, p.HOST AS host, p.STATE AS state, p.DB <=> DATABASE() AS here,
           TIMESTAMPDIFF(SECOND, t.trx_started, NOW()) AS seconds, LEFT(p.INFO, 200) AS info
    FROM information_schema.INNODB_TRX t JOIN information_schema.PROCESSLIST p ON p.ID = t.trx_mysql_thread_id
    WHERE p.ID <> CONNECTION_ID() ORDER BY here DESC, t.trx_started LIMIT 10`);
  const here = rows.filter((row) => Number(row.here) === 1);
  return (here.length > 0 ? here : rows).map(blockerOf);
}
