/** The lineage as a whole: its order, its releases, what cannot be undone, and the schemas that folding it gives. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { initial } from '../../migrations/index.js';
import { TRAITS as MSSQL } from '../../src/dialect/mssql/traits.js';
import { TRAITS as MYSQL } from '../../src/dialect/mysql/traits.js';
import { TRAITS as POSTGRESQL } from '../../src/dialect/postgresql/traits.js';
import { TRAITS as SQLITE } from '../../src/dialect/sqlite/traits.js';
import { MtrackError } from '../../src/errors.js';
import { applyOperation } from '../../src/schema/fold.js';
import {
  BASE,
  between,
  HEAD,
  positionOf,
  releasesOf,
  resolveTarget,
  revisions,
  schemaAt,
} from '../../src/schema/lineage.js';
import { EMPTY_SCHEMA } from '../../src/schema/model.js';
import { HEADS_BY_RELEASE } from '../../src/schema/releases.js';

const DIALECTS = { sqlite: SQLITE, postgresql: POSTGRESQL, mysql: MYSQL, mssql: MSSQL };
const FACTS = join(import.meta.dirname, '../../../shared/facts/releases.json');
const ids = revisions.map(({ id }) => id);

test('70 revisions, each with the one before for its parent', () => {
  expect(revisions).toHaveLength(70);
  expect(revisions.map(({ parent }) => parent)).toEqual([null, ...ids.slice(0, -1)]);
  expect([ids[0], ids[6], ids[66], HEAD]).toEqual(['451aebb31d03', '2b4d017a5e9b', 'dc11669786a5', 'f4a9b2c7d1e6']);
  expect(new Set(ids).size).toBe(70);
});

describe('folding', () => {
  test.each(Object.entries(DIALECTS))(
    'all of it is possible on %s, and none of it repeated changes anything',
    (_, traits) => {
      let schema = initial.reduce((state, operation) => applyOperation(state, operation, traits), EMPTY_SCHEMA);
      expect([...schema.tables.keys()].sort()).toEqual(['experiments', 'metrics', 'params', 'runs', 'tags']);
      for (const { id, operations } of revisions) {
        for (const operation of operations) {
          const after = applyOperation(schema, operation, traits);
          // Dropping a column and adding it again would be two states; nothing in the lineage does both.
          expect(applyOperation(after, operation, traits), `${id} ${operation.op}`).toEqual(after);
          schema = after;
        }
        expect(schemaAt(id, traits), id).toEqual(schema);
      }
    },
  );

  test('references, keys and indexes name columns that are there', () => {
    const wrong = Object.values(DIALECTS).flatMap((traits) =>
      ids.flatMap((id) => {
        const { tables } = schemaAt(id, traits);
        const absent = (table: string, names: readonly string[]) =>
          names
            .filter((name) => !tables.get(table)?.columns.some((column) => column.name === name))
            .map((name) => `${id}: ${table}.${name}`);
        return [...tables.values()].flatMap((table) => [
          ...absent(table.name, table.primaryKey?.columns ?? []),
          ...table.uniques.flatMap(({ columns }) => absent(table.name, columns)),
          ...table.indexes.flatMap(({ columns, include = [] }) =>
            absent(table.name, [...columns.map(({ name }) => name), ...include]),
          ),
          ...table.foreignKeys.flatMap((key) => [
            ...absent(table.name, key.columns),
            ...absent(key.table, key.references),
          ]),
        ]);
      }),
    );
    expect(wrong).toEqual([]);
  });
});

describe('targets', () => {
  test.skipIf(!existsSync(FACTS))('every release of shared/facts resolves to its head', () => {
    const facts = (JSON.parse(readFileSync(FACTS, 'utf8')) as { head_by_release: Record<string, string> })
      .head_by_release;
    expect(HEADS_BY_RELEASE).toMatchObject(facts);
    for (const [release, head] of Object.entries(facts)) {
      expect(resolveTarget(`mlflow==${release}`), release).toBe(head);
      expect(resolveTarget(`mlflow==${release.split('.').slice(0, 2).join('.')}`), release).toBe(head);
      expect(releasesOf(head), release).not.toBeNull();
    }
  });

  test('a release is never taken for another that begins alike', () => {
    expect(resolveTarget('mlflow==2.2')).toBe('97727af70f4d');
    expect(resolveTarget('mlflow==2.22')).toBe('0584bdc529eb');
    expect(resolveTarget('mlflow==3.1')).toBe('bda7b8c39065');
    expect(resolveTarget('MLflow == 3.10.1')).toBe('1b5f0d9ad7c1');
  });

  test('ids, their beginnings, head and base', () => {
    for (const id of ids) expect([resolveTarget(id), resolveTarget(id.slice(0, 8))]).toEqual([id, id]);
    expect([resolveTarget('head'), resolveTarget('heads'), resolveTarget('base')]).toEqual([HEAD, HEAD, BASE]);
  });

  test.each([
    '',
    ' ',
    '451',
    'zzzz',
    '451aebb31d03 ',
    'mlflow',
    'mlflow==',
    'mlflow==2',
    'mlflow==99.1',
    'mlflow>=2.2',
    'mlflow==2.2.2.2',
    'HEAD~1',
    '-1',
    '+1',
  ])('%j names none', (target) => {
    expect(() => resolveTarget(target)).toThrow(MtrackError);
  });

  test('anything is resolved to a revision that is known, or refused', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.constantFrom(...ids).chain((id) => fc.nat(13).map((n) => id.slice(0, n))),
        ),
        (target) => {
          try {
            expect([BASE, ...ids]).toContain(resolveTarget(target));
          } catch (error) {
            expect(error).toMatchObject({ code: 'TARGET_UNKNOWN' });
          }
        },
      ),
    );
  });

  test('what lies between two revisions, in order', () => {
    fc.assert(
      fc.property(fc.nat(70), fc.nat(70), (a, b) => {
        const [from, to] = [[BASE, ...ids][a] ?? BASE, [BASE, ...ids][b] ?? BASE];
        expect(between(from, to).map(({ id }) => id)).toEqual(ids.slice(a, Math.max(a, b)));
        expect([positionOf(from), positionOf(to)]).toEqual([a, b]);
      }),
    );
    expect(() => positionOf('nothing')).toThrow('not of this lineage');
  });

  test('releases of a revision, as a span', () => {
    expect(releasesOf('acf3f17fdcc7')).toBe('2.8 – 2.12');
    expect(releasesOf('dc11669786a5')).toBe('3.17');
    expect(releasesOf('451aebb31d03')).toBeNull();
  });
});

test('the revisions that cannot be undone are those that facts/migrations.md calls so', () => {
  const irreversible = revisions.filter((revision) => revision.irreversible).map(({ id }) => id);
  expect(irreversible).toEqual([
    '451aebb31d03',
    '90e64c465722',
    '181f10493468',
    '0a8213491aaa',
    '2d6e25af4d3e',
    '75868b020152',
    'dc11669786a5',
  ]);
  for (const { id, irreversible: why } of revisions) if (why) expect(why.because.length, id).toBeGreaterThan(20);
  // The widening of params is asked about whatever the data are; the others where there are rows to lose.
  expect(revisions.filter(({ irreversible: why }) => why?.always).map(({ id }) => id)).toEqual(['2d6e25af4d3e']);
});
