/** A file store of so many runs that threads read them: nothing of it shows but the time. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { mtrack } from '../support/cli.js';
import { query } from '../support/state.js';
import { inTemporaryFolder } from '../support/temporary.js';

const RUNS = 260;
const NUMBERS = Array.from({ length: RUNS }, (_, n) => n);
const idOf = (n: number) => n.toString(16).padStart(32, '0');
/** Runs with a line that is none, and one without its meta.yaml. */
const BAD_LINE = [40, 230];
const LOST = 100;

const meta = (fields: object) =>
  Object.entries(fields)
    .map(([key, value]) => `${key}: ${value}\n`)
    .join('');

function writeStore(root: string): void {
  for (const experiment of ['1', '2']) {
    mkdirSync(join(root, experiment), { recursive: true });
    const fields = { experiment_id: `'${experiment}'`, name: `e${experiment}`, lifecycle_stage: 'active' };
    writeFileSync(join(root, experiment, 'meta.yaml'), meta({ artifact_location: `file://${root}`, ...fields }));
  }
  for (const n of NUMBERS) {
    const experiment = n < RUNS / 2 ? '1' : '2';
    const folder = join(root, experiment, idOf(n));
    for (const part of ['metrics', 'params', 'tags']) mkdirSync(join(folder, part), { recursive: true });
    const fields = { run_id: `'${idOf(n)}'`, experiment_id: `'${experiment}'`, lifecycle_stage: 'active', status: 3 };
    if (n !== LOST) writeFileSync(join(folder, 'meta.yaml'), meta({ ...fields, run_name: `run ${n}`, start_time: n }));
    writeFileSync(join(folder, 'params', 'p'), `"${n}"\nand \\ more ü`);
    const middle = BAD_LINE.includes(n) ? 'nonsense' : '2 nan 1';
    writeFileSync(join(folder, 'metrics', 'm'), `1 ${n / 7} 0\n${middle}\n3 -0.5 9007199254740993\n`);
  }
}

test('is moved whole, and what is bad is named in its order', async () => {
  await inTemporaryFolder(async (folder) => {
    const root = join(folder, 'mlruns');
    writeStore(root);
    const uri = `sqlite:///${join(folder, 'mlflow.db')}`;
    const args = ['import', '--from', root, '--to', uri, '--yes', '--json'];

    const refused = await mtrack(args);
    const { error } = JSON.parse(refused.stdout) as { error: { details: { problems: { where: string }[] } } };
    const at = (n: number, ...names: string[]) => join(root, n < RUNS / 2 ? '1' : '2', idOf(n), ...names);
    expect({ code: refused.code, where: error.details.problems.map(({ where }) => where) }).toEqual({
      code: 40,
      where: [at(40, 'metrics', 'm'), at(LOST, 'meta.yaml'), at(230, 'metrics', 'm')],
    });
    expect(existsSync(join(folder, 'mlflow.db'))).toBe(false);

    expect((await mtrack([...args, '--skip-bad'])).code).toBe(21);
    const ask = (sql: string) => query({ uri, name: join(folder, 'mlflow.db'), drop: async () => undefined }, sql);
    const there = NUMBERS.filter((n) => n !== LOST);
    expect(await ask('SELECT run_uuid AS id, name, experiment_id AS e FROM runs ORDER BY run_uuid')).toEqual(
      there.map((n) => ({ id: idOf(n), name: `run ${n}`, e: n < RUNS / 2 ? 1 : 2 })),
    );
    expect(await ask('SELECT run_uuid AS id, value FROM params ORDER BY run_uuid')).toEqual(
      there.map((n) => ({ id: idOf(n), value: `"${n}"\nand \\ more ü` })),
    );
    const points =
      'SELECT run_uuid AS id, timestamp AS t, value AS v, is_nan AS nan, CAST(step AS TEXT) AS s FROM metrics';
    expect(await ask(`${points} ORDER BY run_uuid, timestamp`)).toEqual(
      there.flatMap((n) => [
        { id: idOf(n), t: 1, v: n / 7, nan: 0, s: '0' },
        ...(BAD_LINE.includes(n) ? [] : [{ id: idOf(n), t: 2, v: 0, nan: 1, s: '1' }]),
        { id: idOf(n), t: 3, v: -0.5, nan: 0, s: '9007199254740993' },
      ]),
    );
  });
});

test('is the same archive whenever it is exported', async () => {
  await inTemporaryFolder(async (folder) => {
    const root = join(folder, 'mlruns');
    writeStore(root);
    const export_ = async (name: string) => {
      const path = join(folder, name);
      expect((await mtrack(['export', '--from', root, '--to', path, '--skip-bad'])).code).toBe(21);
      return readFileSync(path);
    };
    expect((await export_('one.tar')).equals(await export_('two.tar'))).toBe(true);
  });
});
