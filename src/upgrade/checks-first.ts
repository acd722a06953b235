/**
 * A check that a later revision adds to a table is made with the table, where adding it afterwards copies the table. The
 * rows that fill it in between meet the check then, and not when they are copied.
 */
import type { Operation, TableChange } from '../schema/operations.js';
import type { Fused } from './fuse.js';

type CreateTable = Extract<Operation, { op: 'createTable' }>;

/** @param fused operations in their order; the checks join the one that makes their table */
export function checksFirst(fused: readonly Fused[]): Fused[] {
  const result: Fused[] = [];
  /** Tables that were made, and that nothing has changed since: what else changes a table may be what a check is of. */
  const made = new Map<string, { readonly at: number; readonly create: Fused & { operation: CreateTable } }>();
  for (const each of fused) {
    const { operation } = each;
    if (operation.op === 'createTable') {
      made.set(operation.table.name, { at: result.length, create: { ...each, operation } });
    } else if (operation.op === 'alterTable') {
      const found = made.get(operation.table);
      if (found && areChecks(operation.changes)) {
        const create = withChecks(found.create, each.revisions, operation.changes);
        made.set(operation.table, { ...found, create });
        result[found.at] = create;
        continue;
      }
      made.delete(operation.table);
    }
    result.push(each);
  }
  return result;
}

type AddCheck = Extract<TableChange, { change: 'addCheck' }>;

const areChecks = (changes: readonly TableChange[]): changes is readonly AddCheck[] =>
  changes.length > 0 && changes.every((change) => change.change === 'addCheck' && change.copies === 1);

function withChecks<Create extends Fused & { operation: CreateTable }>(
  create: Create,
  revisions: readonly string[],
  changes: readonly AddCheck[],
): Create {
  const { table } = create.operation;
  const checks = [...table.checks, ...changes.map(({ check }) => check)];
  return {
    ...create,
    revisions: [...create.revisions, ...revisions],
    operation: { ...create.operation, table: { ...table, checks } },
  };
}
