/** Databases that MLflow wrote, moved into databases of every kind: real MLflow reads there what it reads from the source. */
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { mtrack } from '../support/cli.js';
import { SERVERS, type Server, withDatabase } from '../support/databases.js';
import { EVERYTHING } from '../support/extent.js';
import { expectedAfterUpgrade, releases } from '../support/fixtures.js';
import { ORACLE, ORACLE_HEAD } from '../support/mlflow.js';
import { Oracle } from '../support/oracle.js';
import { query, run } from '../support/state.js';
import { forEachDialect } from '../support/suites.js';

const missing = inject('oracleMissing');

let oracle: Oracle;
beforeAll(async () => {
  if (missing !== null) return;
  oracle = new Oracle();
});
afterAll(async () => oracle?.[Symbol.asyncDispose]());

const DIALECTS = Object.values(SERVERS);

/** Every pair of databases; of the releases one for each pair, in turn. */
function sourcesFor(target: Server): [string, Server, string][] {
  return DIALECTS.flatMap((source) => {
    const all = releases(source.dialect);
    const turn = DIALECTS.indexOf(source) * DIALECTS.length + DIALECTS.indexOf(target);
    const chosen = EVERYTHING ? all : all.filter((_, at) => at === all.length - 1 - (turn % all.length));
    return chosen.map((release): [string, Server, string] => [
      `${source.dialect} of MLflow ${release}`,
      source,
      release,
    ]);
  });
}

await forEachDialect('from', (target) => {
  describe.skipIf(missing !== null)(missing === null ? 'real MLflow' : `NOT RUN, ${missing}`, () => {
    test.each(sourcesFor(target))('%s', async (_, source, release) => {
      await withDatabase(
        () => source.load(release),
        (from) =>
          withDatabase(
            () => target.empty(),
            async (to) => {
              const args = [
                'import',
                '--from',
                from.uri,
                '--to',
                to.uri,
                '--yes',
                '--json',
                '--revision',
                `mlflow==${ORACLE}`,
              ];
              const { code, stdout, stderr } = await mtrack(args);
              expect({ code, stderr, said: code === 0 ? '' : stdout }).toEqual({ code: 0, stderr: '', said: '' });

              const read = readable(await oracle.read(to.uri));
              expect(Object.keys(read.runs ?? {}).length).toBeGreaterThan(0);
              expect(read).toEqual(readable(expectedAfterUpgrade(source.dialect, release)));
              await makesExperiments(to.uri);

              expect(await query(to, 'SELECT version_num FROM alembic_version')).toEqual([
                { version_num: ORACLE_HEAD },
              ]);
              await run(to, "DELETE FROM experiments WHERE name = 'made afterwards'");
              const again = await mtrack(args);
              expect(again.code).toBe(0);
              const { tables } = JSON.parse(again.stdout) as { tables: { added: number; updated: number }[] };
              expect(tables.filter(({ added, updated }) => added + updated > 0)).toEqual([]);
            },
          ),
      );
    });
  });
});

/** The number that a database gives next is one that nobody has. */
async function makesExperiments(uri: string): Promise<void> {
  await oracle.makeExperiment(uri, 'made afterwards');
}

interface Store {
  runs?: Record<string, { artifacts?: unknown } | null>;
}

/** Without artifact listings, which depend on files that others may have moved. */
function readable(store: unknown): Store {
  const read = structuredClone(store) as Store;
  for (const each of Object.values(read.runs ?? {})) delete each?.artifacts;
  return read;
}
