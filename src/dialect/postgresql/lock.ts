/**
 * An advisory lock of the session that does the work (https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS):
 * it ends with the connection, so that a killed upgrade leaves nothing locked, and holding it on the working connection
 * means that the work cannot outlive it.
 */
import { sql } from 'kysely';
import type { Blocker, NamedLock } from '../dialect.js';
import { takeLock, type Work } from '../patience.js';
import type { Session } from '../session.js';

/** The letters `mtrk` and `mtgc`; the second key tells schemas of one database apart. */
const CLASSES: Readonly<Record<Work, number>> = { upgrade: 0x6d74726b, gc: 0x6d746763 };
const ofSchema = (work: Work) => sql`${sql.lit(CLASSES[work])}, hashtext(current_schema())`;
const ours = (work: Work) =>
  sql`l.locktype = 'advisory' AND l.classid = ${sql.lit(CLASSES[work])} AND l.objid::bigint = (hashtext(current_schema())::bigint & 4294967295) AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())`;

export function lockOf(work: Work): NamedLock {
  return {
    take: async (session, wait) => {
      const attempt = async () => {
        const [row] = await session.rows<{ locked: boolean }>(
          sql`SELECT pg_try_advisory_lock(${ofSchema(work)}) AS locked`,
        );
        return row?.locked ?? false;
      };
      const holders = async () => {
        const rows = await session.rows<ActivityRow>(sql`
          SELECT ${ACTIVITY} FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid WHERE l.granted AND ${ours(work)}`);
        return rows.map(blockerOf);
      };
      await takeLock(attempt, holders, wait, {
        work,
        fix: 'wait for it to end, or end that process',
        privilege: 'pg_read_all_stats',
      });
    },
    holds: async (session) => {
      const rows = await session.rows(
        sql`SELECT 1 FROM pg_locks l WHERE l.granted AND l.pid = pg_backend_pid() AND ${ours(work)}`,
      );
      return rows.length > 0;
    },
    release: async (session) => {
      await session.rows(sql`SELECT pg_advisory_unlock(${ofSchema(work)})`);
    },
  };
}

interface ActivityRow {
  pid: number;
  user: string | null;
  program: string | null;
  client: string | null;
  state: string | null;
  seconds: number | null;
  query: string | null;
}

const ACTIVITY = sql`a.pid, a.usename AS "user", a.application_name AS program, host(a.client_addr) AS client, a.state,
  extract(epoch FROM clock_timestamp() - coalesce(a.xact_start, a.state_change))::int AS seconds, left(a.query, 200) AS query`;

function blockerOf(row: ActivityRow): Blocker {
  const program = row.program ? ` ${row.program}` : '';
  const client = row.client ? ` from ${row.client}` : '';
  return {
    who: `process ${row.pid} (${row.user ?? '?'}${program}${client})`,
    sinceSeconds: row.seconds,
    what: `${row.state ?? 'unknown state'}, last statement: ${row.query?.replaceAll(/\s+/g, ' ') ?? ''}`,
  };
}

/** Who has locks on tables of this schema, the longest first. */
export async function blockers(session: Session): Promise<Blocker[]> {
  const rows = await session.rows<ActivityRow>(sql`
    SELECT DISTINCT ${ACTIVITY} FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
    JOIN pg_class c ON c.oid = l.relation AND c.relkind IN ('r', 'p') JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = current_schema()
    WHERE l.granted AND l.pid <> pg_backend_pid() AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    ORDER BY seconds DESC NULLS LAST LIMIT 10`);
  return rows.map(blockerOf);
}
