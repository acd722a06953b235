/** The ordered steps from where a database is back to an earlier revision, in its dialect's SQL. */
import type { Dialect } from '../dialect/dialect.js';
import { tablesOf } from '../schema/describe.js';
import { inverseOf } from '../schema/inverse.js';
import { BASE, between, schemaAt } from '../schema/lineage.js';
import { columnOf, type Schema } from '../schema/model.js';
import type { Backfill, Operation, Revision, TableChange } from '../schema/operations.js';
import { type Due, fuseToLast } from '../upgrade/fuse.js';
import { compileAll, hashOf, type Plan } from '../upgrade/plan.js';
import type { Start } from '../upgrade/start.js';
import { shorterLength } from './losses.js';

export type Beginning = Extract<Start, { state: 'at' }>;

/** @param target a revision before that of the database, or the same */
export function planDowngrade(start: Beginning, target: string, dialect: Dialect): Plan {
  const undone = between(target, start.revision).toReversed();
  const due = undone.flatMap((revision) =>
    operationsBack(revision, start.schema, dialect).map((operation): Due => ({ revision, operation })),
  );
  // Where each statement commits by itself, changes stay in the turn of their revision: its version says what is undone.
  const fused = dialect.rebuildsTables
    ? fuseToLast(due, dialect.traits)
    : due.map(({ revision, operation }) => ({ revisions: [revision.id], at: revision.id, operation }));
  const { steps, after } = compileAll(fused, start.schema, dialect);
  return {
    from: start.revision,
    to: target,
    version: start.version,
    initial: false,
    revisions: undone.map((revision) => ({
      revision,
      version: revision.parent ?? BASE,
      steps: steps.filter((step) => step.at === revision.id),
      commits: true,
    })),
    cleanup: [],
    after,
    hash: hashOf(start.revision, target, dialect, steps),
  };
}

/** What takes a revision back, and before it what makes texts short enough for the columns that they had. */
function operationsBack(revision: Revision, live: Schema, dialect: Dialect): Operation[] {
  const operations = inverseOf(revision, dialect);
  return [
    ...operations.flatMap((operation) =>
      operation.op === 'alterTable'
        ? operation.changes.flatMap((change) => cut(operation.table, change, revision, dialect))
        : [],
    ),
    ...operations.filter((operation) => !isDone(operation, revision, live)),
  ];
}

/**
 * Whether rows have been moved back already, by a run that was cut off: the columns they are moved from are gone. As long
 * as these are there, moving the rows again does no harm.
 */
function isDone(operation: Operation, { undo }: Revision, live: Schema): boolean {
  if (operation.op !== 'backfill' && operation.op !== 'deriveRows' && operation.op !== 'deriveValues') return false;
  const { table } = operation.over;
  const found = live.tables.get(table);
  const sources = (undo?.comesBack ?? []).flatMap((name) =>
    name.startsWith(`${table}.`) ? [name.slice(table.length + 1)] : [],
  );
  return !found || sources.some((column) => !columnOf(found, column));
}

function cut(table: string, change: TableChange, revision: Revision, dialect: Dialect): Backfill[] {
  if (change.change !== 'alterColumn' || !change.to.type) return [];
  const declared = schemaAt(revision.id, dialect.traits).tables.get(table);
  const now = declared && columnOf(declared, change.name);
  if (!declared || !now) return [];
  const length = shorterLength(now, { ...now, ...change.to, type: change.to.type }, dialect);
  if (length === null) return [];
  return [
    {
      op: 'backfill',
      title: `cut ${change.name} at ${length} characters`,
      over: { table, key: declared.primaryKey?.columns ?? [change.name] },
      writes: [table],
      statements: ({ id, range, left, characters }, key) => [
        `UPDATE ${id(table)} SET ${id(change.name)} = ${left(id(change.name), length)} WHERE ${range(key)} AND ${characters(id(change.name))} > ${length}`,
      ],
    },
  ];
}

/** Tables that the way back changes, whatever of it is done already. */
export function tablesChanged(from: string, target: string, dialect: Dialect): ReadonlySet<string> {
  return new Set(between(target, from).flatMap((revision) => inverseOf(revision, dialect).flatMap(tablesOf)));
}
