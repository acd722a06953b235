import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { MtrackError, messageOf } from '../../errors.js';
import type { DatabaseUri } from '../../uri.js';
import type { Backups, Scratch } from '../backups.js';
import type { Database } from '../dialect.js';
import { makeScratchFolder } from '../scratch-folder.js';
import { materialise, reader } from './archive.js';
import { take } from './take.js';

export function backupsOf(path: string | null, open: (uri: DatabaseUri) => Promise<Database>): Backups {
  return {
    formats: [{ name: 'file', extension: '.db', isFolder: false, parallel: false }],
    writesHere: true,
    reader,
    // A file has nothing of its own but its place; it can be moved, or put back from a backup, and is the same database.
    identify: async () => ({
      facts: path !== null && existsSync(path) ? { file: String(statSync(path, { bigint: true }).ino) } : {},
      firm: false,
    }),
    take: async (options) => {
      if (path === null)
        throw new MtrackError('BACKUP_FAILED', { found: 'a database in memory ends with its process' });
      return take(path, options);
    },
    createScratch: () => createScratch(open),
    dropLeftovers: async () => [],
  };
}

/** A folder of its own, as SQLite puts journals beside the file. */
async function createScratch(open: (uri: DatabaseUri) => Promise<Database>): Promise<Scratch> {
  try {
    const folder = makeScratchFolder();
    const path = join(folder.path, 'mlflow.db');
    return {
      database: await open({ ...NOTHING_ELSE, scheme: 'sqlite', database: path }),
      drop: folder.remove,
      restore: (file, context) => materialise(file, reader.recognise(file) ?? '', path, context),
    };
  } catch (error) {
    throw new MtrackError('RESTORE_FAILED', {
      found: `no scratch database could be made in the folder for temporary files: ${messageOf(error)}`,
      fix: ['name a folder with room for the database in TMPDIR'],
      cause: error,
    });
  }
}

const NOTHING_ELSE = {
  kind: 'database',
  driver: null,
  user: null,
  password: null,
  host: null,
  port: null,
  query: new Map<string, readonly string[]>(),
} as const;
