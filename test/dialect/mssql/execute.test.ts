/** Whole upgrades by the real executor and the real driver against a server of the protocol with a model of a schema. */
import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import type { Database, FaultKind } from '../../../src/dialect/dialect.js';
import { QUERIES as OF_CATALOG } from '../../../src/dialect/mssql/catalog.js';
import { QUERIES as OF_DATABASE } from '../../../src/dialect/mssql/index.js';
import { QUERIES as OF_LOCK } from '../../../src/dialect/mssql/lock.js';
import { MtrackError } from '../../../src/errors.js';
import { HEAD, revisions } from '../../../src/schema/lineage.js';
import { assess } from '../../../src/upgrade/assess.js';
import { execute } from '../../../src/upgrade/execute.js';
import type { Progress } from '../../../src/upgrade/progress.js';
import { lineage } from '../../support/mssql/lineage.js';
import { ModelServer, type ModelTable } from '../../support/mssql/model.js';
import { open } from '../../support/mssql/open.js';
import { type FakeOptions, FakeServer } from '../../support/mssql/server.js';
import type { Answer, TdsRequest, TdsServer } from '../../support/mssql/tds.js';

const PASSWORD = 'geheim-7';
const FROM = '7f2a7d5fae7d';
const WIDENED = '2d6e25af4d3e';
const TO = 'acf3f17fdcc7';
const WIDEN = 'ALTER TABLE [params] ALTER COLUMN [value] varchar(8000) NOT NULL';
const ADD = 'ALTER TABLE [model_versions] ADD\n  [storage_location] varchar(500) NULL';

/** A database at a revision, versioned. */
function at(revision: string): { model: Map<string, ModelTable>; version: string } {
  const index = lineage.findIndex(({ id }) => id === revision);
  const server = ModelServer.from(lineage[index + 1]?.model ?? new Map());
  server.run(
    'CREATE TABLE [alembic_version] ([version_num] varchar(32) NOT NULL, CONSTRAINT [alembic_version_pkc] PRIMARY KEY ([version_num]))',
  );
  return { model: server.snapshot(), version: revision };
}

interface Course {
  readonly tds: TdsServer;
  readonly server: FakeServer;
  readonly progress: Progress[];
  readonly applied: readonly string[];
  readonly error: unknown;
}

async function upgrade(
  options: Omit<FakeOptions, 'model' | 'version'> & {
    to?: string;
    patience?: number;
    lockTimeout?: number;
    onProgress?: (progress: Progress, server: FakeServer) => void;
  } = {},
  start: { model: Map<string, ModelTable>; version: string | null } = at(FROM),
): Promise<Course> {
  return FakeServer.with({ ...options, ...start }, async (tds, server) => {
    const database = await open(tds.uri());
    const plan = await planned(database, options.to ?? TO);
    const progress: Progress[] = [];
    let applied: readonly string[] = [];
    let error: unknown;
    try {
      const outcome = await execute(database, plan, {
        lockTimeout: options.lockTimeout ?? 5000,
        patience: options.patience ?? 2000,
        signal: new AbortController().signal,
        onProgress: (each) => {
          progress.push(each);
          options.onProgress?.(each, server);
        },
      });
      applied = outcome.applied;
    } catch (thrown) {
      error = thrown;
    }
    return { tds, server, progress, applied, error };
  });
}

async function planned(database: Database, to: string) {
  const reader = await database.reader(1000);
  try {
    const assessment = await assess(database, to, reader);
    if (!assessment) throw new Error('there is nothing to do');
    return assessment.plan;
  } finally {
    await reader.close();
  }
}

/** What the workers sent, without reads of the catalog and what the driver sends by itself. */
function course(tds: TdsServer): string[] {
  const workers = tds.requests.flatMap((request) =>
    request.kind === 'login' && request.app === 'mtrack' ? [request.connection] : [],
  );
  const silent: readonly string[] = [...Object.values(OF_CATALOG), 'select 1'];
  const words: Readonly<Record<string, string>> = {
    [OF_LOCK.take]: '<lock>',
    [OF_LOCK.holds]: '<holds the lock?>',
    [OF_LOCK.release]: '<unlock>',
    [OF_LOCK.holders]: '<who holds the lock?>',
    [OF_DATABASE.versionTable]: '<is there a version?>',
    [OF_DATABASE.versions]: '<version?>',
  };
  return tds.requests.flatMap((request): string[] => {
    if (!workers.includes(request.connection)) return [];
    if (!('sql' in request)) return request.kind === 'closed' ? [] : [`<${request.kind}>`];
    if (silent.includes(request.sql) || /^set ansi_nulls|^SELECT COUNT/.test(request.sql)) return [];
    const values =
      'parameters' in request && request.parameters.length > 0
        ? ` with ${request.parameters.map(({ value }) => value).join(', ')}`
        : '';
    return [(words[request.sql] ?? request.sql) + values];
  });
}

/** An answer given once, to the first request that is this statement. */
function once(statement: string | ((request: TdsRequest) => boolean), answer: Answer) {
  let given = false;
  return (request: TdsRequest): Answer | null => {
    const matches =
      typeof statement === 'function' ? statement(request) : 'sql' in request && request.sql === statement;
    if (given || !matches) return null;
    given = true;
    return answer;
  };
}

const STAMP = 'UPDATE [alembic_version] SET [version_num] = @1 WHERE [version_num] = @2';

/** One revision as it is done undisturbed. */
const revision = (statement: string, to: string, from: string) => [
  '<begin>',
  '<holds the lock?>',
  '<is there a version?>',
  '<version?>',
  statement,
  `${STAMP} with ${to}, ${from}`,
  '<commit>',
];

const SETTINGS = [
  'SET QUOTED_IDENTIFIER, ANSI_NULLS, ANSI_PADDING, ANSI_WARNINGS, ARITHABORT, CONCAT_NULL_YIELDS_NULL ON;\nSET NUMERIC_ROUNDABORT, IMPLICIT_TRANSACTIONS, NOCOUNT OFF',
  'SET XACT_ABORT ON;\nSET LOCK_TIMEOUT 3000',
];
const WHERE = ['<is there a version?>', '<version?>'];

describe('an upgrade', () => {
  test('locks, then does each revision with its version in a transaction of its own, then unlocks', async () => {
    const { tds, server, applied, error } = await upgrade();
    expect(error).toBeUndefined();
    expect(applied).toEqual([WIDENED, TO]);
    expect(server.version).toBe(TO);
    expect(course(tds)).toEqual([
      '<login>',
      ...SETTINGS,
      '<lock>',
      ...WHERE,
      ...revision(WIDEN, WIDENED, FROM),
      ...revision(ADD, TO, WIDENED),
      '<unlock>',
    ]);
  });

  test('from an empty database to the head makes the schema of the head, and leaves nothing locked or open', async () => {
    const { tds, server, applied, error } = await upgrade({ to: HEAD }, { model: new Map(), version: null });
    expect(error).toBeUndefined();
    expect(applied).toHaveLength(revisions.length + 1);
    expect(server.version).toBe(HEAD);
    expect(server.lockedBy).toBeNull();
    const of = (kind: string) => tds.requests.filter((request) => request.kind === kind).length;
    await expect.poll(() => of('closed')).toBe(of('login'));
    expect([...server.sessions.values()].every(({ before }) => before === null)).toBe(true);
    const begun = course(tds).filter((each) => each === '<begin>').length;
    expect(course(tds).filter((each) => each === '<commit>')).toHaveLength(begun);
  });

  test('sends no password but at the login', async () => {
    const { tds } = await upgrade();
    expect(
      JSON.stringify(
        tds.requests.filter(({ kind }) => kind !== 'login'),
        (_, value) => (typeof value === 'bigint' ? String(value) : value),
      ),
    ).not.toContain(PASSWORD);
  });
});

describe('the lock of the application', () => {
  const answering =
    (...results: number[]) =>
    (request: TdsRequest) => {
      if (!('sql' in request) || request.sql !== OF_LOCK.take) return null;
      const result = results.length > 1 ? results.shift() : results[0];
      return result === undefined || result >= 0 ? null : { rows: [{ result }] };
    };

  test.each([[-1], [-2], [-3]])('a return code of %i is none, and it is asked for again', async (code) => {
    const { tds, error, progress } = await upgrade({ instead: answering(code, 0) });
    expect(error).toBeUndefined();
    expect(course(tds).slice(3, 6)).toEqual(['<lock>', '<who holds the lock?>', '<lock>']);
    expect(progress.find(({ event }) => event === 'waiting')).toMatchObject({
      blockers: [
        { who: 'session 71 (mlflow Python from web-1)', sinceSeconds: 12, what: 'sleeping, last statement: SELECT 1' },
      ],
    });
  });

  test('a return code of 1 is one, got after a wait', async () => {
    const { error } = await upgrade({
      instead: (request, server) => {
        if (!('sql' in request) || request.sql !== OF_LOCK.take) return null;
        server.lockedBy = request.connection;
        return { rows: [{ result: 1 }] };
      },
    });
    expect(error).toBeUndefined();
  });

  test('held by another for too long: says by whom, and changes nothing', async () => {
    const { tds, server, error } = await upgrade({ instead: answering(-1), patience: 300 });
    expect(error).toMatchObject({ code: 'LOCKED' });
    expect((error as MtrackError).failure.found).toContain('session 71 (mlflow Python from web-1)');
    expect(server.version).toBe(FROM);
    expect(course(tds)).not.toContain('<begin>');
  });

  test('who may not see other sessions waits all the same', async () => {
    const denied = {
      errors: [
        {
          number: 300,
          message: "VIEW SERVER STATE permission was denied on object 'server', database 'master'.",
          class: 14,
        },
      ],
    };
    const locked = answering(-1);
    const { error } = await upgrade({
      patience: 300,
      instead: (request) => ('sql' in request && request.sql === OF_LOCK.holders ? denied : locked(request)),
    });
    expect((error as MtrackError).failure.found).toContain('only a user with VIEW SERVER STATE can see');
  });

  test('a return code of -999 is an error', async () => {
    const { error, tds } = await upgrade({ instead: answering(-999) });
    expect(error).toMatchObject({ code: 'STATEMENT_FAILED' });
    expect((error as Error).message).toContain('sp_getapplock returned -999');
    expect(course(tds)).not.toContain('<begin>');
  });

  test('gone in the middle: the upgrade stops before the next revision', async () => {
    const { error, server } = await upgrade({
      onProgress: ({ event }, fake) => {
        if (event === 'revision-done') fake.lockedBy = 99;
      },
    });
    expect(error).toMatchObject({ code: 'PLAN_CHANGED' });
    expect(server.version).toBe(WIDENED);
  });

  test('a version that another program has moved meanwhile stops the upgrade, too', async () => {
    const { error, server } = await upgrade({
      instead: (request, fake) => {
        if ('sql' in request && request.sql === WIDEN) fake.version = 'acf3f17fdcc7';
        return null;
      },
    });
    expect(error).toMatchObject({ code: 'PLAN_CHANGED' });
    // With the transaction went what was done in it.
    expect(server.model.table('params').columns.find(({ name }) => name === 'value')?.type).toBe('varchar(500)');
  });
});

describe('an error of the server', () => {
  const refusal = (number: number, message: string): Answer => ({ errors: [{ number, message }], rollsBack: true });

  test.each([
    [1222, 'Lock request time out period exceeded.'],
    [
      1205,
      'Transaction (Process ID 52) was deadlocked on lock resources with another process and has been chosen as the deadlock victim.',
    ],
  ])('%i: the revision is done again, whole, and who is in the way is named', async (number, message) => {
    const { tds, error, progress, applied } = await upgrade({ instead: once(ADD, refusal(number, message)) });
    expect(error).toBeUndefined();
    expect(applied).toEqual([WIDENED, TO]);
    expect(progress.find(({ event }) => event === 'waiting')).toMatchObject({
      blockers: [{ who: 'session 71 (mlflow Python from web-1)' }],
    });
    const after = course(tds);
    expect(after.slice(after.indexOf(ADD))).toEqual([ADD, ...WHERE, ...revision(ADD, TO, WIDENED), '<unlock>']);
  });

  test('1222 for longer than is to be waited: says how long, and by whom', async () => {
    const { error, server } = await upgrade({
      lockTimeout: 300,
      instead: (request) =>
        'sql' in request && request.sql === WIDEN ? refusal(1222, 'Lock request time out period exceeded.') : null,
    });
    expect(error).toMatchObject({ code: 'LOCKED' });
    expect((error as MtrackError).failure.found).toContain('session 71 (mlflow Python from web-1), for 12 s');
    expect(server.version).toBe(FROM);
  });

  const OTHERS: [number, string, FaultKind, string][] = [
    [9002, "The transaction log for database 'mlflow' is full due to 'LOG_BACKUP'.", 'disk-full', 'DISK_FULL'],
    [
      1105,
      "Could not allocate space for object 'dbo.metrics' because the 'PRIMARY' filegroup is full.",
      'disk-full',
      'DISK_FULL',
    ],
    [229, "The ALTER permission was denied on the object 'params'.", 'permission', 'STATEMENT_FAILED'],
    [262, "CREATE TABLE permission denied in database 'mlflow'.", 'permission', 'STATEMENT_FAILED'],
    [3906, 'Failed to update database "mlflow" because the database is read-only.', 'read-only', 'STATEMENT_FAILED'],
    [2714, "There is already an object named 'x' in the database.", 'other', 'STATEMENT_FAILED'],
  ];

  test.each(OTHERS)('%i: %s', async (number, message, kind, code) => {
    const { error, server, tds } = await upgrade({ instead: once(ADD, refusal(number, message)) });
    expect(error).toBeInstanceOf(MtrackError);
    expect(error).toMatchObject({ code });
    const { found, fix, cause } = (error as MtrackError).failure;
    expect(found).toContain(message);
    expect(fix?.at(-1)).toContain(`the database is at revision ${WIDENED}, whole`);
    const database = await FakeServer.with({}, async (other) => (await open(other.uri())).dialect);
    expect(database.faultOf(cause)).toBe(kind);
    expect(server.version).toBe(WIDENED);
    expect(server.lockedBy).toBeNull();
    expect(course(tds).at(-1)).toBe('<unlock>');
    expect(inspect(error, { depth: 12, showHidden: true })).not.toContain(PASSWORD);
  });
});

describe('a connection that is reset', () => {
  for (const breaks of ['at once', 'in the middle'] as const) {
    test(`${breaks} of a statement: connects again, sees where the database is, and does the rest`, async () => {
      const { tds, server, applied, error, progress } = await upgrade({ instead: once(ADD, { breaks }) });
      expect(error).toBeUndefined();
      expect(applied).toEqual([WIDENED, TO]);
      expect(server.version).toBe(TO);
      expect(progress.filter(({ event }) => event === 'reconnecting')).toHaveLength(1);
      const after = course(tds);
      expect(after.slice(after.indexOf(ADD))).toEqual([
        ADD,
        '<login>',
        ...SETTINGS,
        '<lock>',
        ...WHERE,
        ...revision(ADD, TO, WIDENED),
        '<unlock>',
      ]);
    });
  }

  test('at a commit that the server had done already: finds the revision done', async () => {
    let commits = 0;
    const { server, error, tds } = await upgrade({
      instead: (request, fake) => {
        if (request.kind !== 'commit' || ++commits !== 2) return null;
        const session = fake.sessions.get(request.connection);
        if (session) session.before = null;
        return { breaks: 'at once' };
      },
    });
    expect(error).toBeUndefined();
    expect(server.version).toBe(TO);
    expect(course(tds).filter((each) => each === ADD)).toHaveLength(1);
  });

  test('at a commit that never reached it: does the revision again', async () => {
    let commits = 0;
    const { server, error, tds } = await upgrade({
      instead: (request) => (request.kind === 'commit' && ++commits === 2 ? { breaks: 'at once' } : null),
    });
    expect(error).toBeUndefined();
    expect(server.version).toBe(TO);
    expect(course(tds).filter((each) => each === ADD)).toHaveLength(2);
  });
});
