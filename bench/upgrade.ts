/**
 * How long an upgrade from MLflow's first schema to the head takes: mtrack, the same statements run by the database's
 * own client (`--sql`), and `mlflow db upgrade`, in turns on the same data. Prints medians and ratios.
 *
 *   npm run bench                                        # three dialects, 2 M metrics, three rounds
 *   ROWS=200000 ROUNDS=1 DIALECTS=sqlite npm run bench   # a quick look
 *
 * Needs PostgreSQL and MariaDB as for the tests, their clients and sqlite3, and MLflow as `npm test` installs it.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join as joinPath, resolve } from 'node:path';
import { type Measured, measured } from './process.ts';
import { firstSchemas, type Peer } from './support/first-schema.ts';

const ROOT = resolve(import.meta.dirname, '..');
const MTRACK = [process.execPath, joinPath(ROOT, 'bin', 'run.js')];
const MLFLOW = joinPath(process.env.MTRACK_LAB ?? joinPath(homedir(), 'mtrack-lab'), 'mlflow-3.17.2', 'bin', 'mlflow');
const POINTS = Number(process.env.ROWS ?? 2_000_000);
const ROUNDS = Number(process.env.ROUNDS ?? 3);
const FOLDER = mkdtempSync(joinPath(tmpdir(), 'mtrack-bench-'));
/** MLflow is stopped when it has taken this many times as long as mtrack: its way on SQLite is quadratic. */
const ENOUGH = 6;
const BIG = { maxBuffer: 1024 * 1024 * 1024 };

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
const format = (seconds: number) => `${seconds.toFixed(2)} s`;

async function compare(peer: Peer): Promise<string[]> {
  console.log(`${peer.name}: ${POINTS.toLocaleString('en')} metrics`);
  peer.prepare();
  peer.reset();
  const script = execFileSync(MTRACK[0] ?? '', [MTRACK[1] ?? '', 'db', 'upgrade', peer.uri, '--sql'], {
    ...BIG,
    stdio: ['ignore', 'pipe', 'ignore'],
  }).toString();
  const plan = JSON.parse(
    spawnSync(
      MTRACK[0] ?? '',
      [MTRACK[1] ?? '', 'db', 'upgrade', peer.uri, '--dry-run', '--json'],
      BIG,
    ).stdout.toString(),
  ) as { consents: { revision: string }[] };
  const accepted = plan.consents.flatMap(({ revision }) => ['--accept', revision]);
  const results: Record<'mtrack' | 'client' | 'mlflow', Measured[]> = { mtrack: [], client: [], mlflow: [] };
  for (let round = 1; round <= ROUNDS; round++) {
    peer.reset();
    const own = await measured([...MTRACK, 'db', 'upgrade', peer.uri, '--yes', ...accepted]);
    results.mtrack.push(own);
    peer.reset();
    const client = await measured(peer.client(), { input: script });
    results.client.push(client);
    peer.reset();
    const other = await measured([MLFLOW, 'db', 'upgrade', peer.uri], { limit: ENOUGH * own.seconds });
    results.mlflow.push(other);
    console.log(
      `  round ${round}: mtrack ${format(own.seconds)} (${Math.round(own.peakMegabytes)} MB), client ${format(client.seconds)}, mlflow ${other.finished ? '' : 'more than '}${format(other.seconds)}`,
    );
  }
  peer.drop();
  const [own, client, other] = [results.mtrack, results.client, results.mlflow].map((each) =>
    median(each.map(({ seconds }) => seconds)),
  ) as [number, number, number];
  const all = results.mlflow.every(({ finished }) => finished);
  return [
    peer.name,
    format(own),
    `${Math.round(Math.max(...results.mtrack.map(({ peakMegabytes }) => peakMegabytes)))} MB`,
    format(client),
    (own / client).toFixed(2),
    `${all ? '' : '> '}${format(other)}`,
    `${all ? '' : '< '}${(own / other).toFixed(2)}`,
  ];
}

/** What every call pays: starting, and one query. */
async function startUp(): Promise<void> {
  const path = joinPath(FOLDER, 'head.db');
  execFileSync(MTRACK[0] ?? '', [MTRACK[1] ?? '', 'db', 'upgrade', `sqlite:///${path}`, '--yes'], { stdio: 'ignore' });
  for (const args of [['--help'], ['db', 'upgrade', `sqlite:///${path}`]]) {
    const times: number[] = [];
    for (let i = 0; i < 11; i++) times.push((await measured([...MTRACK, ...args])).seconds);
    console.log(
      `mtrack ${args.slice(0, 2).join(' ')}${args.length > 1 ? ' at the head' : ''}: ${format(median(times))}`,
    );
  }
}

const peers = firstSchemas(POINTS, FOLDER);
const wanted = (process.env.DIALECTS ?? Object.keys(peers).join(',')).split(',');
try {
  await startUp();
  const rows: string[][] = [];
  for (const name of wanted) {
    const peer = peers[name];
    if (peer) rows.push(await compare(peer));
  }
  const head = ['', 'mtrack', 'memory', 'own client', 'ratio', 'mlflow', 'ratio'];
  console.log(['', ...[head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`)].join('\n'));
} finally {
  rmSync(FOLDER, { recursive: true, force: true });
}
