/** `mtrack db history`: every command that changes a store is in it; the upgrades are in backup.test.ts. */

import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { mtrack } from '../../support/cli.js';
import { fixturePath, releases } from '../../support/fixtures.js';
import { inTemporaryFolder } from '../../support/temporary.js';

interface Shown {
  readonly runs: readonly {
    readonly command: string;
    readonly database: string;
    readonly end: { readonly outcome: string; readonly did: readonly string[] } | null;
  }[];
}

test('an import, a gc and what comes back from the trash are in it; looking is not', async () => {
  await inTemporaryFolder(async (folder) => {
    const path = join(folder, 'mlflow.db');
    copyFileSync(fixturePath('sqlite', releases('sqlite').at(-1) ?? ''), path);
    const uri = `sqlite:///${path}`;
    const log = ['--history-file', join(folder, 'history.jsonl')];
    const done = async (...args: readonly string[]) => {
      const { code, stdout, stderr } = await mtrack([...args, ...log]);
      expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
      return stdout;
    };
    const listed = await mtrack(['trash', 'list', uri, '--json']);
    const { trash: items } = JSON.parse(listed.stdout) as { trash: { kind: string; id: string }[] };
    const runs = items.filter(({ kind }) => kind === 'run').map(({ id }) => id);
    const [back, gone] = runs;
    expect(gone).toBeDefined();
    await done('trash', 'restore', uri, '--run-ids', back ?? '');
    await done('gc', uri, '--run-ids', gone ?? '', '--dry-run');
    await done('gc', uri, '--run-ids', gone ?? '', '--force', '--undated', 'treat-as-old', '--yes');
    await done('import', '--from', uri, '--to', `sqlite:///${join(folder, 'copy.db')}`, '--yes');

    const { runs: shown } = JSON.parse((await mtrack(['db', 'history', '--json', ...log])).stdout) as Shown;
    expect(shown.map(({ command, database, end }) => [command, database, end?.outcome, end?.did])).toEqual([
      ['trash restore', uri, 'done', [`run ${back}`]],
      ['gc', uri, 'done', ['1 runs']],
      ['import', `sqlite:///${join(folder, 'copy.db')}`, 'done', [expect.stringMatching(/^[\d,]+ rows of /)]],
    ]);
  });
});
