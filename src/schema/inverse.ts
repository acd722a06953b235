/**
 * The way back from a revision: operations that make of its schema the one before it. They are worked out from the two
 * schemas as the migrations declare them, so that no migration says the same twice. As with those of an upgrade, what is
 * done already changes nothing, which makes a way back that was cut off resumable.
 */
import { deltaOf } from './delta.js';
import { applies } from './fold.js';
import { BASE, schemaAt } from './lineage.js';
import { columnOf, type ForeignKey, type Schema, sameExpression, sameNames, type Table } from './model.js';
import type { Operation, Revision, TableChange } from './operations.js';
import type { Spelling } from './probe.js';

/** @throws {Error} where the declared way back writes to what is not there: a fault in a migration */
export function inverseOf(revision: Revision, spelling: Spelling): Operation[] {
  const { traits } = spelling;
  const before = schemaAt(revision.parent ?? BASE, traits);
  const after = schemaAt(revision.id, traits);
  const tables = [...after.tables.values()].flatMap((table) => {
    const earlier = before.tables.get(table.name);
    return earlier ? [{ table, changes: changesBack(table, earlier, revision, spelling) }] : [];
  });
  const moved = revision.undo?.operations ?? [];
  const alter = (of: (changes: ChangesBack) => readonly TableChange[]): Operation[] =>
    tables.flatMap(({ table, changes }) => {
      const some = of(changes);
      return some.length > 0 ? [{ op: 'alterTable', table: table.name, changes: some }] : [];
    });
  return [
    ...after.triggers
      .filter(({ name }) => !before.triggers.some((trigger) => trigger.name === name))
      .map((trigger): Operation => ({ op: 'dropTrigger', trigger })),
    // What rows are moved into must be there before they are moved, and what they are moved out of until then.
    ...(moved.length > 0 ? alter(({ rest }) => rest.filter(({ change }) => change === 'addColumn')) : []),
    ...moved,
    // A key that is referred to cannot change: references go first, and come back last.
    ...alter(({ referencesGone }) => referencesGone),
    ...childrenFirst(after, (name) => !before.tables.has(name)).map(
      (name): Operation => ({ op: 'dropTable', table: name }),
    ),
    ...alter(({ rest }) => rest),
    ...alter(({ referencesBack }) => referencesBack),
  ];
}

/** Changes of a table that make the earlier one of it. */
interface ChangesBack {
  readonly referencesGone: readonly TableChange[];
  readonly rest: readonly TableChange[];
  readonly referencesBack: readonly TableChange[];
}

function changesBack(table: Table, earlier: Table, revision: Revision, { traits, spell }: Spelling): ChangesBack {
  const renames = revision.operations.flatMap((operation) =>
    operation.op === 'alterTable' && operation.table === table.name && applies(operation, traits)
      ? operation.changes.flatMap((change): TableChange[] =>
          change.change === 'renameColumn' && applies(change, traits)
            ? [{ change: 'renameColumn', from: change.to, to: change.from }]
            : [],
        )
      : [],
  );
  const delta = deltaOf(table, earlier, renames, (a, b) => spell(a) === spell(b));
  // Of equal checks all go at once: those that stay are made again.
  const checks = delta.dropChecks.flatMap(({ expression }) => {
    const left = earlier.checks.filter((check) => sameExpression(check.expression, expression));
    const [first] = left;
    return [
      { change: 'dropCheck', expression } as const,
      ...(first ? [{ change: 'addCheck', check: first, copies: left.length } as const] : []),
    ];
  });
  // References that the revision itself had to take away for a while, as what they hold on to changes.
  const inTheWay = earlier.foreignKeys.filter(
    (key) =>
      !delta.addForeignKeys.includes(key) &&
      dropped(revision, table.name).some((each) => each.table === key.table && sameNames(each.columns, key.columns)),
  );
  return {
    referencesGone: [
      ...[...delta.dropForeignKeys, ...inTheWay].map(
        (key): TableChange => ({ change: 'dropForeignKey', columns: key.columns, table: key.table }),
      ),
      // With it goes the index that some databases made for it, which has its name.
      ...delta.dropForeignKeys.flatMap(({ name }): TableChange[] =>
        name === null ? [] : [{ change: 'dropIndex', name }],
      ),
    ],
    rest: [
      ...delta.dropIndexes.map(({ name }): TableChange => ({ change: 'dropIndex', name })),
      ...delta.dropUniques.map(({ columns }): TableChange => ({ change: 'dropUnique', columns })),
      ...checks,
      ...renames,
      ...(delta.primaryKey?.to ? [{ change: 'setPrimaryKey', key: delta.primaryKey.to } as const] : []),
      ...delta.dropColumns.map(({ name }): TableChange => ({ change: 'dropColumn', name })),
      ...delta.alterColumns.map(
        ({ name, to }): TableChange => ({
          change: 'alterColumn',
          name,
          to: { type: to.type, nullable: to.nullable, default: to.default ?? null },
        }),
      ),
      ...delta.addColumns.map((column): TableChange => ({ change: 'addColumn', column })),
      ...delta.addUniques.map((key): TableChange => ({ change: 'addUnique', key })),
      ...addedChecks(delta.addChecks, earlier),
      ...delta.addIndexes.map((index): TableChange => ({ change: 'addIndex', index })),
    ],
    referencesBack: [...delta.addForeignKeys, ...inTheWay].map(
      (foreignKey): TableChange => ({ change: 'addForeignKey', foreignKey }),
    ),
  };
}

function dropped({ operations }: Revision, table: string) {
  return operations.flatMap((operation) =>
    operation.op === 'alterTable' && operation.table === table
      ? operation.changes.filter((change) => change.change === 'dropForeignKey')
      : [],
  );
}

/** As many equal ones as there were. */
function addedChecks(added: Table['checks'], earlier: Table): TableChange[] {
  return added.map((check) => ({
    change: 'addCheck',
    check,
    copies: earlier.checks.filter((each) => sameExpression(each.expression, check.expression)).length,
  }));
}

/** The tables in an order in which each can be dropped: before those that it refers to. */
export function childrenFirst(schema: Schema, of: (name: string) => boolean): string[] {
  const left = new Map([...schema.tables].filter(([name]) => of(name)));
  const ordered: string[] = [];
  while (left.size > 0) {
    const referred = new Set([...left.values()].flatMap((table) => parentsOf(table)));
    const free = [...left.keys()].filter((name) => !referred.has(name));
    if (free.length === 0) throw new Error(`tables refer to each other in a circle: ${[...left.keys()].join(', ')}`);
    ordered.push(...free);
    for (const name of free) left.delete(name);
  }
  return ordered;
}

const parentsOf = ({ name, foreignKeys }: Table) =>
  foreignKeys.map((key: ForeignKey) => key.table).filter((table) => table !== name);

/** The columns that a way back takes from a table that stays. */
export function columnsLost(operations: readonly Operation[], table: string): string[] {
  return operations.flatMap((operation) =>
    operation.op === 'alterTable' && operation.table === table
      ? operation.changes.flatMap((change) => (change.change === 'dropColumn' ? [change.name] : []))
      : [],
  );
}

/** Whether a key that comes back has fewer columns than the one it takes the place of: rows may then be alike in it. */
export const isNarrower = (key: readonly string[], than: readonly string[]): boolean =>
  !sameNames(key, than) && !than.every((column) => key.includes(column));

export const hasColumn = (schema: Schema, table: string, column: string): boolean => {
  const found = schema.tables.get(table);
  return found !== undefined && columnOf(found, column) !== undefined;
};
