/** How far an operation is done in a live schema, told from its effects alone: also where another tool began it. */
import { deltaOf, isEmpty, type TableDelta } from './delta.js';
import { alteredTable, applies, applyOperation } from './fold.js';
import type { Column, Schema } from './model.js';
import type { Operation } from './operations.js';
import type { Traits } from './traits.js';

export interface Spelling {
  readonly traits: Traits;
  spell(column: Column): string;
}

/**
 * `unknown`: data was moved or a condition was checked, which leaves no trace in the schema; or what is there may have
 * been there before (`ifNecessary`), or is not shown to this user.
 */
export type Progress = 'done' | 'pending' | 'mixed' | 'unknown';

/** Elements of the schema that the operation still has to change. */
function remaining(operation: Operation, schema: Schema, spelling: Spelling): number {
  const { traits } = spelling;
  const same = (a: Column, b: Column) => spelling.spell(a) === spelling.spell(b);
  switch (operation.op) {
    case 'createTable': {
      const { table } = operation;
      const present = schema.tables.get(table.name);
      const made = applyOperation(schema, operation, traits).tables.get(table.name);
      if (!made) return 0;
      if (!present) return 1 + made.indexes.length;
      return sizeOf(deltaOf(present, made, [], same));
    }
    case 'alterTable': {
      const present = schema.tables.get(operation.table);
      if (!present) return operation.changes.length;
      const target = alteredTable(present, operation.changes, traits);
      return sizeOf(deltaOf(present, target, operation.changes, same));
    }
    case 'createTrigger':
      return schema.triggers.some(({ name }) => name === operation.trigger.name) ? 0 : 1;
    case 'dropTable':
      return schema.tables.has(operation.table) ? 1 : 0;
    case 'dropTrigger':
      return schema.triggers.some(({ name }) => name === operation.trigger.name) ? 1 : 0;
    default:
      return 0;
  }
}

/**
 * How far an operation is done.
 * @param before the schema just before the operation's revision, as the migrations declare it. An operation that would
 * change nothing there either leaves no trace to tell from.
 */
export function probe(operation: Operation, live: Schema, before: Schema, spelling: Spelling): Progress {
  if (!applies(operation, spelling.traits)) return 'unknown';
  if (operation.op === 'createTrigger' && live.triggersHidden) return 'unknown';
  if (operation.op === 'alterTable' && operation.ifNecessary) return 'unknown';
  const whole = attempt(() => remaining(operation, before, spelling));
  if (whole === null || whole === 0) return 'unknown';
  const left = attempt(() => remaining(operation, live, spelling));
  if (left === null) return 'mixed';
  return left === 0 ? 'done' : left < whole ? 'mixed' : 'pending';
}

/** An operation may build on an earlier one of its revision, and then cannot be applied to the schema before it. */
function attempt(count: () => number): number | null {
  try {
    return count();
  } catch {
    return null;
  }
}

function sizeOf(delta: TableDelta): number {
  if (isEmpty(delta)) return 0;
  const { table: _, primaryKey, ...lists } = delta;
  // A primary key that is gone is half of a change of primary key.
  const key = primaryKey === null ? 0 : primaryKey.from === null ? 1 : 2;
  return key + Object.values(lists).reduce((sum, list) => sum + list.length, 0);
}
