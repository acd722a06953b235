/**
 * Changes of one table that follow one another, put together across revisions, so that the table is copied, or its key
 * is built, once and not for each.
 */
import { referencedBy, tablesOf, writtenBy } from '../schema/describe.js';
import { applies } from '../schema/fold.js';
import type { Operation, Revision, TableChange } from '../schema/operations.js';
import type { Traits } from '../schema/traits.js';

/** An operation that is due, of one revision. */
export interface Due {
  readonly revision: Revision;
  readonly operation: Operation;
}

/** An operation with the revisions it does the work of; more than one where changes were put together. */
export interface Fused {
  readonly revisions: readonly string[];
  /** The one of them in whose turn it is done. */
  readonly at: string;
  readonly operation: Operation;
}

type AlterTable = Extract<Operation, { op: 'alterTable' }>;

/** Changes of a table on the way to be one operation. */
interface Group {
  readonly revisions: string[];
  at: string;
  operation: AlterTable;
}

/**
 * For a dialect that copies a table for most changes, in one transaction: the changes of a table are put off until
 * something reads or writes its rows, or to the end. Checks that come later join the copy that is made anyway, as long
 * as no rows are written in between that they might refuse.
 */
export function fuseToLast(due: readonly Due[], traits: Traits): Fused[] {
  const fused: Fused[] = [];
  const pending = new Map<string, Group>();
  const copied = new Map<string, Group>();
  const flush = (table: string) => {
    const group = pending.get(table);
    if (!group) return;
    pending.delete(table);
    copied.set(table, group);
    fused.push(group);
  };
  for (const { revision, operation } of due) {
    if (operation.op !== 'alterTable') {
      for (const table of tablesOf(operation)) flush(table);
      for (const table of writtenBy(operation)) copied.delete(table);
      fused.push({ revisions: [revision.id], at: revision.id, operation });
      continue;
    }
    let changes = changesOf(operation, traits);
    const earlier = pending.has(operation.table) ? undefined : copied.get(operation.table);
    if (earlier) {
      const checks = changes.filter(({ change }) => change === 'addCheck');
      if (checks.length > 0) join(earlier, revision, checks);
      changes = changes.filter((change) => !checks.includes(change));
    }
    if (changes.length === 0) continue;
    const group = pending.get(operation.table);
    // Put behind what other tables have pending: the order of the last changes is kept.
    pending.delete(operation.table);
    if (group) {
      join(group, revision, changes);
      group.at = revision.id;
      pending.set(operation.table, group);
    } else {
      pending.set(operation.table, { revisions: [revision.id], at: revision.id, operation: { ...operation, changes } });
    }
  }
  for (const table of [...pending.keys()]) flush(table);
  return fused;
}

/**
 * For a dialect that changes tables in place: only changes that build the primary key, or copy the table, are put
 * together, and only where no other operation changes the table, writes its rows or refers to it in between. The work is
 * that of the first of their revisions, as a version must never be written before its changes are made.
 */
export function fuseToFirst(due: readonly Due[], traits: Traits): Fused[] {
  const fused: Fused[] = [];
  const open = new Map<string, Group>();
  for (const { revision, operation } of due) {
    if (operation.op !== 'alterTable') {
      for (const table of [...writtenBy(operation), ...referencedBy(operation)]) open.delete(table);
      fused.push({ revisions: [revision.id], at: revision.id, operation });
      continue;
    }
    const changes = changesOf(operation, traits);
    const isCostly = changes.some(({ change }) => change === 'setPrimaryKey' || change === 'addCheck');
    const group = open.get(operation.table);
    for (const table of referencedBy(operation)) open.delete(table);
    if (group && isCostly) {
      join(group, revision, changes);
      continue;
    }
    const alone: Group = { revisions: [revision.id], at: revision.id, operation: { ...operation, changes } };
    fused.push(alone);
    if (isCostly) open.set(operation.table, alone);
    else if (changes.length > 0) open.delete(operation.table);
  }
  return fused;
}

function join(group: Group, revision: Revision, changes: readonly TableChange[]): void {
  if (!group.revisions.includes(revision.id)) group.revisions.push(revision.id);
  group.operation = { ...group.operation, changes: [...group.operation.changes, ...changes] };
}

const changesOf = (operation: AlterTable, traits: Traits) =>
  operation.changes.filter((change) => applies(change, traits));
