/** Every file store that a release wrote is read through the store as MLflow 3.17.2 reads it, and reading writes nothing. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { openFileStore } from '../../../src/store/file/index.js';
import { expectedAfterUpgrade, fileStoreReleases, unpackFileStore } from '../../support/fixtures.js';
import { treeBelow } from '../../support/untouched.js';
import { type Expected, readsAs } from '../expected.js';

/** Who moved the folder to the trash deleted the experiment, also where its meta.yaml was left as it was (docs/differences.md). */
const withTrash = (expected: Expected, trash: readonly string[]): Expected => ({
  ...expected,
  experiments: expected.experiments.map((each) =>
    trash.includes(each.experiment_id) ? { ...each, lifecycle_stage: 'deleted' } : each,
  ),
});

const folder = mkdtempSync(join(tmpdir(), 'mtrack-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.each(fileStoreReleases())('the file store of MLflow %s', (release) => {
  const place = mkdtempSync(join(folder, `${release}-`));
  const expected = expectedAfterUpgrade('filestore', release) as Expected;

  test('is read as MLflow 3.17.2 reads it', async () => {
    const root = unpackFileStore(release, place);
    const before = treeBelow(root);
    const faults: unknown[] = [];
    const store = await openFileStore(root, { warn: (fault) => faults.push(fault) });
    await readsAs(store, withTrash(expected, readdirSync(join(root, '.trash'))));
    await store.close();
    expect(faults).toEqual([]);
    expect(treeBelow(root)).toEqual(before);
  });
});
