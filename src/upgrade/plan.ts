/** The ordered steps from where a database is to a target, in its dialect's SQL. */
import { createHash } from 'node:crypto';
import type { Dialect, Effect, Statement } from '../dialect/dialect.js';
import { inOnePiece } from '../dialect/ranges.js';
import { tablesOf, titleOf } from '../schema/describe.js';
import { applies } from '../schema/fold.js';
import { BASE, between, schemaAt } from '../schema/lineage.js';
import { EMPTY_SCHEMA, type Schema, type Table } from '../schema/model.js';
import { type Backfill, isComputed, type Operation, type Range, type Revision } from '../schema/operations.js';
import { type Progress, probe } from '../schema/probe.js';
import { checksFirst } from './checks-first.js';
import { type Due, type Fused, fuseToFirst, fuseToLast } from './fuse.js';
import { keysLast } from './keys-last.js';
import { BASE_REVISION, copiedBy } from './locate.js';
import type { Start } from './start.js';

export interface Step {
  /** The revisions it does the work of: more than one where changes of a table are put together. */
  readonly revisions: readonly string[];
  /** The one of them in whose turn it is done. */
  readonly at: string;
  readonly title: string;
  readonly operation: Operation;
  readonly tables: readonly string[];
  /** Empty for operations that are computed in TypeScript. */
  readonly statements: readonly Statement[];
  readonly effects: readonly Effect[];
}

export interface PlannedRevision {
  readonly revision: Revision;
  /** The version that is written when its work is done: its own, or on the way back that of its parent. */
  readonly version: string;
  readonly steps: readonly Step[];
  /**
   * Whether the version is written, and a transaction of revisions committed, after it. False where a step does the
   * work of this revision and of a later one: then all of them are one transaction.
   */
  readonly commits: boolean;
}

export interface Plan {
  readonly from: string;
  readonly to: string;
  /** What `alembic_version` says before it; null for nothing. */
  readonly version: string | null;
  /** The database has no tables yet. */
  readonly initial: boolean;
  readonly revisions: readonly PlannedRevision[];
  /** Drops what a killed upgrade by MLflow left behind: to be run first. */
  readonly cleanup: readonly Statement[];
  /** The schema when all is done, as foretold from the live one. */
  readonly after: Schema;
  /** Identifies the plan: the same statements from and to the same revisions. */
  readonly hash: string;
}

/**
 * The plan from where a database is.
 * @param target a revision that is not before it
 */
export function planUpgrade(start: Start, target: string, dialect: Dialect): Plan {
  const from = start.state === 'empty' ? BASE : start.revision;
  const incomplete = start.state === 'empty' || start.partWay?.revision === BASE_REVISION;
  const revisions = [...(incomplete ? [BASE_REVISION] : []), ...between(from, target)];
  const due = revisions.flatMap((revision, i) =>
    operationsDue(revision, i === 0 ? start : null, dialect).map((operation): Due => ({ revision, operation })),
  );
  const fused = dialect.rebuildsTables ? fuseToLast(due, dialect.traits) : fuseToFirst(due, dialect.traits);
  const whole = dialect.checksFirst ? checksFirst(fused) : fused;
  const ordered = dialect.keysLast ? keysLast(whole, start.schema) : whole;
  const { steps, after } = compileAll(ordered, start.schema, dialect);
  const planned = revisions.map((revision, i) => ({
    revision,
    version: revision.id,
    steps: steps.filter((step) => step.at === revision.id),
    commits: !(dialect.transaction === 'revision' && isInside(i, revisions, steps)),
  }));
  return {
    from,
    to: target,
    version: start.state === 'at' ? start.version : null,
    initial: start.state === 'empty',
    revisions: planned,
    cleanup: leftovers(start.schema).map((table) => ({ sql: `DROP TABLE ${dialect.words.id(table)}` })),
    after,
    hash: hashOf(from, target, dialect, steps),
  };
}

/** Whether some step does the work of a revision up to the `i`th and of one after it. */
function isInside(i: number, revisions: readonly Revision[], steps: readonly Step[]): boolean {
  const before = new Set(revisions.slice(0, i + 1).map(({ id }) => id));
  return steps.some(
    (step) => step.revisions.some((id) => before.has(id)) && step.revisions.some((id) => !before.has(id)),
  );
}

/**
 * Copies of tables that Alembic was filling when it was killed (its "batch mode", on dialects that copy tables). The
 * table they were made from is whole: the copy replaces it only in the transaction that fills it.
 */
export function leftovers(schema: Schema): string[] {
  return [...schema.tables.keys()].filter((name) => schema.tables.has(copiedBy(name) ?? ''));
}

/**
 * The operations of a revision that are still to be done. In the first revision of a plan, which may have been begun,
 * data operations before a structural one that is done have been done, too: both mtrack and MLflow go in order.
 */
function operationsDue(revision: Revision, start: Start | null, dialect: Dialect): Operation[] {
  const operations = revision.operations.filter((operation) => applies(operation, dialect.traits));
  if (!start || start.state === 'empty') return operations;
  const before = revision === BASE_REVISION ? EMPTY_SCHEMA : schemaAt(start.revision, dialect.traits);
  const progress = operations.map((operation) => probe(operation, start.schema, before, dialect));
  const lastDone = progress.findLastIndex((each: Progress) => each === 'done' || each === 'mixed');
  const movesData = (operation: Operation) => operation.op === 'backfill' || isComputed(operation);
  return operations.filter((operation, i) => {
    if (movesData(operation)) return i > lastDone;
    if (operation.op !== 'require') return true;
    // A condition is checked again unless the rows that it guards have been moved already.
    const guarded = operations.findIndex((each, j) => j > i && movesData(each));
    return guarded < 0 || guarded > lastDone;
  });
}

// ---------------------------------------------------------------- compiling

/** The steps that operations come to, one after the other. */
export function compileAll(fused: readonly Fused[], live: Schema, dialect: Dialect): { steps: Step[]; after: Schema } {
  let schema = live;
  const steps = fused.flatMap(({ revisions, at, operation }): Step[] => {
    const compiled = dialect.compile(operation, schema);
    const statements = [...compiled.statements, ...dataStatements(operation, schema, dialect)];
    schema = compiled.after;
    if (statements.length === 0 && !isComputed(operation)) return [];
    const title = titleOf(operation);
    return [{ revisions, at, title, operation, tables: tablesOf(operation), statements, effects: compiled.effects }];
  });
  return { steps, after: schema };
}

function dataStatements(operation: Operation, schema: Schema, dialect: Dialect): Statement[] {
  const { words } = dialect;
  switch (operation.op) {
    case 'backfill': {
      const over = { ...rangeOf(operation, schema), rows: dialect.chunkRows };
      return operation.statements(words, over.key).map((sql) => ({ sql, over, note: operation.title }));
    }
    case 'insertRow': {
      const columns = Object.keys(operation.row);
      const values = columns.map((column) => words.literal(operation.row[column] ?? null));
      const [key, id] = [columns[0] ?? '', values[0] ?? ''];
      return [
        {
          sql: `INSERT INTO ${words.id(operation.table)} (${columns.map(words.id).join(', ')})
SELECT ${values.join(', ')} FROM (SELECT 1 AS one) x
WHERE NOT EXISTS (SELECT 1 FROM ${words.id(operation.table)} WHERE ${words.id(key)} = ${id})`,
        },
      ];
    }
    case 'require':
      return [{ sql: operation.offending(words) }];
    default:
      return [];
  }
}

/** Of the columns that rows can be ranged by, the first that an index leads with: then a chunk is not a read of it all. */
function rangeOf({ over }: Backfill, schema: Schema): Range {
  const table = schema.tables.get(over.table);
  const [first = '', ...others] = typeof over.key === 'string' ? [over.key] : over.key;
  const key = [first, ...others].find((column) => table && leads(column, table)) ?? first;
  return { table: over.table, key };
}

function leads(column: string, { primaryKey, uniques, indexes }: Table): boolean {
  return (
    [primaryKey, ...uniques].some((key) => key?.columns[0] === column) ||
    indexes.some(({ columns, where }) => columns[0]?.name === column && where === undefined)
  );
}

/** Tells a plan from any other: by its statements, and from and to where it leads. */
export function hashOf(from: string, to: string, dialect: Dialect, steps: readonly Step[]): string {
  const text = JSON.stringify([
    dialect.name,
    from,
    to,
    steps.map((step) => [step.revisions, step.title, step.statements.map(({ sql }) => inOnePiece(sql))]),
  ]);
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
