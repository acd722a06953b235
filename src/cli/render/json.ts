/** The machine's view of what the core returns: plain values, names that stay. */
import { type Difference, describeDifference } from '../../schema/diff.js';
import { HEAD, positionOf, releasesOf } from '../../schema/lineage.js';
import type { Assessment } from '../../upgrade/assess.js';
import type { Blocked, Unknown } from '../../upgrade/blocked.js';
import { costsOf } from '../../upgrade/cost.js';
import type { Outcome } from '../../upgrade/execute.js';
import { othersIn } from '../../upgrade/foreign.js';
import type { Location } from '../../upgrade/locate.js';
import type { Time } from '../../upgrade/time.js';

/**
 * What `--dry-run --json` prints: revisions with their steps, tables and statements; rows and bytes are the database's
 * own numbers.
 */
export function planJson(assessment: Assessment): Record<string, unknown> {
  const { plan, consents, findings } = assessment;
  const costs = costsOf(assessment);
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
        const { rows, time } = costs.of(step);
        return {
          title: step.title,
          revisions: step.revisions,
          tables: step.tables,
          rows,
          ...timeJson(time),
          rewrites: step.effects.some(({ work }) => work === 'rewrite'),
          effects: step.effects,
        };
      }),
    })),
    ...(assessment.measured?.sample && { sample: assessment.measured.sample }),
    consents,
    findings,
  };
}

/** Seconds are null where they are not known; then `atMost` is what they do not go beyond, where that can be said. */
const timeJson = ({ seconds, atMost, basis }: Time) => ({
  seconds: rounded(seconds),
  basis,
  ...(seconds === null && { atMost: rounded(atMost) }),
});

const rounded = (seconds: number | null) => (seconds === null ? null : Number(seconds.toFixed(3)));

/** What `db plan --json` says of those who wait; `unknown` says why a time is null, and which command tells it. */
export function blockedJson(blocked: readonly Blocked[], unknown: Unknown): Record<string, unknown> {
  const isUnknown = blocked.some(({ writes }) => writes.seconds === null);
  return {
    blocked: blocked.map(({ table, revision, writes, reads }) => ({
      table,
      revision,
      writesSeconds: rounded(writes.seconds),
      readsSeconds: reads === null ? 0 : rounded(reads.seconds),
      basis: writes.basis,
      ...(writes.seconds === null && { atMost: rounded(writes.atMost) }),
    })),
    ...(isUnknown && { unknown }),
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
