/**
 * `mlflow db upgrade` and `mtrack db upgrade` of one database at the same time. MLflow takes no lock that mtrack could see,
 * and mtrack's keeps out nobody who does not ask for it. What is promised: no row is lost, the version never goes back,
 * whoever fails says so, and one more run ends where a lone run ends.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { positionOf, revisions } from '../../src/schema/lineage.js';
import { finished, mtrack, type Result, start, upgrade, upgradeArgs } from '../support/cli.js';
import { type TestDatabase, withDatabase } from '../support/databases.js';
import { EVERYTHING, HOURS } from '../support/extent.js';
import { broken, random, slowly, until } from '../support/kill.js';
import { ORACLE, ORACLE_HEAD } from '../support/mlflow.js';
import { Oracle } from '../support/oracle.js';
import { differences, query, type State, stateOf } from '../support/state.js';
import { forEachDialect } from '../support/suites.js';
import { inTemporaryFolder } from '../support/temporary.js';
import { stackIn } from '../support/undisturbed.js';

const missing = inject('oracleMissing');
const TARGET = `mlflow==${ORACLE}`;
/** Where MLflow 2.9.2 left it, and some revisions on. */
const START = 'acf3f17fdcc7';
const LATER = '5b0e9adcef9c';

const SEED = Number(process.env.SEED ?? 1);
const SEEDS = Array.from({ length: EVERYTHING ? 40 : 2 }, (_, i) => SEED + i);

/** How an upgrade may end that another one got in the way of: done, or refused with a word of its own. */
const HONEST = [0, 6, 11, 13, 15, 17, 19, 20];

await forEachDialect('beside MLflow', (server) => {
  describe.skipIf(missing !== null)(missing === null ? 'real MLflow' : `NOT RUN, ${missing}`, () => {
    let oracle: Oracle;
    let from: TestDatabase;
    let alone: State;
    beforeAll(async () => {
      oracle = new Oracle();
      from = await server.load('2.9.2');
      alone = await withDatabase(
        () => server.copy(from),
        async (copy) => {
          await upgrade(copy.uri, TARGET);
          return stateOf(copy);
        },
      );
    });
    afterAll(async () => {
      await oracle?.[Symbol.asyncDispose]();
      await from?.drop();
    });

    const versionOf = async (database: TestDatabase) =>
      (await query<{ version_num: string }>(database, 'SELECT version_num FROM alembic_version'))[0]?.version_num ?? '';

    test.each(SEEDS)('one more run ends as a lone run (seed %i)', { timeout: HOURS }, async (seed) => {
      const next = random(seed);
      const among = <T>(first: T, ...others: T[]): T => others[Math.floor(next() * (others.length + 1)) - 1] ?? first;
      const [theirPace, ourPace, stride] = [among(5, 20, 60), among(2, 10, 30, 80), among(1, 3, 8, 50)];
      await withDatabase(
        () => server.copy(from),
        async (database) => {
          let over = false;
          const theirs = sleep(among(0, 500, 1000, 1500, 2000))
            .then(() => oracle.upgradeSlowly(database.uri, seed, theirPace))
            .finally(() => {
              over = true;
            });
          const last = positionOf(ORACLE_HEAD) - 1;
          const ours: Result[] = [];
          for (let at = positionOf(START) + Math.floor(next() * 10); !over; at += stride) {
            const target = revisions[Math.min(at, last)]?.id;
            ours.push(await mtrack(upgradeArgs(database.uri, target, '--lock-timeout', '5s'), slowly('', ourPace, 0)));
          }
          const said = `seed ${seed}, ${JSON.stringify(await theirs)}\nours: ${JSON.stringify(ours)}`;
          for (const { code, stderr } of ours) {
            expect(HONEST, said).toContain(code);
            expect(stackIn(stderr), said).toEqual([]);
          }
          const status = await mtrack(['db', 'status', database.uri]);
          const { code, stderr } = await mtrack(upgradeArgs(database.uri, TARGET));
          expect(code, `${stderr}\nit was: ${status.stdout}\n${said}`).toBe(0);
          expect(differences(alone, await stateOf(database)), said).toEqual([]);
        },
      );
    });

    // On SQLite mtrack has the whole file by then.
    test.skipIf(server.dialect === 'sqlite')(
      'MLflow goes on after mtrack has read the version: it is not taken back',
      async () => {
        await inTemporaryFolder((folder) =>
          withDatabase(
            () => server.copy(from),
            async (database) => {
              const [locked, read] = [join(folder, 'locked'), join(folder, 'read')];
              const faults = [
                { like: 'GET_LOCK|pg_try_advisory_lock', side: 'after', does: 'hold', mark: locked },
                { like: 'FROM .?alembic_version', side: 'after', does: 'hold', mark: read },
              ] as const;
              const running = finished(start(upgradeArgs(database.uri), broken(faults)));
              await until('mtrack has the lock', () => existsSync(locked));
              writeFileSync(`${locked}.go`, '');
              await until('mtrack has read the version', () => existsSync(read));
              expect((await oracle.upgradeKilled(database.uri, LATER, null)).ended).toBe('done');
              writeFileSync(`${read}.go`, '');
              const { code, stderr } = await running;
              expect(code, stderr).toBe(20);
              expect(stderr).toMatch(/^Error PLAN_CHANGED: /m);
              expect(await versionOf(database)).toBe(LATER);
              await upgrade(database.uri, TARGET);
              expect(differences(alone, await stateOf(database))).toEqual([]);
            },
          ),
        );
      },
    );
  });
});
