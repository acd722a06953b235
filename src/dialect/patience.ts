/** Waiting for somebody else who has locked what is wanted: in short attempts, saying for whom, and not for ever. */
import { setTimeout as sleep } from 'node:timers/promises';
import { MtrackError } from '../errors.js';
import type { Blocker, FaultKind, LockWait } from './dialect.js';
import type { Query, Session } from './session.js';

/** The longest that one attempt should wait inside the database. */
export const ATTEMPT_MS = 3000;
const POLL_MS = 50;

interface Locks {
  faultOf(error: unknown): FaultKind;
  blockers(session: Session): Promise<readonly Blocker[]>;
}

/** @param session whose queries fail when they have waited for a lock for the time of one attempt */
export function patient(session: Session, locks: Locks, { patience, onWait }: LockWait): Session {
  const rows = async <Row extends object>(query: Query): Promise<Row[]> => {
    const until = Date.now() + patience;
    for (;;) {
      try {
        return await session.rows<Row>(query);
      } catch (error) {
        if (locks.faultOf(error) !== 'lock-timeout') throw error;
        const blockers = await locks.blockers(session);
        if (Date.now() > until) throw stillLocked(patience, blockers, error);
        onWait(blockers);
      }
      await sleep(POLL_MS);
    }
  };
  return { ...session, rows };
}

/** What a lock by name lets one run of at a time, as messages call it. */
export type Work = 'upgrade' | 'gc';
/** The same of what is only ever done to files. */
export type FileWork = Work | 'import into files';

/** How often a server is asked for the lock that another one holds. */
const LOCK_POLL_MS = 250;

/**
 * Takes the lock that keeps others out who do the same work, telling for whom it waits.
 * @param attempt whether it was got; does not wait
 * @param about.fix what to do about one that does not end
 * @param about.privilege what a user must have to see who holds the lock
 * @throws {MtrackError} LOCKED
 */
export async function takeLock(
  attempt: () => Promise<boolean>,
  holders: () => Promise<readonly Blocker[]>,
  { patience, onWait }: LockWait,
  about: { readonly work: FileWork; readonly fix: string; readonly privilege: string },
): Promise<void> {
  const until = Date.now() + patience;
  while (!(await attempt())) {
    const blockers = await holders();
    if (Date.now() > until) {
      const who = blockers.map(({ who }) => who).join('; ') || `by whom, only a user with ${about.privilege} can see`;
      throw new MtrackError('LOCKED', {
        found: `another ${about.work} has run for more than ${Math.round(patience / 1000)} s: ${who}`,
        fix: [`${about.fix}, and run the command again`],
        details: { blockers },
      });
    }
    onWait(blockers);
    await sleep(LOCK_POLL_MS);
  }
}

function stillLocked(patience: number, blockers: readonly Blocker[], cause: unknown): MtrackError {
  return new MtrackError('LOCKED', {
    found: [
      `waited ${Math.round(patience / 1000)} s to look at the database, which is locked`,
      ...blockers.map(({ who, what }) => `${who}: ${what}`),
    ].join('\n'),
    fix: ['stop the MLflow server or the other upgrade, or wait for it to end, and run the command again'],
    details: { blockers },
    cause,
  });
}

/** Looking failed, or never saw the same twice. */
export function alteredMeanwhile(cause: unknown): MtrackError {
  return new MtrackError('LOCKED', {
    found: 'another session goes on altering tables while they are looked at',
    fix: ['stop the other upgrade, or wait for it to end, and run the command again'],
    cause,
  });
}
