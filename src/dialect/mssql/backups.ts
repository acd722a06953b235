/** Backups of SQL Server are taken, written and verified by the server itself, into files where it runs. */
import { MtrackError, messageOf } from '../../errors.js';
import type { Backups, Identity, Origin, TakeOptions } from '../backups.js';
import type { Session } from '../session.js';
import { reader } from './archive.js';
import { quote, unicode } from './spell.js';

/** How often it is asked how far the backup is. */
const OBSERVE_MS = 1000;

interface Source {
  readonly database: string;
  readonly open: () => Promise<Session>;
}

export function backupsOf(source: Source): Backups {
  return {
    formats: [{ name: 'bak', extension: '.bak', isFolder: false, parallel: false }],
    writesHere: false,
    reader,
    identify,
    take: (options) => take(source, options),
    createScratch: async () => {
      throw new MtrackError('RESTORE_FAILED', {
        found: 'a backup of SQL Server can only be restored by its server, and mtrack does not do that yet',
        fix: [
          "RESTORE DATABASE [mlflow_rehearsal] FROM DISK = N'…' WITH CHECKSUM, MOVE …, then DBCC CHECKDB, then mtrack db upgrade on it",
        ],
      });
    },
    dropLeftovers: async () => [],
  };
}

/** A restored copy keeps the family, and gets a GUID of its own. */
async function identify(session: Session): Promise<Identity> {
  const [row] = await session.rows<{ guid: string | null; family: string | null }>(QUERIES.identity);
  const facts = {
    ...(row?.guid && { database: row.guid.toLowerCase() }),
    ...(row?.family && { family: row.family.toLowerCase() }),
  };
  return { facts, firm: row?.guid != null };
}

export const QUERIES = {
  identity:
    'SELECT CONVERT(varchar(36), database_guid) AS [guid], CONVERT(varchar(36), family_guid) AS [family] FROM sys.database_recovery_status WHERE database_id = DB_ID()',
  /** Undocumented, and in every version since 2000. */
  exists: (path: string) =>
    `DECLARE @there int; EXEC master.sys.xp_fileexist ${unicode(path)}, @there OUTPUT; SELECT @there AS [there]`,
  /** COPY_ONLY leaves the chain of other backups as it is; without INIT an older backup in the file would stay in front. */
  backup: (database: string, path: string) =>
    `BACKUP DATABASE ${quote(database)} TO DISK = ${unicode(path)} WITH CHECKSUM, COPY_ONLY, INIT`,
  verify: (path: string) => `RESTORE VERIFYONLY FROM DISK = ${unicode(path)} WITH CHECKSUM`,
  progress:
    "SELECT CAST(percent_complete AS float) AS [done] FROM sys.dm_exec_requests WHERE command = N'BACKUP DATABASE' AND database_id = DB_ID()",
  version: "SELECT CAST(SERVERPROPERTY('ProductVersion') AS nvarchar(128)) AS [version]",
} as const;

async function take({ database, open }: Source, { path, signal, onProgress }: TakeOptions): Promise<Origin> {
  const session = await open();
  const observer = await open();
  const ask = async () => {
    const [row] = await observer.rows<{ done: number }>(QUERIES.progress);
    if (row) onProgress({ what: 'the server writes', done: Math.floor(row.done), total: 100, unit: 'percent' });
  };
  let asking: Promise<void> = Promise.resolve();
  // How far it is, is good to know; not to learn it must not end the backup.
  const timer = setInterval(() => {
    asking = asking.then(ask).catch(() => undefined);
  }, OBSERVE_MS);
  // The statement ends with its session.
  const stop = () => void session.close();
  signal.addEventListener('abort', stop);
  try {
    const [row] = await session.rows<{ version: string }>(QUERIES.version);
    const [file] = await session.rows<{ there: number }>(QUERIES.exists(path));
    if (file?.there !== 0) throw new Error(`${path} is there already, and would be overwritten`);
    const takenAt = Date.now();
    await session.run(QUERIES.backup(database, path));
    await session.run(QUERIES.verify(path));
    const version = row?.version ?? '';
    return { tool: `SQL Server ${version} BACKUP DATABASE`, server: version, database, takenAt };
  } catch (error) {
    throw new MtrackError('BACKUP_FAILED', {
      found: messageOf(error),
      expected: 'a path where the server can write, and a user who may BACKUP DATABASE',
      fix: ['name a path on the server with --output; the role db_backupoperator is enough'],
      cause: error,
    });
  } finally {
    clearInterval(timer);
    signal.removeEventListener('abort', stop);
    await asking;
    await observer.close();
    await session.close();
  }
}
