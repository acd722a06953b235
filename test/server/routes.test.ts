/** What MLflow serves is served, or said to be absent: in the answer and in the documents. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { ABSENT, absentPaths } from '../../src/server/absent.js';
import { description } from '../../src/server/index.js';
import { ROOT } from '../support/cli.js';
import { PYTHON } from '../support/mlflow.js';

const exec = promisify(execFile);
const DOCUMENT = join(ROOT, 'docs', 'server.md');

/** These exist in MLflow's table and have no handler there either: 404. */
const NOT_EVEN_THERE = [/unified-traces$/, /get-online-trace-details$/, /2\.0mlflow/, /^\/build\//];

const served = Object.entries(description.paths).flatMap(([path, operations]) =>
  Object.keys(operations).map((method) => ({ method: method.toUpperCase(), pattern: patternOf(path) })),
);
const absent = ABSENT.flatMap(absentPaths).map((path) => new RegExp(`^${path.replace('*', '.*')}$`));

function patternOf(path: string): RegExp {
  return new RegExp(`^${path.replace(/\{artifact_path\}/, '.+').replace(/\{\w+\}/g, '[^/]+')}$`);
}

test('every route of MLflow is served, or answers 501', { timeout: 300_000 }, async () => {
  const { stdout } = await exec(PYTHON, [join(import.meta.dirname, 'twin', 'mlflow_routes.py')], {
    env: { ...process.env, MLFLOW_ALLOW_FILE_STORE: 'true' },
  });
  const all = stdout
    .trim()
    .split('\n')
    .map((line) => line.split(' ') as [string, string]);
  expect(all.length).toBeGreaterThan(400);
  const missing = all.filter(
    ([method, path]) =>
      !served.some((each) => each.method === method && each.pattern.test(path)) &&
      !absent.some((pattern) => pattern.test(path)) &&
      !NOT_EVEN_THERE.some((pattern) => pattern.test(path)),
  );
  expect(missing).toEqual([]);
});

describe('docs/server.md', () => {
  const text = readFileSync(DOCUMENT, 'utf8');
  test.each(ABSENT.map(({ what, paths }) => [what, paths] as const))('says that %s is absent', (what, paths) => {
    expect(text).toContain(what);
    for (const path of paths) expect(text).toContain(path);
  });
});
