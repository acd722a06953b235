/** What the user may do, as far as the server tells the user. */
import type { Session } from '../session.js';

/** Privileges of the user on the whole server and on this database; with `ROLE` where roles make the list incomplete. */
export type Grants = ReadonlySet<string>;

/** The privileges of the user on this database, in capitals; `ROLE` where a role may hold any of them. */
export async function grantsOf(session: Session): Promise<Grants> {
  const rows = await session.rows<Record<string, string>>('SHOW GRANTS FOR CURRENT_USER()');
  const [row] = await session.rows<{ name: string | null }>('SELECT DATABASE() AS name');
  const granted = new Set<string>();
  for (const grant of rows.flatMap((each) => Object.values(each))) {
    const [, privileges, on] = /^GRANT (.+?) ON (\S+) TO /i.exec(grant) ?? [];
    // A grant without an object is that of a role, which may hold anything.
    if (privileges === undefined) granted.add('ROLE');
    else if (on === '*.*' || covers(on ?? '', row?.name ?? '')) {
      for (const privilege of privileges.toUpperCase().split(/,\s*/)) granted.add(privilege);
    }
  }
  return granted;
}

/** Whether `` `pattern`.* `` is of the database: `_` and `%` are wildcards, a backslash takes that away. */
function covers(on: string, database: string): boolean {
  const pattern = /^`(.*)`\.\*$/.exec(on)?.[1];
  if (pattern === undefined) return false;
  const expression = pattern.replaceAll(/\\?./g, (part) => {
    if (part === '%') return '.*';
    if (part === '_') return '.';
    return part.replace(/^\\/, '').replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
  });
  return new RegExp(`^${expression}$`, 'i').test(database);
}
