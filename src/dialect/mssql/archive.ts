/**
 * A .bak of SQL Server: it is in Microsoft's tape format, whose content only the server itself reads. Seen from outside it can
 * be told what it is, and no more.
 */
import { MtrackError } from '../../errors.js';
import type { BackupReader } from '../backups.js';
import { unicode } from './spell.js';

/** The first block of a media set; a compressed one begins otherwise. */
const MAGIC = ['TAPE', 'MSSQLBAK'];

export const reader: BackupReader = {
  recognise: ({ isFolder, head }) =>
    !isFolder && MAGIC.some((magic) => head.toString('latin1', 0, magic.length) === magic) ? 'bak' : null,
  read: async ({ path }) => {
    throw new MtrackError('BACKUP_UNKNOWN', {
      found: `${path} is a backup of SQL Server, which only a SQL Server can read`,
      expected: 'a server that says: The backup set on file 1 is valid',
      fix: [
        `on the server: RESTORE VERIFYONLY FROM DISK = ${unicode(path)} WITH CHECKSUM`,
        'it does not prove that the database can be restored: RESTORE DATABASE under another name, and DBCC CHECKDB, do',
      ],
    });
  },
};
