/** What two schemas of the lineage, a newer and an older one, make of one table: which of its columns go, and which stay. */
import { applies } from '../schema/fold.js';
import { between, schemaAt } from '../schema/lineage.js';
import type { Column, Schema, Table } from '../schema/model.js';
import type { Revision } from '../schema/operations.js';
import type { Spelling } from '../schema/probe.js';

/** A column by its name now, with what it was. */
export interface KeptColumn {
  readonly now: Column;
  readonly was: Column;
}

export interface TableBack {
  readonly table: Table;
  /** Null where the table goes. */
  readonly earlier: Table | null;
  readonly kept: readonly KeptColumn[];
  readonly gone: readonly Column[];
}

/** @param from the revision the database is at @param to an earlier one */
export function tablesBack(from: string, to: string, { traits }: Spelling): TableBack[] {
  const [now, then]: [Schema, Schema] = [schemaAt(from, traits), schemaAt(to, traits)];
  const undone = between(to, from).toReversed();
  return [...now.tables.values()].map((table) => {
    const earlier = then.tables.get(table.name) ?? null;
    const was = (name: string) => {
      const old = oldName(table.name, name, undone, traits);
      return earlier?.columns.find((column) => column.name === old);
    };
    return {
      table,
      earlier,
      kept: table.columns.flatMap((column) => {
        const before = was(column.name);
        return before ? [{ now: column, was: before }] : [];
      }),
      gone: earlier ? table.columns.filter(({ name, generated }) => !generated && !was(name)) : [],
    };
  });
}

/** What a column was called before renames, the newest of which is undone first. */
function oldName(table: string, name: string, undone: readonly Revision[], traits: Spelling['traits']): string {
  return undone.reduce((current, { operations }) => {
    const renames = operations.flatMap((operation) =>
      operation.op === 'alterTable' && operation.table === table && applies(operation, traits)
        ? operation.changes.filter((change) => change.change === 'renameColumn')
        : [],
    );
    return renames.find(({ to }) => to === current)?.from ?? current;
  }, name);
}

/** Names of columns now, for names as they were. */
export function namesNow({ kept }: TableBack, names: readonly string[]): string[] | null {
  const now = names.map((name) => kept.find(({ was }) => was.name === name)?.now.name);
  return now.every((name) => name !== undefined) ? now : null;
}
