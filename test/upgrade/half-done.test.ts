/**
 * `mlflow db upgrade`, killed after each of its statements inside a revision: on MySQL and MariaDB each statement of DDL
 * stays, on SQLite those before the first row that is written, on PostgreSQL none. Plain MLflow then fails for ever on
 * many of these; mtrack says how far it came and finishes it.
 *
 * `npm run test:kill` takes every statement of every revision; a normal run those revisions that have most to lose.
 */
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { codeOfLocation } from '../../src/cli/render/location.js';
import { FAILURES } from '../../src/errors.js';
import { BASE, between, HEAD, positionOf, revisions } from '../../src/schema/lineage.js';
import { type Location, locate } from '../../src/upgrade/locate.js';
import { mtrack } from '../support/cli.js';
import { opened, type Server, type TestDatabase, withDatabase } from '../support/databases.js';
import { EVERYTHING, HOURS, sample } from '../support/extent.js';
import { inParallel, upgradeArgs } from '../support/kill.js';
import { ORACLE_HEAD } from '../support/mlflow.js';
import { LATE, late, oldest } from '../support/old-databases.js';
import { type Cut, Oracle } from '../support/oracle.js';
import { differences, type State, stateOf, upgradeTo } from '../support/state.js';
import { forEachDialect } from '../support/suites.js';

const missing = inject('oracleMissing');

/** The head of MLflow 2.9.2, of which there is a database in every checkout. */
const OF_2_9 = 'acf3f17fdcc7';
const everyRevision = between(BASE, ORACLE_HEAD).map(({ id }) => id);

interface Case {
  readonly revision: string;
  /** How many of its statements: all where it is not said. */
  readonly atMost?: number;
  /** Whether one of the cases goes on to the head, by the command, and is asked for its status on the way. */
  readonly onward?: boolean;
}

/** In a normal run. */
const SOME: Readonly<Record<Server['dialect'], readonly Case[]>> = {
  mysql: [
    { revision: '451aebb31d03', atMost: 2, onward: true },
    { revision: '181f10493468', atMost: 2 },
    { revision: '89d4b8295536', atMost: 3 },
    { revision: 'cfd24bdc0731', atMost: 2 },
    { revision: '2d6e25af4d3e', atMost: 2 },
    { revision: '1b5f0d9ad7c1', atMost: 2, onward: true },
    { revision: '75868b020152', atMost: 2 },
  ],
  sqlite: [
    { revision: '451aebb31d03', onward: true },
    { revision: '89d4b8295536' },
    { revision: 'cfd24bdc0731' },
    { revision: '2d6e25af4d3e' },
    { revision: '1b5f0d9ad7c1', atMost: 4 },
    { revision: '75868b020152', atMost: 3 },
  ],
  postgresql: [
    { revision: '451aebb31d03', atMost: 1 },
    { revision: '1b5f0d9ad7c1', atMost: 1, onward: true },
  ],
};

/** Revisions that MLflow was seen to fail in for ever: shared/fixtures/crash, second_run. */
const NEVER_FINISHED: Readonly<Record<Server['dialect'], readonly string[]>> = {
  mysql: ['451aebb31d03', '89d4b8295536', 'bd07f7e963c5', '1b5f0d9ad7c1', '75868b020152'],
  sqlite: ['451aebb31d03', '181f10493468'],
  postgresql: [],
};

function parentOf(revision: string): string {
  return revisions.find(({ id }) => id === revision)?.parent ?? BASE;
}

/** A populated database, just before a revision. */
async function before(server: Server, revision: string): Promise<TestDatabase> {
  const parent = parentOf(revision);
  const isBefore = (other: string) => positionOf(parent) < positionOf(other);
  const database = await (isBefore(OF_2_9) ? oldest(server) : isBefore(LATE) ? server.load('2.9.2') : late(server));
  await upgradeTo(database, parent);
  return database;
}

/** What an upgrade by mtrack ends with that nothing disturbed. */
async function undisturbed(server: Server, start: TestDatabase, target: string): Promise<State> {
  return withDatabase(
    () => server.copy(start),
    async (copy) => {
      await upgradeTo(copy, target);
      return stateOf(copy);
    },
  );
}

async function whereIs(database: TestDatabase): Promise<Location> {
  const { dialect, reader } = await opened(database);
  const session = await reader(10_000);
  return locate(session, dialect).finally(() => session.close());
}

/** Tables of MLflow, without the copies that Alembic was filling. */
const tablesOf = ({ schema, rows }: State, withRows: boolean): State => {
  const own = <T>(all: Readonly<Record<string, T>>) =>
    Object.fromEntries(
      Object.entries(all).filter(([name]) => !name.startsWith('_alembic_tmp_') && name !== 'alembic_version'),
    );
  return { version: null, schema: { ...schema, tables: own(schema.tables) }, rows: withRows ? own(rows) : {} };
};

/**
 * Where an end differs from that of an undisturbed upgrade. A row may also be as MLflow alone would have left it: those
 * that it had moved and committed stay so (docs/differences.md). Each has a key, so that with as many rows as there
 * should be, none is there twice and none is missing.
 */
function wrongEnd(found: State, ours: State, theirs: State): string[] {
  const rows = Object.entries(found.rows).map(([table, each]) => {
    const expected = ours.rows[table] ?? [];
    const either = new Set([...expected, ...(theirs.rows[table] ?? [])]);
    const right = each.length === expected.length && each.every((row) => either.has(row));
    return [table, right ? expected : each] as const;
  });
  return differences(ours, { ...found, rows: Object.fromEntries(rows) });
}

/** What `db status` says against what MLflow was seen to do. */
function wrongStatus(where: Location, start: State, cut: State, statements: Cut['statements'], revision: string) {
  const wrong: string[] = [];
  const changed = differences(tablesOf(start, false), tablesOf(cut, false)).length > 0;
  const code = codeOfLocation(where);
  if (code !== (changed ? 'PART_WAY' : 'UPGRADE_PENDING'))
    wrong.push(`the status is ${code}, and the schema ${changed ? 'has' : 'has not'} changed`);
  if (where.state !== 'at' || where.revision !== parentOf(revision)) {
    wrong.push(`the status is ${where.state}${where.state === 'at' ? ` ${where.revision}` : ''}`);
  } else if (where.partWay) {
    if (where.partWay.revision.id !== revision) wrong.push(`part-way into ${where.partWay.revision.id}`);
    for (const { title, progress } of where.partWay.steps) {
      const [, verb = '', table = ''] = /^(create|alter) (\w+)$/.exec(title) ?? [];
      const names = new RegExp(`\\b(_alembic_tmp_)?${table}\\b`);
      const touched = statements.some(({ sql }) => names.test(sql));
      if (verb && !touched && progress !== 'pending' && progress !== 'unknown')
        wrong.push(`"${title}" is ${progress}, and no statement had touched it`);
      if (verb === 'create' && progress === 'pending' && cut.schema.tables[table])
        wrong.push(`"${title}" is pending, and the table is there`);
    }
  }
  return wrong;
}

await forEachDialect('half-done by MLflow', (server) => {
  const chosen = EVERYTHING
    ? everyRevision.map((revision): Case => ({ revision, onward: true }))
    : SOME[server.dialect];

  describe.skipIf(missing !== null)(missing === null ? 'real MLflow' : `NOT RUN, ${missing}`, () => {
    let oracles: Oracle[] = [];
    beforeAll(() => {
      oracles = [new Oracle(), new Oracle()];
    });
    afterAll(async () => {
      for (const oracle of oracles) await oracle[Symbol.asyncDispose]();
    });

    test.each(chosen)('killed inside $revision', { timeout: HOURS }, async ({ revision, atMost, onward }) => {
      await withDatabase(
        () => before(server, revision),
        async (start) => {
          const [first, ...others] = oracles;
          if (!first) throw new Error('there is no oracle');
          const theirs = await withDatabase(
            () => server.copy(start),
            async (copy) => {
              const { statements } = await first.upgradeKilled(copy.uri, revision, null);
              const end = await stateOf(copy);
              if (onward) await upgradeTo(copy, HEAD);
              return { statements, end, head: onward ? await stateOf(copy) : end };
            },
          );
          const { statements } = theirs;
          const neverFinished = NEVER_FINISHED[server.dialect].includes(revision);
          const startState = await stateOf(start);
          const end = await undisturbed(server, start, revision);
          const head = onward ? await undisturbed(server, start, HEAD) : end;
          let stuck = 0;

          /** @returns what is wrong */
          const killedAfter = async (n: number, oracle: Oracle, toTheHead: boolean) => {
            const database = await server.copy(start);
            const wrong: string[] = [];
            try {
              const cut = await oracle.upgradeKilled(database.uri, revision, n);
              if (cut.ended !== 'killed') wrong.push(`MLflow was not killed: ${cut.ended} ${cut.said}`);
              if (neverFinished && (EVERYTHING || stuck === 0)) {
                const again = await withDatabase(
                  () => server.copy(database),
                  (copy) => oracle.upgradeKilled(copy.uri, revision, null),
                );
                if (again.ended === 'failed') stuck++;
              }
              const left = await stateOf(database);
              if (server.dialect === 'postgresql') wrong.push(...differences(startState, left));
              const where = await whereIs(database);
              wrong.push(...wrongStatus(where, startState, left, cut.statements, revision));
              if (toTheHead) {
                const code = codeOfLocation(where);
                const status = await mtrack(['db', 'status', database.uri]);
                if (status.code !== (code && FAILURES[code].exit))
                  wrong.push(`db status ended with ${status.code}: ${status.stdout}${status.stderr}`);
                if (code === 'PART_WAY' && !(/^part-way: /.test(status.stdout) && status.stdout.includes(revision)))
                  wrong.push(`db status says ${status.stdout}`);
                const finish = await mtrack(upgradeArgs(database.uri));
                if (finish.code !== 0) wrong.push(`db upgrade ended with ${finish.code}: ${finish.stderr}`);
              } else await upgradeTo(database, revision);
              const found = await stateOf(database);
              wrong.push(...(toTheHead ? wrongEnd(found, head, theirs.head) : wrongEnd(found, end, theirs.end)));
              return wrong;
            } catch (error) {
              return [...wrong, String(error)];
            } finally {
              await database.drop();
            }
          };

          const cases = sample(statements, atMost ?? statements.length);
          const far = onward ? cases[Math.floor(cases.length / 2)] : undefined;
          const queues = [first, ...others];
          const results = await inParallel(queues, queues.length, async (oracle) => {
            const found: string[] = [];
            for (const [i, each] of cases.entries()) {
              if (queues[i % queues.length] !== oracle) continue;
              const wrong = await killedAfter(each.n, oracle, each === far);
              const title = `after ${each.n} of ${statements.length}, ${each.sql.trim().replaceAll(/\s+/g, ' ').slice(0, 90)}`;
              found.push(...wrong.map((line) => `${title}\n  ${line}`));
            }
            return found;
          });
          expect(results.flat()).toEqual([]);
          if (neverFinished) expect(stuck).toBeGreaterThan(0);
        },
      );
    });
  });
});
