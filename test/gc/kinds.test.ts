/** The list of what refers to what is held against the foreign keys of the schema, so that a new table cannot be forgotten. */
import { describe, expect, test } from 'vitest';
import { offlineDialect } from '../../src/dialect/index.js';
import { KINDS, type Rows } from '../../src/gc/database/kinds.js';
import type { Kind } from '../../src/gc/source.js';
import { HEAD, schemaAt } from '../../src/schema/lineage.js';

const { traits } = await offlineDialect('postgresql');
const head = schemaAt(HEAD, traits);
const kinds = Object.entries(KINDS) as [Kind, (typeof KINDS)[Kind]][];
const roots = new Map(kinds.map(([kind, { table }]) => [table, kind]));

/** The references that a kind is known to have, as `table.column`, also those in between. */
function known(kind: Kind): string[] {
  const places = (rows: Rows): string[] => [
    `${rows.table}.${rows.column}`,
    ...(rows.through ? places(rows.through) : []),
  ];
  return KINDS[kind].references.flatMap(places);
}

describe('every foreign key that leads to something that goes', () => {
  test.each([...roots])('to %s is known', (table, kind) => {
    const keys = [...head.tables.values()].flatMap(({ name, foreignKeys }) =>
      foreignKeys
        .filter((key) => key.table === table && key.columns.length === 1)
        .map(({ columns }) => `${name}.${columns[0]}`),
    );
    // Things of their own, which go before it; a span has the experiment of its trace, params and tags that of their model.
    const ofThemselves = [...roots.keys()].map((root) => `${root}.experiment_id`);
    const withTheirOwner = ['spans', 'logged_model_metrics', 'logged_model_params', 'logged_model_tags'].map(
      (each) => `${each}.experiment_id`,
    );
    const open = keys.filter((key) => ![...known(kind), ...ofThemselves, ...withTheirOwner].includes(key));
    expect(open).toEqual([]);
  });

  test('to a table in between is known', () => {
    const going = new Set(
      kinds.flatMap(([, { references }]) =>
        references.filter(({ does }) => does === 'delete').map(({ table }) => table),
      ),
    );
    const keys = [...head.tables.values()].flatMap(({ name, foreignKeys }) =>
      foreignKeys.filter((key) => going.has(key.table)).map((key) => ({ name, to: key.table })),
    );
    // What has a guardrail stays: see DatabaseTrash.hindrances.
    const open = keys.filter(({ name }) => !going.has(name) && name !== 'guardrails');
    expect(open).toEqual([]);
  });

  test('children go before their parents', () => {
    for (const [, { references }] of kinds) {
      const order = references.filter(({ does }) => does === 'delete').map(({ table }) => table);
      for (const { name, foreignKeys } of head.tables.values()) {
        for (const { table } of foreignKeys) {
          if (!order.includes(name) || !order.includes(table) || name === table) continue;
          expect(order.lastIndexOf(name), `${name} before ${table}`).toBeLessThan(order.indexOf(table));
        }
      }
    }
  });

  test('what goes with things of several kinds counts once: each says what else it goes with', () => {
    const kindsOf = new Map<string, Set<Kind>>();
    for (const [kind, { references }] of kinds) {
      for (const { table, does } of references) {
        if (does === 'delete') kindsOf.set(table, (kindsOf.get(table) ?? new Set<Kind>()).add(kind));
      }
    }
    for (const [kind, { references }] of kinds) {
      for (const reference of references.filter(({ table }) => (kindsOf.get(table)?.size ?? 0) > 1)) {
        // Experiments go last, and of one that has gone nothing is left that could be counted again.
        const others = [...(kindsOf.get(reference.table) ?? [])].filter(
          (each) => each !== kind && each !== 'experiment',
        );
        const owners = [...(reference.owners ?? []), ...(reference.through?.owners ?? [])].map((owner) => owner.kind);
        expect(owners, `${reference.table} of ${kind}`).toEqual(expect.arrayContaining(others));
      }
    }
  });

  test('every table and column of the list is one of the head', () => {
    const columns = new Map(
      [...head.tables].map(([name, table]) => [name, table.columns.map((column) => column.name)]),
    );
    const places = (rows: Rows): string[][] => [
      [rows.table, rows.column, ...(rows.when ? [rows.when.column] : [])],
      ...(rows.through ? [[rows.through.table, rows.through.key], ...places(rows.through)] : []),
    ];
    for (const [, { table, key, references }] of kinds) {
      for (const [name = '', ...wanted] of [[table, key], ...references.flatMap(places)]) {
        expect(columns.get(name), name).toEqual(expect.arrayContaining(wanted));
      }
    }
  });
});
