/** What a step does to tables, as PostgreSQL shows it: the locks it holds, and the tables it has written anew. */
import type { Watch } from '../dialect.js';
import type { Session } from '../session.js';

/**
 * Those that keep writers out, the weakest first (https://www.postgresql.org/docs/current/explicit-locking.html).
 * Weaker ones, as a read takes, are in nobody's way.
 */
const LOCKS = ['SHARE', 'SHARE ROW EXCLUSIVE', 'ACCESS EXCLUSIVE'];

interface Look {
  readonly lock: string;
  /** Where its rows lie: another file when they were written anew. */
  readonly file: string;
}

async function look(session: Session): Promise<ReadonlyMap<string, Look>> {
  const rows = await session.rows<{ name: string; file: string; modes: string | null }>(`
    SELECT c.relname AS name, c.relfilenode::text AS file,
           (SELECT string_agg(DISTINCT l.mode, ',') FROM pg_locks l WHERE l.relation = c.oid AND l.pid = pg_backend_pid() AND l.granted) AS modes
    FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r'`);
  return new Map(
    rows.map(({ name, file, modes }) => {
      const held = (modes ?? '').split(',').map(spelt);
      return [name, { file, lock: LOCKS.findLast((lock) => held.includes(lock)) ?? '' }];
    }),
  );
}

/** `AccessExclusiveLock` as the manual has it. */
const spelt = (mode: string) =>
  mode
    .replace(/Lock$/, '')
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .toUpperCase();

export const watch: Watch = async (session, _, run) => {
  await session.begin();
  const before = await look(session);
  await run();
  const after = await look(session);
  await session.commit();
  return [...before].flatMap(([table, was]) => {
    const is = after.get(table);
    if (!is || (is.lock === '' && is.file === was.file)) return [];
    return [{ table, lock: is.lock, rewritten: is.file !== was.file }];
  });
};
