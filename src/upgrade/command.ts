import type { Database } from '../dialect/dialect.js';
import { MASK } from '../secrets.js';

/** How a backup is taken: by mtrack, or with the database's own tool. */
export function backupCommands(database: Database): { readonly ours: string; readonly own: string } {
  return { ours: commandOf('db backup', database), own: database.dialect.backupCommand(database.target) };
}

/**
 * A command to be copied: it names the database as it was named, so that no password has to be put in again where it
 * came from a file or from the environment. One that was on the command line is not repeated, which a comment says.
 */
export function commandOf(
  what:
    | 'db plan'
    | 'db upgrade'
    | 'db downgrade'
    | 'db status'
    | 'db backup'
    | 'db backup-check BACKUP'
    | 'gc'
    | 'trash list',
  { named }: Pick<Database, 'named'>,
  ...flags: string[]
): string {
  const masked = named.includes(MASK) ? [`  # with the password in place of ${MASK}`] : [];
  return ['mtrack', what, named, ...flags, ...masked].filter((word) => word !== '').join(' ');
}
