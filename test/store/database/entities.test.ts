/** The entities of the store are the tables that the migrations make: names, keys, what may be missing, and kinds of values. */
import { describe, expect, test } from 'vitest';
import { offlineDialect, SCHEMES } from '../../../src/dialect/index.js';
import { HEAD, schemaAt } from '../../../src/schema/lineage.js';
import type { Column, ColumnType } from '../../../src/schema/model.js';
import { ENTITIES } from '../../../src/store/database/entities/index.js';

/** As MikroORM calls them. */
const KINDS: Readonly<Record<Exclude<ColumnType['kind'], 'native'>, readonly string[]>> = {
  integer: ['IntegerType'],
  bigint: ['BigIntType'],
  boolean: ['BooleanType'],
  float: ['DoubleType'],
  double: ['DoubleType'],
  date: [],
  json: [],
  binary: [],
  varchar: ['StringType'],
  text: ['TextType'],
};

interface Shape {
  readonly name: string;
  readonly kinds: readonly string[];
  readonly nullable: boolean;
  readonly key: boolean;
}

const declared = (column: Column, key: readonly string[]): Shape => ({
  name: column.name,
  kinds: column.type.kind === 'native' ? [] : KINDS[column.type.kind],
  nullable: column.nullable,
  key: key.includes(column.name),
});

const byName = (a: { readonly name: string }, b: { readonly name: string }) => (a.name < b.name ? -1 : 1);

describe('each entity is its table', async () => {
  for (const scheme of SCHEMES) {
    const schema = schemaAt(HEAD, (await offlineDialect(scheme)).traits);
    test.each(ENTITIES.map((entity) => [entity.meta.tableName, entity] as const))(`${scheme}: %s`, (name, entity) => {
      const table = schema.tables.get(name);
      const columns = (table?.columns ?? [])
        .map((each) => declared(each, table?.primaryKey?.columns ?? []))
        .sort(byName);
      const properties = Object.entries(entity.meta.properties)
        .map(([property, { nullable, primary, type }]) => ({
          name: property,
          nullable: nullable === true,
          key: primary === true,
          kind: typeof type === 'function' ? (type as { name: string }).name : (type as object).constructor.name,
        }))
        .sort(byName);
      expect(properties.map((each) => each.name)).toEqual(columns.map((each) => each.name));
      expect(properties.map(({ name, nullable, key }) => ({ name, nullable, key }))).toEqual(
        columns.map(({ name, nullable, key }) => ({ name, nullable, key })),
      );
      for (const [at, { kinds }] of columns.entries()) {
        if (kinds.length > 0) expect(kinds, properties[at]?.name).toContain(properties[at]?.kind);
      }
    });
  }
});
