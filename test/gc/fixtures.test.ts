/** What gc leaves of stores that MLflow wrote is what real MLflow read from them before, without what was in the trash. */
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { upgrade } from '../support/cli.js';
import { releases } from '../support/fixtures.js';
import {
  compared,
  type Expected,
  filesIn,
  type GcFixture,
  gcTwice,
  mentions,
  treeOf,
  withDatabaseFixture,
  withFileFixture,
  without,
} from '../support/gc.js';
import { ORACLE_HEAD } from '../support/mlflow.js';
import { Oracle } from '../support/oracle.js';
import { forEachDialect } from '../support/suites.js';
import { fingerprint } from '../support/untouched.js';

const missing = inject('oracleMissing');
const ALL = process.env.MTRACK_GC === 'all';
/** Of an upgrade on these, most of the time is spent with waiting for the disk: some, unless all are asked for. */
const SAMPLE: Readonly<Record<string, readonly string[]>> = {
  mysql: ['1.30.1', '3.17.2'],
  postgresql: ['2.9.2', '3.17.2'],
};

describe.skipIf(missing !== null)('gc against real MLflow', async () => {
  let oracle: Oracle;
  beforeAll(() => {
    oracle = new Oracle();
  });
  afterAll(() => oracle?.[Symbol.asyncDispose]());

  await forEachDialect('the fixtures', (server) => {
    for (const release of releases(server.dialect)) {
      const wanted = ALL || (SAMPLE[server.dialect] ?? [release]).includes(release);
      test.skipIf(!wanted)(`a database of ${release}, at its own revision`, () =>
        withDatabaseFixture(server, release, async (fixture) => {
          const { database } = fixture;
          if (database === null) throw new Error('no database');
          const removed = await collected(fixture, async () =>
            [await fingerprint(server, database), treeOf(fixture.folder)].join('\n'),
          );
          expect(await mentions(database, [...removed.runs, ...removed.models])).toEqual([]);
          const deleted = fixture.expected.experiments.filter(({ lifecycle_stage }) => lifecycle_stage === 'deleted');
          expect(removed.experiments).toEqual(deleted.map(({ experiment_id }) => experiment_id));
          await upgrade(fixture.uri, ORACLE_HEAD);
          const read = (await oracle.read(fixture.uri)) as unknown as Expected;
          expect(compared(read)).toEqual(compared(without(fixture.expected, removed)));
        }),
      );
    }
  });

  for (const release of releases('sqlite')) {
    test(`a file store of ${release}`, () =>
      withFileFixture(release, async (fixture) => {
        const trash = join(fixture.uri, '.trash');
        const deleted = existsSync(trash) ? readdirSync(trash) : [];
        const removed = await collected(fixture, async () => treeOf(fixture.folder));
        expect(removed.experiments).toEqual(deleted);
        expect(readdirSync(fixture.uri).filter((name) => name.startsWith('.mtrack'))).toEqual([]);
        expect(filesIn(fixture.folder).filter((path) => removed.runs.some((id) => path.includes(id)))).toEqual([]);
        const read = (await oracle.read(fixture.uri)) as unknown as Expected;
        expect(compared(read)).toEqual(compared(without(fixture.expected, removed)));
      }));
  }
});

/** Two collections: what has been in the trash for long, then all of it. */
async function collected(fixture: GcFixture, untouched: () => Promise<string>) {
  const { expected, folder } = fixture;
  const inTrash = Object.entries(expected.runs).filter(([, { info }]) => info.lifecycle_stage === 'deleted');
  const [aged, ...others] = inTrash.filter(([, { tags }]) => tags.fixture === 'deleted' && tags.n === '0');
  if (aged === undefined || others.length > 0) throw new Error('one run of the fixture was to be old');
  const [old, { info }] = aged;
  putArtifacts(String(info.artifact_uri));

  const before = filesIn(folder);
  const long = await gcTwice(fixture, ['--older-than', '30d'], untouched);
  expect(long.removed).toEqual({ runs: [old], models: [], traces: [], experiments: [], jobs: [] });
  expect(long).toMatchObject({ failed: [], undated: 0, stopped: null, code: 0 });
  expect(long.kept.filter(({ reason }) => reason !== 'undated')).toEqual([]);
  expect(long.artifacts).toEqual({ objects: 2, bytes: 5, missing: 0 });
  expect(filesIn(folder)).toEqual(before.filter((path) => !path.includes(`/${old}/`)));

  const rest = await gcTwice(fixture, ['--undated', 'treat-as-old'], untouched);
  const runs = [...long.removed.runs, ...rest.removed.runs];
  const known = inTrash.map(([id]) => id);
  const within = expected.experiments.filter(({ experiment_id }) => rest.removed.experiments.includes(experiment_id));
  const inThem = within.flatMap(({ experiment_id }) => expected.runs_default_order[experiment_id] ?? []);
  // MLflow lists no runs of deleted experiments of a file store, since it knows which are.
  expect(runs.filter((id) => id in expected.runs).sort()).toEqual([...new Set([...known, ...inThem])].sort());
  expect(rest).toMatchObject({ kept: [], failed: [], undated: 0, stopped: null, code: 0 });
  return { ...rest.removed, runs };
}

function putArtifacts(uri: string): void {
  const place = uri.replace(/^file:\/\//, '');
  mkdirSync(join(place, 'model'), { recursive: true });
  writeFileSync(join(place, 'a.txt'), 'ab');
  writeFileSync(join(place, 'model', 'data.bin'), 'abc');
}
