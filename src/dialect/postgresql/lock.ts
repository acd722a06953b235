/**
 * An advisory lock of the session that does the work (https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS):
 * it ends with the connection, so that a killed upgrade leaves nothing locked, and holding it on the working connection
 * means that the work cannot outlive it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { MtrackError } from '../../errors.js';
import type { Blocker, LockWait } from '../dialect.js';
import type { Session } from '../session.js';

/** The letters `mtrk`; the second key tells schemas of one database apart. */
const CLASS = 0x6d74726b;
const KEYS = sql`${sql.lit(CLASS)}, hashtext(current_schema())`;
const OURS = sql`l.locktype = 'advisory' AND l.classid = ${sql.lit(CLASS)} AND l.objid::bigint = (hashtext(current_schema())::bigint & 4294967295) AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())`;
const POLL_MS = 250;

export async function lock(session: Session, wait: LockWait): Promise<void> {
  const patientUntil = Date.now() + wait.patience;
  for (;;) {
    const [row] = await session.rows<{ locked: boolean }>(sql`SELECT pg_try_advisory_lock(${KEYS}) AS locked`);
    if (row?.locked) return;
    const holders = await session.rows<ActivityRow>(sql`
      SELECT ${ACTIVITY} FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid WHERE l.granted AND ${OURS}`);
    if (Date.now() > patientUntil) {
      throw new MtrackError('LOCKED', {
        found: `another upgrade of this database has run for more than ${Math.round(wait.patience / 1000)} s: ${holders.map((row) => blockerOf(row).who).join('; ')}`,
        fix: ['wait for it to end, or end that process, and run the command again'],
      });
    }
    wait.onWait(holders.map(blockerOf));
    await sleep(POLL_MS);
  }
}

export async function holdsLock(session: Session): Promise<boolean> {
  const rows = await session.rows(
    sql`SELECT 1 FROM pg_locks l WHERE l.granted AND l.pid = pg_backend_pid() AND ${OURS}`,
  );
  return rows.length > 0;
}

export async function unlock(session: Session): Promise<void> {
  await session.rows(sql`SELECT pg_advisory_unlock(${KEYS})`);
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
