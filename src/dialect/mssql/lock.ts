/**
 * A lock of the application, of the session that does the work
 * (https://learn.microsoft.com/en-us/sql/relational-databases/system-stored-procedures/sp-getapplock-transact-sql): it ends
 * with the connection, so that a killed upgrade leaves nothing locked, and the work cannot outlive it. It is of one
 * database; the schema is part of its name.
 */
import { MtrackError } from '../../errors.js';
import type { Blocker, NamedLock } from '../dialect.js';
import { takeLock, type Work } from '../patience.js';
import type { Session } from '../session.js';

const nameOf = (work: Work) => `N'mtrack ${work} ' + SCHEMA_NAME()`;
/** Of resources of locks the server shows this many characters. */
const SHOWN = 32;

/** sp_getapplock says by its return code, never by an error, that the lock was not got. */
const GRANTED = [0, 1];
/** Timed out, cancelled, or the victim of a deadlock: it may be got the next time. */
const NOT_YET = [-1, -2, -3];

const SESSION = `s.session_id AS [session], s.login_name AS [user], s.program_name AS [program], s.host_name AS [host], s.status AS [status],
  DATEDIFF(second, COALESCE(x.transaction_begin_time, s.last_request_start_time), SYSDATETIME()) AS [seconds],
  (SELECT LEFT(q.text, 200) FROM sys.dm_exec_sql_text(c.most_recent_sql_handle) q) AS [query]`;

const OF_SESSION = `LEFT JOIN sys.dm_exec_connections c ON c.session_id = s.session_id AND c.parent_connection_id IS NULL
OUTER APPLY (
  SELECT MIN(a.transaction_begin_time) AS transaction_begin_time
  FROM sys.dm_tran_session_transactions st JOIN sys.dm_tran_active_transactions a ON a.transaction_id = st.transaction_id
  WHERE st.session_id = s.session_id
) x`;

const queriesOf = (work: Work) => ({
  take: `DECLARE @resource nvarchar(255) = ${nameOf(work)}, @result int;
EXEC @result = sp_getapplock @Resource = @resource, @LockMode = N'Exclusive', @LockOwner = N'Session', @LockTimeout = 0;
SELECT @result AS [result]`,
  holds: `SELECT APPLOCK_MODE(N'public', ${nameOf(work)}, N'Session') AS [mode]`,
  release: `DECLARE @resource nvarchar(255) = ${nameOf(work)};
IF APPLOCK_MODE(N'public', @resource, N'Session') <> N'NoLock' EXEC sp_releaseapplock @Resource = @resource, @LockOwner = N'Session'`,
  holders: `SELECT ${SESSION}
FROM sys.dm_tran_locks l
JOIN sys.dm_exec_sessions s ON s.session_id = l.request_session_id
${OF_SESSION}
WHERE l.resource_type = N'APPLICATION' AND l.resource_database_id = DB_ID() AND l.request_status = N'GRANT'
  AND CHARINDEX(LEFT(${nameOf(work)}, ${SHOWN}), l.resource_description) > 0`,
});

/** Statements of the lock; the tests have them parsed by the server's own grammar. */
export const QUERIES = {
  ...queriesOf('upgrade'),
  // No name of a table is asked for: that would wait for the very locks.
  blockers: `SELECT TOP (10) ${SESSION}
FROM sys.dm_exec_sessions s
${OF_SESSION}
WHERE s.session_id <> @@SPID AND s.is_user_process = 1 AND EXISTS (
  SELECT 1 FROM sys.dm_tran_locks l
  WHERE l.request_session_id = s.session_id AND l.resource_database_id = DB_ID() AND l.resource_type = N'OBJECT' AND l.request_status = N'GRANT'
)
ORDER BY [seconds] DESC`,
} as const;

export const COLLECTING = queriesOf('gc');

export function lockOf(work: Work): NamedLock {
  const queries = queriesOf(work);
  return {
    // @throws {MtrackError} LOCKED; STATEMENT_FAILED where the server refuses it
    take: async (session, wait) => {
      const attempt = async () => {
        const [row] = await session.rows<{ result: number }>(queries.take);
        const result = row?.result ?? -999;
        if (!GRANTED.includes(result) && !NOT_YET.includes(result)) throw refused(work, result);
        return GRANTED.includes(result);
      };
      const holders = () => asFarAsAllowed(session, queries.holders);
      await takeLock(attempt, holders, wait, {
        work,
        fix: 'wait for it to end, or end that session (KILL)',
        privilege: 'VIEW SERVER STATE',
      });
    },
    holds: async (session) => {
      const [row] = await session.rows<{ mode: string | null }>(queries.holds);
      return row?.mode === 'Exclusive';
    },
    release: async (session) => {
      await session.run(queries.release);
    },
  };
}

function refused(work: Work, result: number): MtrackError {
  return new MtrackError('STATEMENT_FAILED', {
    found: `sp_getapplock returned ${result}: the server refuses the lock of the ${work}`,
    expected: `0 or 1, or -1 while another ${work} runs`,
    fix: [
      'check that the user is one of the database, and may execute sp_getapplock (public may, unless it was revoked)',
    ],
  });
}

/** Sessions that hold locks on tables of this database, the longest first. */
export async function blockers(session: Session): Promise<Blocker[]> {
  return asFarAsAllowed(session, QUERIES.blockers);
}

interface SessionRow {
  session: number;
  user: string | null;
  program: string | null;
  host: string | null;
  status: string | null;
  seconds: number | null;
  query: string | null;
}

/** Others are seen by who may VIEW SERVER STATE (or, in Azure, VIEW DATABASE STATE) only: that must not stop the waiting. */
async function asFarAsAllowed(session: Session, query: string): Promise<Blocker[]> {
  try {
    return (await session.rows<SessionRow>(query)).map(blockerOf);
  } catch {
    return [];
  }
}

function blockerOf(row: SessionRow): Blocker {
  const program = row.program?.trim() ? ` ${row.program.trim()}` : '';
  const host = row.host?.trim() ? ` from ${row.host.trim()}` : '';
  return {
    who: `session ${row.session} (${row.user ?? '?'}${program}${host})`,
    sinceSeconds: row.seconds,
    what: `${row.status ?? 'unknown state'}, last statement: ${row.query?.replaceAll(/\s+/g, ' ') ?? ''}`,
  };
}
