/**
 * What a change costs, as the server says it: it refuses a way that is cheaper than the change can be had
 * (https://mariadb.com/kb/en/innodb-online-ddl-overview/, https://dev.mysql.com/doc/refman/8.4/en/innodb-online-ddl.html).
 */
import type { Watch } from '../dialect.js';
import { numberOf } from '../faults.js';
import type { Session } from '../session.js';
import type { Server } from './flavour.js';

interface Rung {
  readonly clause: string;
  /** The words of a plan for it. */
  readonly says: string;
  readonly rewritten: boolean;
}

const INSTANT = { clause: 'ALGORITHM=INSTANT', says: 'metadata lock, for a moment', rewritten: false };
const COPY = { clause: 'ALGORITHM=COPY, LOCK=SHARED', says: 'ALGORITHM=COPY, LOCK=SHARED', rewritten: true };

/** From the least to the most that a change can cost. */
const LADDERS: Readonly<Record<Server['flavour'], readonly Rung[]>> = {
  mariadb: [
    INSTANT,
    { clause: 'ALGORITHM=NOCOPY, LOCK=NONE', says: 'ALGORITHM=INPLACE', rewritten: false },
    { clause: 'ALGORITHM=INPLACE, LOCK=NONE', says: 'ALGORITHM=INPLACE, with a rebuild', rewritten: true },
    COPY,
  ],
  // It does not tell whether a change in place is a rebuild.
  mysql: [INSTANT, { clause: 'ALGORITHM=INPLACE, LOCK=NONE', says: 'ALGORITHM=INPLACE', rewritten: false }, COPY],
};

/** ER_ALTER_OPERATION_NOT_SUPPORTED and the same with a reason. */
const NOT_SO = [1845, 1846];

/** Runs a change in the cheapest way that the server takes. @returns its place on the ladder */
async function cheapest(session: Session, ladder: readonly Rung[], sql: string): Promise<number> {
  for (const [at, { clause }] of ladder.entries()) {
    try {
      await session.run(`${sql}, ${clause}`);
      return at;
    } catch (error) {
      if (at === ladder.length - 1 || !NOT_SO.includes(numberOf(error, 'errno') ?? 0)) throw error;
    }
  }
  return ladder.length - 1;
}

export function watchOf({ flavour }: Server): Watch {
  const rungs = LADDERS[flavour];
  return async (session, { altered, statements }, run) => {
    if (altered === null) {
      await run();
      return [];
    }
    const places: number[] = [];
    for (const statement of statements) places.push(await cheapest(session, rungs, statement));
    const rung = rungs[Math.max(...places)];
    return rung ? [{ table: altered, lock: rung.says, rewritten: rung.rewritten }] : [];
  };
}
