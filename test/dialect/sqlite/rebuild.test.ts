/** SQLite's tables are written anew to be changed: whatever a user added to them, or hung on them, is there afterwards. */
import { expect, test } from 'vitest';
import { assess } from '../../../src/upgrade/assess.js';
import { execute } from '../../../src/upgrade/execute.js';
import { opened, SERVERS, type TestDatabase, withDatabase } from '../../support/databases.js';
import { insertRows } from '../../support/rows.js';
import { query, run, upgradeTo } from '../../support/state.js';

/** Before the revisions that write experiments, registered_models, jobs, trace_info and assessments anew. */
const BEFORE = 'c8d9e0f1a2b3';
const AFTER = '75868b020152';

const { empty } = SERVERS.sqlite;

interface Master {
  type: string;
  name: string;
  tbl_name: string;
  sql: string | null;
}

const master = (database: TestDatabase, where: string) =>
  query<Master>(database, `SELECT type, name, tbl_name, sql FROM sqlite_master WHERE ${where} ORDER BY type, name`);

async function atBefore(database: TestDatabase): Promise<void> {
  await upgradeTo(database, BEFORE);
  await insertRows(database, {
    experiments: [1, 2, 7].map((id) => ({ experiment_id: id, name: `e${id}`, lifecycle_stage: 'active' })),
    registered_models: ['m', 'n'].map((name) => ({ name, creation_time: 1 })),
    model_versions: ['m', 'n'].flatMap((name) => [1, 2].map((version) => ({ name, version, creation_time: 1 }))),
    model_version_tags: [{ name: 'm', version: 2, key: 'k', value: 'v' }],
    registered_model_tags: [{ name: 'n', key: 'k', value: 'v' }],
    registered_model_aliases: [{ name: 'm', alias: 'a', version: 1 }],
    trace_info: ['t1', 't2'].map((request_id) => ({ request_id, experiment_id: 1, timestamp_ms: 1, status: 'OK' })),
    spans: ['t1', 't2'].map((trace_id) => ({
      trace_id,
      experiment_id: 1,
      span_id: 's',
      status: 'OK',
      start_time_unix_nano: 5,
      end_time_unix_nano: 12,
      content: '{}',
    })),
    assessments: [
      {
        assessment_id: 'a',
        trace_id: 't1',
        name: 'n',
        assessment_type: 'feedback',
        value: '1',
        created_timestamp: 1,
        last_updated_timestamp: 1,
        source_type: 'HUMAN',
        valid: true,
      },
    ],
  });
}

/** Writes a table anew with another text, as a user who altered it long ago would have it. */
async function retell(database: TestDatabase, table: string, edit: (sql: string) => string): Promise<void> {
  const [found] = await master(database, `name = '${table}'`);
  const indexes = await master(database, `type = 'index' AND sql IS NOT NULL AND tbl_name = '${table}'`);
  const was = found?.sql ?? '';
  const text = edit(was);
  expect(text).not.toBe(was);
  await run(database, 'PRAGMA foreign_keys = OFF', `DROP TABLE ${table}`, text, ...indexes.map(({ sql }) => sql ?? ''));
}

const last = (sql: string, addition: string) => sql.replace(/\s*\)\s*$/, `${addition}\n)`);

test('children keep their rows, whatever would be done to them if their parent went', async () => {
  await withDatabase(empty, async (database) => {
    await atBefore(database);
    await run(
      database,
      'CREATE TABLE notes (id INTEGER PRIMARY KEY, e INTEGER REFERENCES experiments (experiment_id) ON DELETE CASCADE, t TEXT NOT NULL REFERENCES trace_info (request_id) ON DELETE CASCADE ON UPDATE CASCADE)',
      "INSERT INTO notes VALUES (1, 1, 't1'), (2, 7, 't2')",
    );
    const tables = [
      'notes',
      'spans',
      'model_versions',
      'model_version_tags',
      'registered_model_tags',
      'registered_model_aliases',
      'assessments',
    ];
    const count = async () =>
      Promise.all(tables.map(async (table) => (await query(database, `SELECT * FROM ${table}`)).length));
    const before = await count();
    expect(Math.min(...before)).toBeGreaterThan(0);
    await upgradeTo(database, AFTER);
    expect(await count()).toEqual(before);
    expect(await query(database, 'SELECT * FROM notes')).toEqual([
      { id: 1, e: 1, t: 't1' },
      { id: 2, e: 7, t: 't2' },
    ]);
    // The references are still to the tables, and are followed again.
    await run(database, "DELETE FROM trace_info WHERE request_id = 't2'");
    expect(await query(database, 'SELECT id FROM notes')).toEqual([{ id: 1 }]);
  });
});

test('indexes of every kind, triggers and views are there to the letter, and work', async () => {
  await withDatabase(empty, async (database) => {
    await atBefore(database);
    await run(
      database,
      'CREATE UNIQUE INDEX u_one ON experiments (name COLLATE NOCASE DESC, experiment_id)',
      "CREATE INDEX u_partial ON experiments (creation_time) WHERE lifecycle_stage = 'active' AND name <> 'a, b'",
      'CREATE INDEX "u odd \'name\'" ON experiments (lower(name), length(name) + 1 DESC) -- (where',
      'CREATE INDEX [u expression] ON "experiments" (coalesce(artifact_location, \'(\'), /* no WHERE */ lifecycle_stage)',
      'CREATE TABLE log (what TEXT)',
      "CREATE TRIGGER on_experiment AFTER UPDATE OF name ON experiments WHEN new.name <> old.name BEGIN INSERT INTO log VALUES (old.name || ' to ' || new.name); END",
      'CREATE TRIGGER "on a log; END" AFTER INSERT ON log BEGIN UPDATE registered_models SET description = (SELECT count(*) FROM experiments) WHERE name = \'m\'; END',
      'CREATE VIEW active AS SELECT e.experiment_id AS id, m.name FROM experiments e JOIN registered_models m',
      'CREATE VIEW on_view AS SELECT * FROM active',
      'CREATE TRIGGER instead INSTEAD OF DELETE ON active BEGIN DELETE FROM experiments WHERE experiment_id = old.id; END',
    );
    const own = "name LIKE 'u %' OR name LIKE 'u\\_%' ESCAPE '\\' OR type IN ('trigger', 'view')";
    const before = await master(database, own);
    expect(before.length).toBe(10);
    await upgradeTo(database, AFTER);
    expect(await master(database, own)).toEqual(before);

    await run(database, "UPDATE experiments SET name = 'new' WHERE experiment_id = 7");
    expect(await query(database, 'SELECT what FROM log')).toEqual([{ what: 'e7 to new' }]);
    expect(await query(database, "SELECT description FROM registered_models WHERE name = 'm'")).toEqual([
      { description: '3' },
    ]);
    await run(database, 'DELETE FROM active WHERE id = 2');
    expect(await query(database, 'SELECT DISTINCT id FROM on_view')).toEqual([{ id: 1 }, { id: 7 }]);
    await expect(
      run(
        database,
        "INSERT INTO experiments (experiment_id, name, lifecycle_stage, workspace) VALUES (1, 'x', 'active', 'w')",
      ),
    ).rejects.toThrow('UNIQUE');
  });
});

test("a user's columns, checks, comments and odd names stay, generated columns included", async () => {
  await withDatabase(empty, async (database) => {
    await upgradeTo(database, BEFORE);
    const additions = [
      "note TEXT COLLATE NOCASE DEFAULT ('a, b' || ')') CHECK (note <> 'CHECK (') -- a comment, with a comma and )",
      '"odd ""name"", (x)" INTEGER DEFAULT -1',
      "[select] VARCHAR(10) NOT NULL ON CONFLICT REPLACE DEFAULT 'it''s'",
      "`key` BLOB DEFAULT x'00ff' /* another, comment */",
      'upper_name TEXT GENERATED ALWAYS AS (upper(name)) STORED',
      "shown AS (name || '!') VIRTUAL",
      'CONSTRAINT "my check" CHECK (length(name) < 1000 OR (note IS NULL))',
    ];
    await retell(database, 'experiments', (sql) => {
      // Columns come before constraints.
      const at = sql.search(/CONSTRAINT/);
      const [columns, constraints] = [additions.slice(0, 6), additions.slice(6)];
      return last(
        `${sql.slice(0, at)}${columns.map((each) => (each.includes('--') ? each.replace(' --', ', --') : `${each},`)).join('\n')}\n${sql.slice(at)}`,
        `,\n${constraints.join(', ')}`,
      );
    });
    const columns = '"experiment_id", name, note, "odd ""name"", (x)", [select], [key], upper_name, shown';
    await run(
      database,
      `INSERT INTO experiments (experiment_id, name, lifecycle_stage, note, "odd ""name"", (x)", [select], "key") VALUES (1, 'one', 'active', 'N', 5, 's', x'0001'), (9, 'nine', 'active', NULL, NULL, 't', NULL)`,
    );
    const rows = await query(database, `SELECT ${columns} FROM experiments ORDER BY 1`);
    const info = () =>
      query<{ name: string }>(
        database,
        'SELECT name, type, "notnull", dflt_value, pk, hidden FROM pragma_table_xinfo(\'experiments\')',
      );
    const before = await info();
    await upgradeTo(database, AFTER);
    expect(await query(database, `SELECT ${columns} FROM experiments ORDER BY 1`)).toEqual(rows);
    const after = await info();
    expect(after.filter(({ name }) => name !== 'workspace')).toEqual(before);
    const [{ sql } = { sql: null }] = await master(database, "name = 'experiments'");
    expect(sql).toContain('CONSTRAINT "my check" CHECK (length(name) < 1000 OR (note IS NULL))');
    await expect(run(database, "UPDATE experiments SET note = 'CHECK ('")).rejects.toThrow('CHECK');
    await run(database, "UPDATE experiments SET name = 'uno' WHERE note = 'n'");
    expect(await query(database, 'SELECT upper_name, shown FROM experiments WHERE experiment_id = 1')).toEqual([
      { upper_name: 'UNO', shown: 'uno!' },
    ]);
  });
});

test('rows keep their rowid, also where a column has its name', async () => {
  await withDatabase(empty, async (database) => {
    await atBefore(database);
    await run(
      database,
      "INSERT INTO registered_models (rowid, name) VALUES (-5, 'a'), (100, 'b'), (9007199254740991, 'c')",
      'ALTER TABLE trace_info ADD COLUMN rowid TEXT',
      "UPDATE trace_info SET rowid = 'mine' WHERE request_id = 't2'",
      "INSERT INTO trace_info (oid, request_id, experiment_id, timestamp_ms, status) VALUES (50, 't3', 1, 1, 'OK')",
    );
    const models = await query(database, 'SELECT rowid AS r, name FROM registered_models ORDER BY 1');
    const traces = await query(database, 'SELECT _rowid_ AS r, rowid AS own, request_id FROM trace_info ORDER BY 1');
    expect(traces).toHaveLength(3);
    await upgradeTo(database, AFTER);
    expect(await query(database, 'SELECT rowid AS r, name FROM registered_models ORDER BY 1')).toEqual(models);
    expect(await query(database, 'SELECT _rowid_ AS r, rowid AS own, request_id FROM trace_info ORDER BY 1')).toEqual(
      traces,
    );
  });
});

test('numbers that AUTOINCREMENT gave out are not given again', async () => {
  for (const left of [1, 0]) {
    await withDatabase(empty, async (database) => {
      await upgradeTo(database, BEFORE);
      await retell(database, 'experiments', (sql) =>
        sql
          .replace(/experiment_id INTEGER NOT NULL/, 'experiment_id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT')
          .replace(/,\s*CONSTRAINT experiment_pk PRIMARY KEY \(experiment_id\)/, ''),
      );
      await run(
        database,
        "INSERT INTO experiments (name, lifecycle_stage) VALUES ('a', 'active'), ('b', 'active'), ('c', 'active')",
        `DELETE FROM experiments WHERE experiment_id > ${left}`,
      );
      await upgradeTo(database, AFTER);
      await run(database, "INSERT INTO experiments (name, lifecycle_stage) VALUES ('d', 'active')");
      expect(await query(database, "SELECT experiment_id AS id FROM experiments WHERE name = 'd'")).toEqual([
        { id: 4 },
      ]);
      expect(await query(database, 'SELECT name FROM sqlite_sequence')).toEqual([{ name: 'experiments' }]);
    });
  }
});

test('a table WITHOUT ROWID stays one', async () => {
  await withDatabase(empty, async (database) => {
    await upgradeTo(database, BEFORE);
    await retell(database, 'registered_models', (sql) => `${sql} WITHOUT ROWID`);
    await run(database, "INSERT INTO registered_models (name, creation_time) VALUES ('b', 1), ('a', 2)");
    await upgradeTo(database, AFTER);
    expect(await query(database, 'SELECT name, creation_time, workspace FROM registered_models')).toEqual([
      { name: 'a', creation_time: 2, workspace: 'default' },
      { name: 'b', creation_time: 1, workspace: 'default' },
    ]);
    expect(await query(database, "SELECT wr FROM pragma_table_list('registered_models')")).toEqual([{ wr: 1 }]);
  });
});

test('tables that the upgrade has no business with are as they were: STRICT, virtual, and named alike', async () => {
  await withDatabase(empty, async (database) => {
    await atBefore(database);
    await run(
      database,
      'CREATE TABLE "experiments 2" (a INTEGER PRIMARY KEY, b TEXT) STRICT',
      'CREATE TABLE _mtrack_new_runs (a)',
      'CREATE TABLE _alembic_tmp_mine (a)',
      'CREATE VIRTUAL TABLE texts USING fts5 (body)',
      "INSERT INTO texts VALUES ('hello world')",
      'CREATE TABLE made AS SELECT name AS "a name", experiment_id + 1 FROM experiments',
    );
    const own = "name IN ('experiments 2', '_mtrack_new_runs', '_alembic_tmp_mine', 'made') OR name LIKE 'texts%'";
    const before = await master(database, own);
    await upgradeTo(database, AFTER);
    expect(await master(database, own)).toEqual(before);
    expect(await query(database, "SELECT body FROM texts WHERE texts MATCH 'world'")).toEqual([
      { body: 'hello world' },
    ]);
    expect(await query(database, 'SELECT count(*) AS n FROM made')).toEqual([{ n: 3 }]);
  });
});

test('references that were broken before are reported, and left as they were', async () => {
  await withDatabase(empty, async (database) => {
    await atBefore(database);
    await run(
      database,
      'PRAGMA foreign_keys = OFF',
      "INSERT INTO model_versions (name, version) VALUES ('gone', 1), ('gone', 2)",
    );
    const db = await opened(database);
    const reader = await db.reader(1000);
    const assessment = await assess(db, AFTER, reader).finally(() => reader.close());
    if (!assessment) throw new Error('nothing to do');
    const { verification } = await execute(db, assessment.plan, {
      lockTimeout: 1000,
      patience: 1000,
      signal: new AbortController().signal,
      onProgress: () => undefined,
    });
    expect(verification.brokenReferences).toEqual([
      '2 rows of model_versions refer to rows that registered_models does not have',
    ]);
    expect(await query(database, "SELECT count(*) AS n FROM model_versions WHERE name = 'gone'")).toEqual([{ n: 2 }]);
    expect((await query(database, 'PRAGMA foreign_key_check')).length).toBe(2);
  });
});

test('the session follows references again once its lock is given back', async () => {
  await withDatabase(empty, async (database) => {
    const { dialect, worker } = await opened(database);
    const session = await worker();
    try {
      const settings = async () => [
        await session.rows('PRAGMA foreign_keys'),
        await session.rows('PRAGMA legacy_alter_table'),
      ];
      const before = await settings();
      await dialect.lock(session, { patience: 0, onWait: () => undefined });
      expect(await settings()).not.toEqual(before);
      await session.rollback();
      await dialect.unlock(session);
      expect(await settings()).toEqual([[{ foreign_keys: 1 }], [{ legacy_alter_table: 0 }]]);
    } finally {
      await session.close();
    }
  });
});
