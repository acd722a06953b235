/** The lineage of revisions: their order, what MLflow release uses which, and the expected schema at each. */
import { initial, revisions } from '../../migrations/index.js';
import { MtrackError, UPDATE_MTRACK } from '../errors.js';
import { applyOperation } from './fold.js';
import { EMPTY_SCHEMA, type Schema } from './model.js';
import type { Operation, Revision } from './operations.js';
import { HEADS_BY_RELEASE, releasesOf } from './releases.js';
import type { Traits } from './traits.js';

export { initial, releasesOf, revisions };

/** The five tables that are older than the first revision: where a database without a version is. */
export const BASE = 'base';

const positions = new Map(revisions.map((revision, i) => [revision.id, i]));
/** The last revision that this build knows. */
export const HEAD = revisions[revisions.length - 1]?.id ?? BASE;

/** Whether it is the whole id of a revision, or `base`. */
export function isKnown(revision: string): boolean {
  return revision === BASE || positions.has(revision);
}

/** How many revisions lead to it: 0 for the base. @throws {Error} when it is not of this lineage. */
export function positionOf(revision: string): number {
  if (revision === BASE) return 0;
  const position = positions.get(revision);
  if (position === undefined) throw new Error(`revision ${revision} is not of this lineage`);
  return position + 1;
}

/** The revisions after `from` up to and including `to`, in order; none when `to` is not after `from`. */
export function between(from: string, to: string): readonly Revision[] {
  return revisions.slice(positionOf(from), positionOf(to));
}

const folded = new WeakMap<Traits, Map<string, Schema>>();

/** The schema that a database with these traits has at a revision, as the migrations declare it. */
export function schemaAt(revision: string, traits: Traits): Schema {
  let memo = folded.get(traits);
  if (!memo) {
    memo = new Map();
    folded.set(traits, memo);
  }
  const known = memo.get(revision);
  if (known) return known;
  const apply = (schema: Schema, operation: Operation) => applyOperation(schema, operation, traits);
  let schema = initial.reduce(apply, EMPTY_SCHEMA);
  memo.set(BASE, schema);
  for (const { id, operations } of revisions) {
    schema = operations.reduce(apply, schema);
    memo.set(id, schema);
  }
  return memo.get(revision) ?? schema;
}

/**
 * The revision that a target names: `head`, `base`, an id, a prefix of an id that only one has, or a release as
 * `mlflow==2.22` or `mlflow==2.22.1`.
 * @throws {MtrackError} TARGET_UNKNOWN
 */
export function resolveTarget(target: string): string {
  if (target === 'head' || target === 'heads') return HEAD;
  if (isKnown(target)) return target;
  const release = /^mlflow\s*==\s*(\d+\.\d+)(\.\d+)?$/i.exec(target.trim());
  if (release?.[1]) return headOfRelease(release[1]);
  const matching = revisions.filter(({ id }) => target.length >= 4 && id.startsWith(target));
  if (matching.length === 1 && matching[0]) return matching[0].id;
  throw new MtrackError('TARGET_UNKNOWN', {
    found: `--to ${target}: no such revision or release`,
    expected: 'head, a revision (an id, or the first 4 characters or more of one), or a release such as mlflow==2.22',
    fix: ['`mtrack db upgrade --dry-run` lists the revisions from where the database is to the head'],
  });
}

function headOfRelease(minor: string): string {
  const head = Object.entries(HEADS_BY_RELEASE).find(([version]) => version.startsWith(`${minor}.`))?.[1];
  if (head) return head;
  const known = Object.keys(HEADS_BY_RELEASE).map((version) => version.split('.').slice(0, 2).join('.'));
  throw new MtrackError('TARGET_UNKNOWN', {
    found: `--to mlflow==${minor}: this build knows no schema of that release`,
    expected: `a release from ${known.at(0)} to ${known.at(-1)}`,
    fix: ['name the next older release that is known, or a revision', `for a newer MLflow, ${UPDATE_MTRACK}`],
  });
}
