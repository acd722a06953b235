/** Whether MLflow servers of an older release, which run already, go on on the schema that an operation leaves. */
import { applies } from '../schema/fold.js';
import type { Operation, TableChange } from '../schema/operations.js';
import type { Traits } from '../schema/traits.js';

/** What older servers fail on, in words; none where the operation only adds what they do not look at. */
export function breaksServers(operation: Operation, traits: Traits): string[] {
  if (!applies(operation, traits)) return [];
  switch (operation.op) {
    case 'alterTable':
      return operation.changes
        .filter((change) => applies(change, traits))
        .flatMap((change) => broken(operation, change));
    case 'dropTable':
      return [`${operation.table} goes, and they read it`];
    case 'dropTrigger':
    case 'backfill':
    case 'deriveRows':
    case 'deriveValues':
    case 'createTable':
    case 'createTrigger':
    case 'insertRow':
    case 'require':
      return [];
  }
}

function broken({ table }: Extract<Operation, { op: 'alterTable' }>, change: TableChange): string[] {
  switch (change.change) {
    case 'dropColumn':
      return [`${table}.${change.name} goes, and they read it`];
    case 'renameColumn':
      return [`${table}.${change.from} is called ${change.to} then, and they read it by its old name`];
    case 'addColumn':
      return change.column.nullable || change.column.default || change.column.generated || change.column.numbered
        ? []
        : [`${table}.${change.column.name} must be given with each new row, and they do not know it`];
    default:
      return [];
  }
}
