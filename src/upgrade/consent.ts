/** Revisions that cannot be undone or lose data: what that means for the database at hand, and who agreed to it. */
import { sql } from 'kysely';
import type { Dialect } from '../dialect/dialect.js';
import type { Session } from '../dialect/session.js';
import { MtrackError } from '../errors.js';
import type { Schema } from '../schema/model.js';
import type { Plan } from './plan.js';

export interface Consent {
  readonly revision: string;
  readonly title: string;
  /** Why it cannot be undone, in the words of the migration. */
  readonly because: string;
  /** Numbers from this database. */
  readonly facts: readonly { readonly label: string; readonly n: number }[];
  readonly notes: readonly string[];
}

/**
 * The agreements that a plan needs on this database. None for a database that is only being made: there is nothing to
 * lose. Reads only.
 */
export async function consentsNeeded(plan: Plan, live: Schema, session: Session, dialect: Dialect): Promise<Consent[]> {
  if (plan.initial) return [];
  const consents: Consent[] = [];
  for (const { revision } of plan.revisions) {
    const { irreversible } = revision;
    if (!irreversible) continue;
    const facts: { label: string; n: number; informs: boolean }[] = [];
    for (const fact of irreversible.counts) {
      // A table that the plan itself makes has no rows to lose.
      if (!fact.tables.every((table) => live.tables.has(table))) continue;
      const [row] = await session.rows<{ n: number | string | null }>(sql.raw(fact.query(dialect.words)));
      facts.push({ label: fact.label, n: Number(row?.n ?? 0), informs: fact.informs ?? false });
    }
    if (!irreversible.always && !facts.some(({ n, informs }) => n > 0 && !informs)) continue;
    consents.push({
      revision: revision.id,
      title: revision.title,
      because: irreversible.because,
      facts: facts.map(({ label, n }) => ({ label, n })),
      notes: revision.notes ?? [],
    });
  }
  return consents;
}

/** The agreements that are still missing, given the revisions that were accepted by name. */
export function missing(consents: readonly Consent[], accepted: readonly string[]): Consent[] {
  return consents.filter(({ revision }) => !accepted.includes(revision));
}

/** @throws {MtrackError} USAGE for an accepted revision that does not exist: a typing error must not pass for consent. */
export function checkAccepted(accepted: readonly string[], isKnown: (revision: string) => boolean): void {
  const unknown = accepted.filter((revision) => !isKnown(revision));
  if (unknown.length > 0) {
    throw new MtrackError('USAGE', {
      found: `--accept ${unknown.join(' --accept ')}: no such revision`,
      expected: 'the full id of a revision, as the plan names it',
      fix: ['take the id from the output of `mtrack db upgrade --dry-run`'],
    });
  }
}
