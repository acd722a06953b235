/** The catalog as the server spells it, read back: what a model of a server holds is what the migrations declare. */
import { describe, expect, test } from 'vitest';
import { checkOf, readCatalog } from '../../../src/dialect/mssql/catalog.js';
import { mssqlDialect } from '../../../src/dialect/mssql/index.js';
import { EXACT, spellColumn } from '../../../src/dialect/mssql/spell.js';
import type { Session } from '../../../src/dialect/session.js';
import { differences } from '../../../src/schema/diff.js';
import { initial, revisions, schemaAt } from '../../../src/schema/lineage.js';
import { columnOf, type Schema } from '../../../src/schema/model.js';
import { catalogRows } from '../../support/mssql/catalog.js';
import { lineage } from '../../support/mssql/lineage.js';
import { COLLATION, ModelServer } from '../../support/mssql/model.js';

const dialect = mssqlDialect(COLLATION);

function liveSchema(server: ModelServer): Promise<Schema> {
  const session: Pick<Session, 'rows'> = {
    rows: async <Row extends object>(query: unknown) => {
      const rows = catalogRows(server, String(query));
      if (rows === null) throw new Error(`not a query of the catalog: ${query}`);
      return rows as unknown as Row[];
    },
  };
  return readCatalog(session as Session);
}

describe('the catalog of a database at each revision', () => {
  for (const [i, { id, model, statements }] of lineage.entries()) {
    test(`${id}: has nothing but what the revision declares, and takes it from there to the next`, async () => {
      const server = ModelServer.from(model);
      const before = await liveSchema(server);
      // Compiled from what the catalog says, names of the server included, as a live upgrade is.
      const operations = i === 0 ? initial : (revisions[i - 1]?.operations ?? []);
      let schema = before;
      for (const operation of operations) {
        const compiled = dialect.compile(operation, schema);
        for (const { sql } of compiled.statements) server.run(sql);
        schema = compiled.after;
      }
      const live = await liveSchema(server);
      expect(differences(schemaAt(id, dialect.traits), live, dialect)).toEqual([]);
      const foretold = ModelServer.from(model);
      for (const sql of statements) foretold.run(sql);
      expect(server.snapshot()).toEqual(foretold.snapshot());
    });
  }

  test('a live plan drops what the server named by its name, and looks up nothing but defaults', async () => {
    const at = lineage.findIndex(({ id }) => id === '1b5f0d9ad7c1');
    const schema = await liveSchema(ModelServer.from(lineage[at]?.model ?? new Map()));
    const operations = revisions[at - 1]?.operations ?? [];
    const sql = operations.flatMap((operation) =>
      dialect.compile(operation, schema).statements.map((each) => each.sql),
    );
    expect(sql).toContain('ALTER TABLE [model_versions] DROP CONSTRAINT [FK__model_versions__name]');
    expect(sql).toContain('ALTER TABLE [registered_models] DROP CONSTRAINT [UQ__registered_models__name]');
    expect(sql.filter((each) => each.includes('sys.'))).toEqual([]);
  });
});

describe('spelling', () => {
  const server = ModelServer.from(lineage.at(-1)?.model ?? new Map());

  test('of types, defaults, numbering and computed columns, as the declaration has it', async () => {
    const live = await liveSchema(server);
    const spell = (table: string, column: string) => {
      const found = columnOf(
        live.tables.get(table) ?? {
          name: '',
          columns: [],
          primaryKey: null,
          uniques: [],
          foreignKeys: [],
          checks: [],
          indexes: [],
        },
        column,
      );
      return found && spellColumn(found, COLLATION);
    };
    expect(spell('experiments', 'experiment_id')).toBe('experiment_id int NOT NULL IDENTITY');
    expect(spell('metrics', 'value')).toBe('value float NOT NULL');
    expect(spell('metrics', 'is_nan')).toBe("is_nan bit NOT NULL DEFAULT '0'");
    expect(spell('label_schemas', 'is_default')).toBe('is_default bit NOT NULL DEFAULT 0');
    expect(spell('secrets', 'encrypted_value')).toBe('encrypted_value varbinary(max) NOT NULL');
    expect(spell('experiment_tags', 'value')).toBe('value nvarchar(max) NULL');
    expect(spell('spans', 'duration_ns')).toBe('duration_ns AS end_time_unix_nano-start_time_unix_nano PERSISTED');
    expect(spell('skill_tags', 'key')).toBe(`key varchar(250) COLLATE ${EXACT} NOT NULL`);
  });

  test('of a collation other than the database’s, which is drift', async () => {
    const odd = mssqlDialect('Latin1_General_100_CI_AS_SC_UTF8');
    const found = differences(
      schemaAt('base', odd.traits),
      await liveSchema(ModelServer.from(lineage[1]?.model ?? new Map())),
      odd,
    );
    expect(found.map(({ found: is }) => is)).toContain(`name varchar(256) COLLATE ${COLLATION} NOT NULL`);
  });

  test('in a database whose own collation tells case: nothing is there to change, and nothing differs', async () => {
    const exact = mssqlDialect(EXACT);
    const column = {
      name: 'version',
      type: { kind: 'varchar', length: 128, caseSensitive: true },
      nullable: false,
    } as const;
    const native = {
      name: 'version',
      type: { kind: 'native', sql: `varchar(128) COLLATE ${EXACT}` },
      nullable: false,
    } as const;
    expect(exact.spell(column)).toBe(exact.spell(native));
    expect(exact.spell(native)).toBe('version varchar(128) NOT NULL');
  });
});

describe('checks, as the server rewrites them', () => {
  test.each([
    [
      "([lifecycle_stage]='deleted' OR [lifecycle_stage]='active')",
      { column: 'lifecycle_stage', in: ['active', 'deleted'] },
    ],
    ['([is_nan]=(1) OR [is_nan]=(0))', { column: 'is_nan', in: [0, 1] }],
    ["([x]='it''s' OR [x]=N'[y]=''z'' OR [x]')", { column: 'x', in: ["[y]='z' OR [x]", "it's"] }],
    ["([a]='1' OR [b]='2')", { sql: "([a]='1' OR [b]='2')" }],
    ['([a]>(0))', { sql: '([a]>(0))' }],
  ])('%s', (definition, expression) => {
    expect(checkOf(definition)).toEqual(expression);
  });
});
