/**
 * Runs a plan under a lock, step by step, and never trusts what it believes about the database over what the database
 * says: the state is read again once the lock is held, the lock and the version are checked before each revision, and
 * after a broken connection the schema decides what is left to do.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import type { Blocker, Database, Dialect } from '../dialect/dialect.js';
import type { Session } from '../dialect/session.js';
import { MtrackError, messageOf } from '../errors.js';
import type { Difference } from '../schema/diff.js';
import { BASE } from '../schema/lineage.js';
import { commandOf } from './command.js';
import { heavyTables, tablesThinned } from './cost.js';
import { type Location, locate } from './locate.js';
import { type Plan, type PlannedRevision, planUpgrade, type Step } from './plan.js';
import type { OnProgress } from './progress.js';
import { startFrom } from './start.js';
import { runStep, stopIfAsked } from './steps.js';
import { countRows, type RowCounts, type Verification, verify } from './verify.js';

export interface ExecuteOptions {
  /** Milliseconds to wait for other sessions that lock a table, over all tries of one revision. */
  readonly lockTimeout: number;
  /** Milliseconds to wait for another upgrade to finish. */
  readonly patience: number;
  readonly signal: AbortSignal;
  readonly onProgress: OnProgress;
}

export interface Outcome {
  readonly from: string;
  readonly to: string;
  /** Revisions that this run applied; fewer than planned where another run did some. */
  readonly applied: readonly string[];
  readonly seconds: number;
  readonly verification: Verification;
}

const RECONNECTS = 5;
/** One attempt to lock a table: short, because whoever comes after us in the queue waits as well. */
const LOCK_ATTEMPT_MS = 3000;

/** What kind of plan is run, and what belongs to it beside its steps. */
export interface Way {
  /** The command that goes on where this one was cut off. */
  readonly command: 'db upgrade' | 'db downgrade';
  /** Plans again from where the database is now. @throws {Error} where there is no way from there */
  plan(location: Location): Plan;
  /** Before the first change, once, under the lock; where the whole is one transaction, inside it. */
  begin?(session: Session, plan: Plan): Promise<void>;
  /** Before the steps of a revision; where it is a transaction of its own, inside it. */
  beforeRevision?(session: Session, planned: PlannedRevision): Promise<void>;
}

/**
 * @param agreed what is to be done, on the database as it was when it was agreed to
 * @param way an upgrade to the same target when left out
 * @throws {MtrackError}
 */
export async function execute(
  database: Database,
  agreed: Plan,
  options: ExecuteOptions,
  way: Way = {
    command: 'db upgrade',
    plan: (location) => planUpgrade(startFrom(location, agreed.to, database), agreed.to, database.dialect),
  },
): Promise<Outcome> {
  const started = Date.now();
  const run = new Run(database, agreed, options, way);
  for (let attempt = 1; ; attempt++) {
    try {
      const verification = await run.attempt();
      return {
        from: agreed.from,
        to: agreed.to,
        applied: run.applied,
        seconds: (Date.now() - started) / 1000,
        verification,
      };
    } catch (error) {
      const fault = database.dialect.faultOf(error);
      // A server that restarts lets nobody in for a while; it did before.
      const lost = fault === 'connection-lost' || (fault === 'connect-failed' && attempt > 1);
      if (!lost) throw run.explain(error);
      if (attempt > RECONNECTS || options.signal.aborted) throw run.connectionLost(error, attempt);
      options.onProgress({ event: 'reconnecting', attempt, because: messageOf(error) });
      await sleep(Math.min(10_000, 250 * 2 ** attempt));
    }
  }
}

/** The work of one upgrade, over as many connections as it takes. */
class Run {
  readonly applied: string[] = [];
  readonly #database: Database;
  readonly #dialect: Dialect;
  readonly #agreed: Plan;
  readonly #options: ExecuteOptions;
  readonly #way: Way;
  /** Measured at the first attempt, before anything changes. */
  #before: { readonly drift: readonly Difference[]; readonly counts: RowCounts } | undefined;
  /** The last version that this run has committed. */
  #written: string | undefined;
  /** Where an error happened, for its explanation. */
  #current: { planned: PlannedRevision; step: Step | null } | undefined;

  constructor(database: Database, agreed: Plan, options: ExecuteOptions, way: Way) {
    this.#way = way;
    this.#database = database;
    this.#dialect = database.dialect;
    this.#agreed = agreed;
    this.#options = options;
  }

  async attempt(): Promise<Verification> {
    const session = await this.#database.worker();
    try {
      return await this.#locked(session);
    } finally {
      await session.close();
    }
  }

  async #locked(session: Session): Promise<Verification> {
    const dialect = this.#dialect;
    const { onProgress, patience, lockTimeout } = this.#options;
    await dialect.prepare(session, { lockTimeout: Math.min(lockTimeout, LOCK_ATTEMPT_MS) });
    const waitingSince = Date.now();
    await dialect.lock(session, {
      patience,
      onWait: (blockers) => onProgress({ event: 'waiting', blockers, forMs: Date.now() - waitingSince }),
    });
    onProgress({ event: 'locked' });
    let verification: Verification;
    try {
      verification = await this.#upgrade(session);
      if (dialect.transaction === 'upgrade') await session.commit();
    } catch (error) {
      // Where nothing is open, or the connection is gone, there is nothing to roll back.
      await session.rollback().catch(() => undefined);
      await dialect.unlock(session).catch(() => undefined);
      throw error;
    }
    await dialect.unlock(session);
    return verification;
  }

  /** Does what is left to do, over as many tries as other sessions' locks make necessary. */
  async #upgrade(session: Session): Promise<Verification> {
    const { lockTimeout, onProgress } = this.#options;
    let stuck = { since: Date.now(), applied: this.applied.length, tries: 0 };
    for (;;) {
      try {
        return await this.#go(session);
      } catch (error) {
        const fault = this.#dialect.faultOf(error);
        const waits = fault === 'lock-timeout' || fault === 'deadlock';
        if (!waits || this.#dialect.transaction === 'upgrade') throw error;
        // Where nothing is open, there is nothing to roll back; a connection that broke is found out by the next statement.
        await session.rollback().catch(() => undefined);
        if (stuck.applied !== this.applied.length)
          stuck = { since: Date.now(), applied: this.applied.length, tries: 0 };
        const blockers = await this.#blockers();
        const forMs = Date.now() - stuck.since;
        if (forMs > lockTimeout) throw this.#tableLocked(error, blockers);
        onProgress({ event: 'waiting', blockers, forMs });
        // Jitter, so that two who wait for each other do not meet again.
        await sleep(Math.min(5000, 200 * 2 ** ++stuck.tries) * (0.5 + Math.random()));
      }
    }
  }

  async #go(session: Session): Promise<Verification> {
    const dialect = this.#dialect;
    const start = await locate(session, dialect);
    const plan = this.#planFrom(start);
    if (!this.#before) await this.#way.begin?.(session, plan);
    const thinned = tablesThinned(plan);
    this.#before ??= {
      drift: start.state === 'at' ? start.drift : [],
      counts: await countRows(
        session,
        dialect,
        heavyTables(plan).filter(
          (table) => start.schema.tables.has(table) && plan.after.tables.has(table) && !thinned.has(table),
        ),
      ),
    };
    for (const { sql } of plan.cleanup) await session.run(sql);
    // As it was when the plan was made: read anew, it could be that of another program which has gone on since, and the
    // revisions of this plan would take it back.
    let { version } = plan;
    // Revisions since the last commit: where DDL can be rolled back, a revision and its version are one transaction.
    const begun: string[] = [];
    for (const [index, planned] of plan.revisions.entries()) {
      stopIfAsked(this.#options.signal);
      // Counted as it was agreed to: after a wait, or where another run did some, this plan is the rest of that one.
      const of = this.#agreed.revisions.length;
      const before = of - plan.revisions.length;
      this.#options.onProgress({ event: 'revision', planned, index: before + index, of });
      if (dialect.transaction === 'revision' && begun.length === 0) await session.begin();
      begun.push(planned.revision.id);
      await this.#makeSure(session, version);
      await this.#way.beforeRevision?.(session, planned);
      await this.#steps(session, planned);
      if (!planned.commits) continue;
      version = await this.#stamp(session, planned.version, version);
      if (dialect.transaction === 'revision') await session.commit();
      this.applied.push(...begun.splice(0));
      this.#written = planned.version;
      this.#options.onProgress({ event: 'revision-done', planned });
    }
    this.#current = undefined;
    this.#options.onProgress({ event: 'verifying' });
    return verify(session, dialect, plan.to, this.#before.drift, this.#before.counts);
  }

  /**
   * The rest of the agreed plan, from where the database is now: another run may have done a part, or all of it.
   * @throws {MtrackError} PLAN_CHANGED when it is anything but the rest
   */
  #planFrom(start: Location): Plan {
    let cause: unknown;
    try {
      const plan = this.#way.plan(start);
      const agreed = new Set(this.#agreed.revisions.map(({ revision }) => revision.id));
      const isRest = plan.revisions.every(({ revision }) => agreed.has(revision.id));
      if (isRest && (start.state === 'at' || this.#agreed.initial)) return plan;
    } catch (error) {
      // It could be planned when it was agreed to: somebody went on to a later revision, or is altering tables, without
      // asking for our lock.
      cause = error;
    }
    const now = cause instanceof MtrackError ? `: ${cause.failure.found}` : '';
    throw new MtrackError('PLAN_CHANGED', {
      cause,
      found: `the database is not where it was when the plan was agreed to${now}`,
      expected: `revision ${this.#agreed.from}, or one on the way to ${this.#agreed.to}`,
      fix: [`look at it, and run \`mtrack ${this.#way.command}\` again: ${commandOf('db status', this.#database)}`],
    });
  }

  async #steps(session: Session, planned: PlannedRevision): Promise<void> {
    for (const [index, step] of planned.steps.entries()) {
      this.#current = { planned, step };
      this.#options.onProgress({ event: 'step', step, index, of: planned.steps.length });
      await runStep(step, { database: this.#database, session, ...this.#options });
    }
    this.#current = { planned, step: null };
  }

  /** The lock is ours and nobody else has moved the version. @throws {MtrackError} PLAN_CHANGED */
  async #makeSure(session: Session, version: string | null): Promise<void> {
    if (!(await this.#dialect.holdsLock(session))) {
      throw new MtrackError('PLAN_CHANGED', {
        found: 'the lock of this upgrade is gone although its connection is there',
        expected: 'one connection to one server from beginning to end',
        fix: [
          'connect to the database itself, not to a pooler that shares connections between transactions (PgBouncer: pool_mode = session)',
        ],
      });
    }
    const now = await this.#version(session);
    if (now !== version) throw this.#versionMoved(version, now);
  }

  #versionMoved(version: string | null, now: string | null): MtrackError {
    return new MtrackError('PLAN_CHANGED', {
      found: `the version of the database changed from ${version ?? 'none'} to ${now ?? 'none'} during the upgrade`,
      expected: 'no other program to upgrade the database at the same time',
      fix: [
        'stop `mlflow db upgrade` and MLflow servers that upgrade by themselves, then run `mtrack db upgrade` again',
      ],
    });
  }

  async #version(session: Session): Promise<string | null> {
    return (await this.#dialect.readVersions(session))?.[0] ?? null;
  }

  /** Writes the version, if it is still what it was: the database compares, so that no two runs can both succeed. */
  async #stamp(session: Session, revision: string, version: string | null): Promise<string | null> {
    const { words, createVersionTable } = this.#dialect;
    const table = sql.raw(words.id('alembic_version'));
    const column = sql.raw(words.id('version_num'));
    if (revision === BASE) {
      if (version === null) return null;
      const gone = await session.run(sql`DELETE FROM ${table} WHERE ${column} = ${version}`);
      if (gone !== 1) throw this.#versionMoved(version, await this.#version(session));
      return null;
    }
    if (version === null) {
      if ((await this.#dialect.readVersions(session)) === null) await session.run(createVersionTable);
      await session.run(sql`INSERT INTO ${table} (${column}) VALUES (${revision})`);
      return revision;
    }
    const changed = await session.run(sql`UPDATE ${table} SET ${column} = ${revision} WHERE ${column} = ${version}`);
    if (changed !== 1) throw this.#versionMoved(version, await this.#version(session));
    return revision;
  }

  async #blockers(): Promise<readonly Blocker[]> {
    try {
      const observer = await this.#database.reader(1000);
      try {
        return await this.#dialect.blockers(observer);
      } finally {
        await observer.close();
      }
    } catch {
      // Who blocks is good to know; not knowing it must not end the waiting.
      return [];
    }
  }

  // -------------------------------------------------------------- explanations

  #tableLocked(cause: unknown, blockers: readonly Blocker[]): MtrackError {
    const who = blockers.map(
      ({ who, sinceSeconds, what }) => `${who}${sinceSeconds === null ? '' : `, for ${sinceSeconds} s`}: ${what}`,
    );
    return new MtrackError('LOCKED', {
      found: [
        `revision ${this.#current?.planned.revision.id} waited ${this.#options.lockTimeout / 1000} s for a lock`,
        ...who,
      ].join('\n'),
      expected: 'no long transaction on the tables of the upgrade',
      fix: [
        'end those sessions (stop the MLflow servers), or wait longer with --lock-timeout, and run the command again',
        this.#whereItStands(),
      ],
      details: { blockers },
      cause,
    });
  }

  connectionLost(cause: unknown, attempt: number): MtrackError {
    const again = attempt > 1 ? `, and connecting again did not help ${attempt - 1} times` : '';
    return new MtrackError('CONNECTION_LOST', {
      found: `the connection to the database was lost${again}: ${messageOf(cause)}`,
      fix: ['run the command again when the database is back', this.#whereItStands()],
      cause,
    });
  }

  /** An error of the database, with what was being done, where it leaves the database, and what to do. */
  explain(error: unknown): unknown {
    if (error instanceof MtrackError) {
      const fix = [...(error.failure.fix ?? []), this.#whereItStands()];
      const explained = error.code === 'INTERRUPTED' || error.code === 'DATA_REFUSED' || error.code === 'PLAN_CHANGED';
      return explained ? new MtrackError(error.code, { ...error.failure, fix }) : error;
    }
    const current = this.#current;
    const doing = current
      ? `revision ${current.planned.revision.id}${current.step ? `, ${current.step.title}` : ''}`
      : 'preparing';
    const common = { found: `${doing}: ${messageOf(error)}`, cause: error };
    switch (this.#dialect.faultOf(error)) {
      case 'disk-full':
        return new MtrackError('DISK_FULL', {
          ...common,
          fix: ['make room where the database keeps its files, and run the command again', this.#whereItStands()],
        });
      case 'damaged':
        return new MtrackError('DATABASE_DAMAGED', {
          ...common,
          fix: [...this.#dialect.whenDamaged, this.#whereItStands()],
        });
      case 'permission':
      case 'read-only':
        return new MtrackError('STATEMENT_FAILED', {
          ...common,
          expected: 'a user that may change the schema of a database that takes writes',
          fix: ['run the command as the owner of the tables, on the primary server', this.#whereItStands()],
        });
      case 'connect-failed':
        return new MtrackError('CONNECT_FAILED', {
          ...common,
          fix: ['check that the database is up, and the store URI'],
        });
      case 'lock-timeout':
        return new MtrackError('LOCKED', {
          ...common,
          fix: ['stop what uses the database, and run the command again', this.#whereItStands()],
        });
      default:
        // Not the database's: a fault of our own keeps its stack.
        return current ? new MtrackError('STATEMENT_FAILED', { ...common, fix: [this.#whereItStands()] }) : error;
    }
  }

  #whereItStands(): string {
    if (this.#dialect.transaction === 'upgrade')
      return `nothing was changed: the database is as it was before the ${this.#way.command.slice('db '.length)}`;
    const last = this.#written;
    const at = last ? `the database is at revision ${last}` : `the database is still at revision ${this.#agreed.from}`;
    return this.#dialect.transaction === 'revision'
      ? `${at}, whole; \`mtrack ${this.#way.command}\` goes on from there`
      : `${at}, maybe part-way into the next; \`mtrack ${this.#way.command}\` finds out and goes on from there`;
  }
}
