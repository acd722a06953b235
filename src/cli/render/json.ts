/** The machine's view of what the core returns: plain values, names that stay. */
import { type Difference, describeDifference } from '../../schema/diff.js';
import { HEAD, positionOf, releasesOf } from '../../schema/lineage.js';
import type { Assessment } from '../../upgrade/assess.js';
import { costOf } from '../../upgrade/cost.js';
import type { Outcome } from '../../upgrade/execute.js';
import { othersIn } from '../../upgrade/foreign.js';
import type { Location } from '../../upgrade/locate.js';

/**
 * What `--dry-run --json` prints: revisions with their steps, tables and statements; rows and bytes are the database's
 * own numbers.
 */
export function planJson({ plan, stats, consents, findings, measured }: Assessment): Record<string, unknown> {
  return {
    from: plan.initial ? null : plan.from,
    to: plan.to,
    hash: plan.hash,
    revisions: plan.revisions.map(({ revision, steps }) => ({
      id: revision.id,
      title: revision.title,
      releases: releasesOf(revision.id),
      invertible: revision.irreversible === undefined,
      ...(revision.irreversible && { because: revision.irreversible.because }),
      steps: steps.map((step) => {
        const cost = costOf(step, stats, measured);
        return {
          title: step.title,
          revisions: step.revisions,
          tables: step.tables,
          rows: cost.rows,
          estimatedSeconds: Number(cost.estimatedSeconds.toFixed(3)),
          ...(measured && { rehearsed: measured.has(step) }),
          rewrites: step.effects.some(({ work }) => work === 'rewrite'),
          effects: step.effects,
        };
      }),
    })),
    consents,
    findings,
  };
}

/** What `db upgrade --json` prints when it is done. */
export function outcomeJson(outcome: Outcome): Record<string, unknown> {
  const { verification, ...rest } = outcome;
  return {
    ...rest,
    remainingDifferences: verification.remaining.map(differenceJson),
    brokenReferences: verification.brokenReferences,
  };
}

/** What `db status --json` prints; `code` is that of docs/exit-codes.md, null at the head. */
export function locationJson(location: Location): Record<string, unknown> {
  switch (location.state) {
    case 'empty':
      return { state: 'empty', others: othersIn(location.schema) };
    case 'unversioned':
      return { state: 'unversioned', fits: location.fits };
    case 'newer':
      return { state: 'newer', version: location.version, head: HEAD };
    case 'foreign':
      return { state: 'foreign', versions: location.versions, owner: location.owner, fits: location.fits };
    case 'at':
      return {
        state: location.partWay ? 'part-way' : 'at',
        revision: location.revision,
        releases: location.releases,
        head: HEAD,
        pending: positionOf(HEAD) - positionOf(location.revision),
        ...(location.partWay && {
          next: location.partWay.revision.id,
          steps: location.partWay.steps,
        }),
        differences: location.drift.map(differenceJson),
      };
  }
}

const differenceJson = (difference: Difference) => ({ ...difference, says: describeDifference(difference) });
