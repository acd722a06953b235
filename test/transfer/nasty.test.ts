/** A file store with everything that goes wrong: by default nothing is written and all is named, else every record is accounted for. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { mtrack } from '../support/cli.js';
import { withDatabase } from '../support/databases.js';
import { type Nasty, writeNasty } from '../support/nasty.js';
import { query } from '../support/state.js';
import { forEachDialect } from '../support/suites.js';
import { fingerprint } from '../support/untouched.js';

interface Problem {
  readonly kind: string;
  readonly where: string;
  readonly line?: number;
  readonly reason: string;
  readonly rows: Readonly<Record<string, number>>;
}

let folder: string;
let root: string;
let nasty: Nasty;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mtrack-nasty-'));
  root = join(folder, 'mlruns');
  nasty = writeNasty(root);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const everyFile = (path: string) =>
  execFileSync('bash', ['-c', 'find . -printf "%p %s %T@ %m\\n" | sort; find . -type f -exec sha256sum {} + | sort'], {
    cwd: path,
    encoding: 'utf8',
  });

/** Each problem that is told, by what was written; and what was written and not told. */
function compare(problems: readonly Problem[]) {
  const left = [...nasty.wrong];
  const others: string[] = [];
  for (const { where, line, reason } of problems) {
    const at = left.findIndex(
      (each) => join(root, each.path) === where && each.line === line && each.reason.test(reason),
    );
    if (at < 0) others.push(`${where} ${line ?? ''} ${reason}`);
    else left.splice(at, 1);
  }
  return { untold: left, others };
}

await forEachDialect('a nasty file store', (server) => {
  const args = (uri: string) => ['import', '--from', root, '--to', uri, '--yes', '--json'];

  test('is refused, with every file and line that is bad, and changes nothing', async () => {
    await withDatabase(
      () => server.empty(),
      async (database) => {
        const before = [everyFile(root), await fingerprint(server, database)];
        const { code, stdout } = await mtrack(args(database.uri));
        const { error } = JSON.parse(stdout) as { error: { code: string; details: { problems: Problem[] } } };
        expect({ code, name: error.code }).toEqual({ code: 40, name: 'SOURCE_DAMAGED' });
        const damaged = error.details.problems.filter(({ kind }) => kind === 'damaged');
        expect(compare(damaged)).toEqual({ untold: [], others: [] });
        // Two experiments of one name.
        expect(error.details.problems.filter(({ kind }) => kind === 'name-taken')).toHaveLength(1);
        expect(error.details.problems).toHaveLength(damaged.length + 1);
        expect([everyFile(root), await fingerprint(server, database)]).toEqual(before);
        if (server.dialect === 'sqlite') expect(existsSync(database.name)).toBe(false);
      },
    );
  });

  describe('without what is bad', () => {
    test.each(['rename', 'merge'])('accounts for each record, names: %s', async (policy) => {
      await withDatabase(
        () => server.empty(),
        async (database) => {
          const report = join(folder, `report-${server.dialect}-${policy}.json`);
          const flags = ['--skip-bad', '--on-conflict', policy, '--report', report];
          for (let time = 0; time < 2; time++) {
            const { code, stdout, stderr } = await mtrack([...args(database.uri), ...flags]);
            expect({ code, stderr, said: code === 21 ? '' : stdout }).toEqual({ code: 21, stderr: '', said: '' });
            const done = JSON.parse(stdout) as {
              tables: { table: string; added: number; equal: number; leftBehind: number; repeated: number }[];
              problems: Problem[];
              unproven: string[];
              renumbered: { from: string; to: string; name: string; merged?: true }[];
            };
            expect(JSON.parse(readFileSync(report, 'utf8'))).toEqual(done);
            expect(done.unproven).toEqual([]);
            expect(compare(done.problems)).toEqual({ untold: [], others: [] });

            const merged = done.renumbered.filter((each) => each.merged).length;
            expect(merged).toBe(policy === 'merge' ? 1 : 0);
            const accounted = Object.fromEntries(
              done.tables
                .filter(({ table }) => table in nasty.records)
                .map(({ table, added, equal, leftBehind, repeated }) => [
                  table,
                  added + equal + leftBehind + repeated + (table === 'experiments' ? merged : 0),
                ]),
            );
            expect(accounted).toEqual(nasty.records);
            for (const [table, lines] of Object.entries(nasty.repeated)) {
              expect(done.tables.find((each) => each.table === table)?.repeated).toBe(lines);
            }
          }
          const names = await query<{ name: string }>(database, 'SELECT name FROM experiments ORDER BY name');
          expect(names.map(({ name }) => name)).toEqual(
            policy === 'merge'
              ? ['not a number', 'of 18 digits']
              : ['not a number', 'of 18 digits', 'of 18 digits (2)'],
          );
          expect(
            await query(database, "SELECT source_type, source_name FROM runs WHERE source_name = 'train.py'"),
          ).toEqual([{ source_type: 'NOTEBOOK', source_name: 'train.py' }]);
        },
      );
    });
  });
});
