/**
 * Keys, references and checks that are called otherwise than MLflow calls them: by a tool that made the schema anew, or by
 * the database itself. An upgrade goes by what they do, and ends at the head as ever.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Table } from '../../src/schema/model.js';
import { mtrack } from '../support/cli.js';
import { opened, SERVERS, type Server, type TestDatabase } from '../support/databases.js';
import { upgradeArgs } from '../support/kill.js';
import { oldest } from '../support/old-databases.js';
import { differences, query, run as runStatements, type State, stateOf } from '../support/state.js';
import { forEachDialect } from '../support/suites.js';
import { undisturbed } from '../support/undisturbed.js';

type Renaming = 'named otherwise' | 'named by the database';

/** Calls every constraint of a database otherwise; how many there were. */
const RENAME: Readonly<Record<Server['dialect'], (database: TestDatabase, how: Renaming) => Promise<number>>> = {
  /** The text of the tables is changed in place: nothing else can rename a constraint. */
  sqlite: async (database, how) => {
    const tables = await query<{ name: string; sql: string }>(
      database,
      "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND sql LIKE '%CONSTRAINT%'",
    );
    let n = 0;
    const renamed = tables.map(({ name, sql }) => {
      const text = sql.replaceAll(/CONSTRAINT "?\w+"? /g, () => {
        n++;
        return how === 'named otherwise' ? `CONSTRAINT other_${n} ` : '';
      });
      return `UPDATE sqlite_master SET sql = '${text.replaceAll("'", "''")}' WHERE type = 'table' AND name = '${name}';`;
    });
    await SERVERS.sqlite.runScript(
      database,
      ['.dbconfig defensive off', 'PRAGMA writable_schema = ON;', ...renamed, 'PRAGMA writable_schema = RESET;'].join(
        '\n',
      ),
    );
    return n;
  },
  postgresql: async (database, how) => {
    // As the server calls them where no name is given: https://www.postgresql.org/docs/current/sql-createtable.html
    const own = `(c.relname || CASE k.contype WHEN 'p' THEN '_pkey' WHEN 'c' THEN '_check' || k.oid WHEN 'u' THEN '_key' || k.oid ELSE '_fkey' || k.oid END)`;
    const rows = await query<{ statement: string }>(
      database,
      `SELECT format('ALTER TABLE %I RENAME CONSTRAINT %I TO %I', c.relname, k.conname, ${how === 'named otherwise' ? "'other_' || k.oid" : own}) AS statement
       FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
       WHERE c.relnamespace = 'public'::regnamespace AND c.relname <> 'alembic_version' AND k.conname <> ${own}`,
    );
    await runStatements(database, ...rows.map(({ statement }) => statement));
    return rows.length;
  },
  /** A primary key has no name here; the others are made anew. */
  mysql: async (database, how) => {
    const { dialect, reader } = await opened(database);
    const session = await reader(10_000);
    const { tables } = await dialect.readCatalog(session).finally(() => session.close());
    const checks = await query<{ table_name: string; name: string; clause: string }>(
      database,
      `SELECT TABLE_NAME AS table_name, CONSTRAINT_NAME AS name, CHECK_CLAUSE AS clause FROM information_schema.CHECK_CONSTRAINTS
       WHERE CONSTRAINT_SCHEMA = DATABASE() AND CHECK_CLAUSE NOT LIKE 'json_valid%'`,
    );
    let n = 0;
    const name = () => {
      n++;
      return how === 'named otherwise' ? `CONSTRAINT other_${n}` : '';
    };
    const list = (columns: readonly string[]) => columns.map((column) => `\`${column}\``).join(', ');
    const referencing = [...tables.values()].flatMap((table: Table) =>
      table.foreignKeys.map((key) => ({ ...key, of: table.name })),
    );
    await runStatements(
      database,
      ...referencing.map((key) => `ALTER TABLE \`${key.of}\` DROP FOREIGN KEY \`${key.name}\``),
      ...referencing.map(
        (key) =>
          `ALTER TABLE \`${key.of}\` ADD ${name()} FOREIGN KEY (${list(key.columns)}) REFERENCES \`${key.table}\` (${list(key.references)}) ON DELETE ${key.onDelete} ON UPDATE ${key.onUpdate}`,
      ),
      ...checks.map((check) => `ALTER TABLE \`${check.table_name}\` DROP CONSTRAINT \`${check.name}\``),
      ...checks.map((check) => `ALTER TABLE \`${check.table_name}\` ADD ${name()} CHECK (${check.clause})`),
      ...[...tables.values()].flatMap((table) =>
        table.uniques.map((key) => `ALTER TABLE \`${table.name}\` RENAME INDEX \`${key.name}\` TO \`other_${++n}\``),
      ),
    );
    return n;
  },
};

/** Everything but what constraints are called, and the indexes that MariaDB makes for a reference by its name. */
function withoutNames({ version, schema, rows }: State, references: boolean): State {
  const bare = <T extends { name: string | null }>(list: readonly T[]) =>
    list.map((each) => ({ ...each, name: null })).sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  const tables = Object.entries(schema.tables).map(([name, table]) => {
    const isOfReference = (columns: readonly string[]) =>
      references &&
      table.foreign_keys.some((key) => key.columns.every((column, i) => columns[i]?.startsWith(`${column} `)));
    return [
      name,
      {
        ...table,
        primary_key: table.primary_key && { ...table.primary_key, name: null },
        unique: bare(table.unique),
        foreign_keys: bare(table.foreign_keys),
        checks: bare(table.checks),
        indexes: table.indexes.filter(({ columns }) => !isOfReference(columns)),
      },
    ];
  });
  return { version, rows, schema: { ...schema, tables: Object.fromEntries(tables) } };
}

await forEachDialect('constraints called otherwise', (server) => {
  const made: TestDatabase[] = [];
  afterAll(async () => {
    for (const database of made) await database.drop();
  });

  describe.each([
    { from: 'MLflow 0.9', make: () => oldest(server), hows: ['named otherwise', 'named by the database'], least: 7 },
    { from: 'MLflow 3.0.1', make: () => server.load('3.0.1'), hows: ['named otherwise'], least: 30 },
  ] as const)('from $from to the head', ({ make, hows, least }) => {
    let source: TestDatabase;
    let expected: State;
    beforeAll(async () => {
      source = await make();
      made.push(source);
      expected = (await undisturbed(server, source)).end;
    });

    test.each(hows)('%s', async (how) => {
      const renamed = await server.copy(source);
      made.push(renamed);
      expect(await RENAME[server.dialect](renamed, how)).toBeGreaterThanOrEqual(least);
      const { code, stderr } = await mtrack(upgradeArgs(renamed.uri));
      expect({ code, stderr }).toMatchObject({ code: 0 });
      expect(await mtrack(['db', 'status', renamed.uri])).toMatchObject({ code: 0 });

      const ofReferences = server.dialect === 'mysql';
      const found = await stateOf(renamed);
      expect(differences(withoutNames(expected, ofReferences), withoutNames(found, ofReferences))).toEqual([]);
    });
  });
});
