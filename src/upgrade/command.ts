import type { Database } from '../dialect/dialect.js';

/** A command to be copied: it names the database as it was named, so that no password has to be put in again. */
export function commandOf(what: 'db upgrade' | 'db status', { named }: Pick<Database, 'named'>, ...flags: string[]) {
  return ['mtrack', what, named, ...flags].filter((word) => word !== '').join(' ');
}
