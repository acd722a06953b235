/** What an operation is called, and what it touches. */
import type { Operation } from './operations.js';

/** An operation in a few words. */
export function titleOf(operation: Operation): string {
  switch (operation.op) {
    case 'createTable':
      return `create ${operation.table.name}`;
    case 'alterTable':
      return `alter ${operation.table}`;
    case 'createTrigger':
      return `create trigger ${operation.trigger.name}`;
    case 'dropTable':
      return `drop ${operation.table}`;
    case 'dropTrigger':
      return `drop trigger ${operation.trigger.name}`;
    case 'insertRow':
      return `insert into ${operation.table}`;
    case 'backfill':
    case 'deriveRows':
    case 'deriveValues':
      return operation.title;
    case 'require':
      return `make sure that ${operation.title}`;
  }
}

/** The tables that an operation changes or reads. */
export function tablesOf(operation: Operation): string[] {
  switch (operation.op) {
    case 'createTable':
      return [operation.table.name];
    case 'alterTable':
    case 'insertRow':
    case 'dropTable':
      return [operation.table];
    case 'createTrigger':
    case 'dropTrigger':
      return [operation.trigger.table];
    case 'backfill':
      return [...new Set([operation.over.table, ...(operation.reads ?? []), ...operation.writes])];
    case 'deriveRows':
      return [operation.over.table, operation.into];
    case 'deriveValues':
      return [...new Set([operation.over.table, ...operation.reads])];
    case 'require':
      return [...operation.reads];
  }
}

/** The tables whose rows an operation changes, or that it makes. */
export function writtenBy(operation: Operation): readonly string[] {
  switch (operation.op) {
    case 'backfill':
      return operation.writes;
    case 'deriveRows':
      return [operation.into];
    case 'deriveValues':
      return [operation.over.table];
    case 'insertRow':
    case 'dropTable':
      return [operation.table];
    case 'createTable':
      return [operation.table.name];
    default:
      return [];
  }
}

/** The tables that foreign keys which an operation makes refer to. */
export function referencedBy(operation: Operation): string[] {
  if (operation.op === 'createTable') return operation.table.foreignKeys.map(({ table }) => table);
  if (operation.op !== 'alterTable') return [];
  return operation.changes.flatMap((change) => (change.change === 'addForeignKey' ? [change.foreignKey.table] : []));
}
