/** Differences between schemas: what is still to do (delta), how far it is (probe), and what it weighs (diff). */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { spellColumn } from '../../src/dialect/sqlite/spell.js';
import { TRAITS } from '../../src/dialect/sqlite/traits.js';
import { deltaOf, isEmpty } from '../../src/schema/delta.js';
import { describeDifference, differences } from '../../src/schema/diff.js';
import { alteredTable, applyOperation } from '../../src/schema/fold.js';
import { BASE, revisions, schemaAt } from '../../src/schema/lineage.js';
import { type Column, type Schema, type Table, withTable } from '../../src/schema/model.js';
import {
  addColumn,
  addIndex,
  alterColumn,
  alterTable,
  bigint,
  dropColumn,
  optional,
  renameColumn,
  required,
  setPrimaryKey,
  type TableChange,
  varchar,
} from '../../src/schema/operations.js';
import { probe } from '../../src/schema/probe.js';

const same = (a: Column, b: Column) => spellColumn(a) === spellColumn(b);
const spelling = { traits: TRAITS, spell: spellColumn };
const comparison = { spell: spellColumn, isBenign: () => false };

// ---------------------------------------------------------------- tables

const names = ['a', 'b', 'c', 'd'] as const;
const column = (name: string): fc.Arbitrary<Column> =>
  fc.record({
    name: fc.constant(name),
    type: fc.constantFrom(bigint(), varchar(10), varchar(20)),
    nullable: fc.boolean(),
    default: fc.constantFrom(null, { kind: 'text' as const, value: '0' }),
  });
const columnsOf = fc.subarray([...names], { minLength: 1 }).chain((own) => fc.tuple(...own.map(column)));

/** A table whose keys, checks and indexes are on the columns it has. */
const table: fc.Arbitrary<Table> = columnsOf.chain((columns) => {
  const own = columns.map(({ name }) => name);
  const some = fc.subarray(own, { minLength: 1 });
  const none = fc.constant(null);
  return fc.record({
    name: fc.constant('t'),
    columns: fc.constant(columns),
    primaryKey: fc.oneof(
      none,
      some.map((key) => ({ name: 'pk', columns: key })),
    ),
    uniques: fc.uniqueArray(
      some.map((key) => ({ name: null, columns: key })),
      { maxLength: 2, selector: ({ columns: key }) => key.join() },
    ),
    foreignKeys: fc.uniqueArray(
      some.map((key) => ({
        name: `fk_${key.join('_')}`,
        columns: key,
        table: 'p',
        references: key,
        onDelete: 'cascade' as const,
        onUpdate: 'no action' as const,
      })),
      { maxLength: 2, selector: ({ name }) => name },
    ),
    checks: fc.array(
      fc.constantFrom(...own).map((name) => ({ name: null, expression: { column: name, in: [0, 1] } })),
      { maxLength: 3 },
    ),
    indexes: fc.uniqueArray(
      some.map((key) => ({ name: `i_${key.join('_')}`, unique: false, columns: key.map((name) => ({ name })) })),
      { maxLength: 2, selector: ({ name }) => name },
    ),
  });
});

/** The state that the delta's elements make of the first: done by hand, not by the code that is tested. */
function applied(from: Table, delta: ReturnType<typeof deltaOf>): Table {
  const without = <T>(all: readonly T[], gone: readonly T[]) => {
    const left = gone.map((each) => JSON.stringify(each));
    return all.filter((each) => {
      const at = left.indexOf(JSON.stringify(each));
      if (at >= 0) left.splice(at, 1);
      return at < 0;
    });
  };
  const altered = new Map(delta.alterColumns.map(({ name, to }) => [name, to]));
  const dropped = new Set(delta.dropColumns.map(({ name }) => name));
  return {
    ...from,
    columns: [
      ...from.columns.filter(({ name }) => !dropped.has(name)).map((each) => altered.get(each.name) ?? each),
      ...delta.addColumns,
    ],
    primaryKey: delta.primaryKey ? delta.primaryKey.to : from.primaryKey,
    uniques: [...without(from.uniques, delta.dropUniques), ...delta.addUniques],
    foreignKeys: [...without(from.foreignKeys, delta.dropForeignKeys), ...delta.addForeignKeys],
    checks: [...without(from.checks, delta.dropChecks), ...delta.addChecks],
    indexes: [...without(from.indexes, delta.dropIndexes), ...delta.addIndexes],
  };
}

const unordered = ({ columns, primaryKey, ...lists }: Table) => ({
  primaryKey,
  columns: columns.map((each) => JSON.stringify(each)).sort(),
  ...Object.fromEntries(
    Object.entries(lists).map(([key, list]) => [
      key,
      Array.isArray(list) ? list.map((each) => JSON.stringify(each)).sort() : list,
    ]),
  ),
});

describe('delta', () => {
  test('of a and b, applied to a, gives b; and nothing is left then', () => {
    fc.assert(
      fc.property(table, table, (a, b) => {
        const made = applied(a, deltaOf(a, b, [], same));
        expect(unordered(made)).toEqual(unordered(b));
        expect(isEmpty(deltaOf(made, b, [], same))).toBe(true);
      }),
    );
  });

  test('is empty of a table and itself, and only of tables that are alike', () => {
    fc.assert(
      fc.property(table, table, (a, b) => {
        expect(isEmpty(deltaOf(a, a, [], same))).toBe(true);
        if (isEmpty(deltaOf(a, b, [], same))) expect(unordered(a)).toEqual(unordered(b));
      }),
    );
  });

  test('knows a renamed column from one dropped and one added', () => {
    fc.assert(
      fc.property(table, fc.nat(), (from, at) => {
        const name = from.columns[at % from.columns.length]?.name ?? '';
        const changes: TableChange[] = [renameColumn(name, 'z')];
        const delta = deltaOf(from, alteredTable(from, changes, TRAITS), changes, same);
        expect(delta.renameColumns).toEqual([{ from: name, to: 'z' }]);
        expect([delta.addColumns, delta.dropColumns, delta.alterColumns, delta.primaryKey]).toEqual([[], [], [], null]);
      }),
    );
  });
});

// ---------------------------------------------------------------- probe

const schemaOf = (...tables: Table[]): Schema => ({
  tables: new Map(tables.map((each) => [each.name, each])),
  triggers: [],
});

describe('probe', () => {
  const before: Table = {
    name: 't',
    columns: [required('a', varchar(10)), required('b', varchar(10))].map(({ column: each }) => each),
    primaryKey: { name: null, columns: ['a'] },
    uniques: [],
    foreignKeys: [],
    checks: [],
    indexes: [],
  };
  const changes = [
    addColumn(optional('c', bigint())),
    alterColumn('b', { type: varchar(20) }),
    addIndex('i', ['b']),
    setPrimaryKey('pk', 'a', 'b'),
    dropColumn('x'),
  ];
  const operation = alterTable('t', ...changes);

  test('pending before, done after, and mixed wherever a part of it was done', () => {
    const start = schemaOf(before);
    expect(probe(operation, start, start, spelling)).toBe('pending');
    fc.assert(
      fc.property(fc.subarray(changes.slice(0, 4)), (done) => {
        const live = schemaOf(alteredTable(before, done, TRAITS));
        expect(probe(operation, live, start, spelling)).toBe(
          done.length === 0 ? 'pending' : done.length === 4 ? 'done' : 'mixed',
        );
      }),
    );
  });

  test('a primary key that is gone is a change half done', () => {
    const change = alterTable('t', setPrimaryKey('pk', 'b', 'a'));
    expect(probe(change, schemaOf({ ...before, primaryKey: null }), schemaOf(before), spelling)).toBe('mixed');
  });

  test('unknown where nothing tells: rows, conditions, other dialects, and what was so before', () => {
    const start = schemaOf(before);
    expect(
      probe(
        { op: 'backfill', title: '', over: { table: 't', key: 'a' }, writes: ['t'], statements: () => [] },
        start,
        start,
        spelling,
      ),
    ).toBe('unknown');
    expect(probe({ ...operation, where: 'foldsCase' }, start, start, spelling)).toBe('unknown');
    expect(probe(alterTable('t', alterColumn('b', { nullable: false })), start, start, spelling)).toBe('unknown');
  });

  test('each structural operation of the lineage is pending before its revision and done after it', () => {
    let id = BASE;
    for (const revision of revisions) {
      const [start, end] = [schemaAt(id, TRAITS), schemaAt(revision.id, TRAITS)];
      for (const each of revision.operations) {
        const found = [probe(each, start, start, spelling), probe(each, end, start, spelling)];
        if (found[0] === 'unknown') continue;
        expect(['pending'], `${revision.id} ${each.op}`).toContain(found[0]);
        // What a later operation of the revision changes again is not done any more.
        expect(['done', 'mixed'], `${revision.id} ${each.op}`).toContain(found[1]);
      }
      id = revision.id;
    }
  });
});

// ---------------------------------------------------------------- diff

describe('differences', () => {
  const at = schemaAt('75868b020152', TRAITS);
  const edited = (name: string, edit: (table: Table) => Table): Schema => {
    const found = at.tables.get(name);
    if (!found) throw new Error(`no table ${name}`);
    return withTable(at, name, edit(found));
  };
  const found = (live: Schema) =>
    differences(at, live, comparison).map((each) => [each.weight, describeDifference(each)]);

  test('none of a schema and itself', () => expect(found(at)).toEqual([]));

  test('what MLflow or a later revision needs breaks', () => {
    expect(found(withTable(at, 'spans', null))).toEqual([['breaks', 'table spans is missing']]);
    expect(
      found(edited('params', (each) => ({ ...each, columns: each.columns.filter(({ name }) => name !== 'value') }))),
    ).toEqual([['breaks', 'params: column value is missing (value VARCHAR(8000) NOT NULL)']]);
    expect(
      found(
        edited('params', (each) => ({
          ...each,
          columns: each.columns.map((own) => (own.name === 'value' ? { ...own, type: varchar(500) } : own)),
        })),
      ),
    ).toEqual([
      ['breaks', 'params: column value is value VARCHAR(500) NOT NULL, expected value VARCHAR(8000) NOT NULL'],
    ]);
    expect(found(edited('params', (each) => ({ ...each, primaryKey: null })))).toEqual([
      ['breaks', 'params: primary key param_pk is missing ((key, run_uuid))'],
    ]);
  });

  test('a check beside that of MLflow, which refuses values that it allows, breaks; one that allows them all does not', () => {
    const beside = (...values: string[]) =>
      edited('runs', (each) => ({
        ...each,
        checks: [...each.checks, { name: 'old', expression: { column: 'status', in: values } }],
      }));
    const all = ['SCHEDULED', 'FAILED', 'FINISHED', 'RUNNING', 'KILLED'];
    expect(found(beside(...all.slice(0, 4)))).toEqual([
      ['breaks', 'runs: check old is additional (status in (SCHEDULED, FAILED, FINISHED, RUNNING))'],
    ]);
    expect(found(beside(...all, 'PAUSED'))).toEqual([
      ['harmless', 'runs: check old is additional (status in (SCHEDULED, FAILED, FINISHED, RUNNING, KILLED, PAUSED))'],
    ]);
  });

  test('what guards or speeds up weakens', () => {
    const weights = (live: Schema) =>
      differences(at, live, comparison).map(({ weight, element, kind }) => [weight, element, kind]);
    expect(weights(edited('runs', (each) => ({ ...each, foreignKeys: [] })))).toEqual([
      ['weakens', 'foreign key', 'missing'],
    ]);
    expect(weights(edited('experiments', (each) => ({ ...each, uniques: [] })))).toEqual([
      ['weakens', 'unique', 'missing'],
    ]);
    expect(weights(edited('params', (each) => ({ ...each, indexes: [] })))).toEqual([['weakens', 'index', 'missing']]);
    expect(new Set(weights(edited('runs', (each) => ({ ...each, checks: [] }))).map(String))).toEqual(
      new Set(['weakens,check,missing']),
    );
    expect(weights({ ...at, triggers: [] })).toEqual([['weakens', 'trigger', 'missing']]);
  });

  test('additions and other names are harmless', () => {
    const extra = edited('runs', (each) => ({
      ...each,
      columns: [...each.columns, optional('note', varchar(10)).column],
      indexes: [...each.indexes, { name: 'mine', unique: false, columns: [{ name: 'status', descending: true }] }],
      checks: [...each.checks, { name: 'mine', expression: { sql: 'length(name) < 9' } }],
    }));
    expect(
      found(
        withTable(extra, 'mine', {
          name: 'mine',
          columns: [],
          primaryKey: null,
          uniques: [],
          foreignKeys: [],
          checks: [],
          indexes: [],
        }),
      ),
    ).toEqual([
      ['harmless', 'runs: column note is additional (note VARCHAR(10))'],
      ['harmless', 'runs: check mine is additional (length(name) < 9)'],
      ['harmless', 'runs: index mine is additional ((status desc))'],
      ['harmless', "table mine is not MLflow's"],
    ]);
    const renamed = (name: string | null) => (name === null ? null : `${name}_2`);
    const other = edited('params', (each) => ({
      ...each,
      primaryKey: each.primaryKey && { ...each.primaryKey, name: renamed(each.primaryKey.name) },
      indexes: each.indexes.map((index) => ({ ...index, name: `${index.name}_2` })),
      foreignKeys: each.foreignKeys.map((key) => ({ ...key, name: renamed(key.name) })),
    }));
    expect(found(other)).toEqual([]);
  });

  test("version tables of other programs are nobody's business", () => {
    const version: Table = {
      name: 'alembic_version_auth',
      columns: [],
      primaryKey: null,
      uniques: [],
      foreignKeys: [],
      checks: [],
      indexes: [],
    };
    expect(found(withTable(at, version.name, version))).toEqual([]);
  });

  test('between any two revisions, what the later one adds is missing in the earlier', () => {
    const ids = [BASE, ...revisions.map(({ id }) => id)];
    fc.assert(
      fc.property(fc.nat(70), fc.nat(70), (a, b) => {
        const [early, late] = [Math.min(a, b), Math.max(a, b)].map((i) => schemaAt(ids[i] ?? BASE, TRAITS));
        if (!early || !late) return;
        const missing = differences(late, early, comparison).filter(
          ({ element, kind }) => element === 'table' && kind === 'missing',
        );
        expect(missing.map(({ name }) => name)).toEqual(
          [...late.tables.keys()].filter((name) => !early.tables.has(name)),
        );
      }),
      { numRuns: 60 },
    );
  });
});

test('folding an operation on a table that is not there is a fault of the migration', () => {
  expect(() => applyOperation(schemaOf(), alterTable('nothing', dropColumn('a')), TRAITS)).toThrow(
    'no table nothing to alter',
  );
  expect(() =>
    alteredTable(
      { name: 't', columns: [], primaryKey: null, uniques: [], foreignKeys: [], checks: [], indexes: [] },
      [alterColumn('a', { nullable: true })],
      TRAITS,
    ),
  ).toThrow('no column t.a to change');
});
