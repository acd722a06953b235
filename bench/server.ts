/**
 * Load on `mtrack server`, beside `mlflow server` (4 workers, as it comes, and 1), mlflow-go-backend and FastTrackML, each
 * started alone on a store of its own with the same content; and beside a bare Node HTTP server that answers the same bytes,
 * and the statements alone. Requests a second with 1 and with 16 connections, CPU milliseconds a request, memory.
 *
 *   npm run bench:server                             # some minutes: SQLite, 10 k runs, a second for each figure
 *   npm run bench:server -- --full                   # all stores, longer, and searches over 100 k runs
 *   STORES=postgresql PEERS=mtrack,mlflow-w1 ONLY=history SECONDS=3 RUNS=100000 npm run bench:server
 *
 * Needs PostgreSQL and MariaDB, and MLflow, as for the tests; the others are installed from PyPI where they are missing.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { ask, type Figure, measure } from './load/measure.ts';
import { used } from './load/processes.ts';
import { BULK, HISTORY, ROWS, type Row, SEARCHES } from './load/rows.ts';
import { freePort, PEERS, type Peer, start } from './load/servers.ts';
import { statementsAlone } from './load/statements.ts';
import { fill, fillExperiments, fillHistory, places } from './support/databases.ts';
import { fillFiles } from './support/file-store.ts';

const FULL = process.argv.includes('--full');
const SECONDS = Number(process.env.SECONDS ?? (FULL ? 5 : 1));
const STORES = (process.env.STORES ?? (FULL ? 'sqlite,sqlite-wal,postgresql,mysql,files' : 'sqlite')).split(',');
const NAMES = process.env.PEERS?.split(',') ?? PEERS.map(({ name }) => name);
const ONLY = process.env.ONLY ? new RegExp(process.env.ONLY) : /./;
const RUNS = Number(process.env.RUNS ?? 10_000);
/** More would be much to make of files, and to search for MLflow. */
const RUNS_OF_FILES = Math.min(RUNS, 1600);
const EXPERIMENTS = 50;
const CONCURRENCY = [1, 16] as const;
const ROOT = resolve(import.meta.dirname, '..');
const FOLDER = mkdtempSync(join(tmpdir(), 'mtrack-bench-'));

/** With 1 connection and with 16; or why there is none. */
type Cell = readonly [Figure, Figure] | string;
/** By row, and then by server. */
type Table = Map<string, Map<string, Cell>>;

/** Once more with a log in place of a journal, which a file keeps, and which FastTrackML puts on its own. */
const dialectOf = (kind: string) => (kind === 'sqlite-wal' ? 'sqlite' : kind);

async function filled(kind: string, { name, revision }: Peer, runs: number) {
  if (kind === 'files') {
    const uri = join(FOLDER, name, 'mlruns');
    fillFiles(uri, runs, EXPERIMENTS, [HISTORY, ...BULK]);
    return { uri, drop: () => undefined };
  }
  const place = places(FOLDER, name.replaceAll('-', '_'))[dialectOf(kind)];
  if (!place) throw new Error(`no store ${kind}`);
  place.make();
  const mtrack = [join(ROOT, 'bin', 'run.js'), 'db', 'upgrade', place.uri, '--to', revision, '--yes'];
  execFileSync(process.execPath, mtrack, { stdio: 'pipe' });
  await fillExperiments(place.uri, place, EXPERIMENTS);
  await fill(place.uri, place, runs);
  for (const history of [HISTORY, ...BULK]) await fillHistory(place.uri, place, history);
  place.settle();
  if (kind === 'sqlite-wal') {
    execFileSync('sqlite3', [place.uri.replace('sqlite:///', ''), 'PRAGMA journal_mode = WAL'], { stdio: 'pipe' });
  }
  return place;
}

async function both(server: { url: string; pid: number }, row: Row): Promise<Cell> {
  try {
    const [one, sixteen] = [
      await measure(server, row, CONCURRENCY[0], SECONDS),
      await measure(server, row, CONCURRENCY[1], SECONDS),
    ];
    return [one, sixteen];
  } catch (error) {
    return (error as Error).message.split('\n')[0] ?? '';
  }
}

function note(table: Table, row: Row, server: string, cell: Cell): void {
  if (!table.has(row.name)) table.set(row.name, new Map());
  table.get(row.name)?.set(server, cell);
  const text =
    typeof cell === 'string'
      ? cell
      : cell.map((each) => `${rate(each.perSecond)}/s ${each.cpu.toFixed(2)} ms`).join('   ');
  console.error(`${server.padEnd(12)} ${row.name.padEnd(30)} ${text}`);
}

async function benchPeer(kind: string, peer: Peer, runs: number, rows: readonly Row[], table: Table): Promise<string> {
  const store = await filled(kind, peer, runs);
  const folder = join(FOLDER, `${peer.name}-files`);
  const port = await freePort();
  const env = { ...peer.env, MLFLOW_BACKEND_STORE_URI: store.uri };
  try {
    const answers: Record<string, string> = {};
    const summary = await (async () => {
      await using server = await start(peer.command(store.uri, port, folder), { port, folder, env, probe: '/health' });
      if (peer.name === 'mtrack') {
        for (const row of rows) answers[answerKey(row)] = await ask(server.url, row);
      }
      for (const row of rows) note(table, row, peer.name, await both(server, row));
      const { memory, processes } = used(server.pid);
      return `${peer.name}: first answer after ${(server.startup / 1000).toFixed(1)} s, ${(memory / 2 ** 20).toFixed(0)} MB in ${processes} processes`;
    })();
    if (peer.name === 'mtrack') {
      await benchBare(answers, rows, table);
      if (kind !== 'files') await benchStatements(dialectOf(kind), store.uri, rows, table);
    }
    return summary;
  } finally {
    store.drop();
  }
}

const answerKey = ({ method, path, body }: Row) =>
  `${method} ${path} ${JSON.stringify(body?.() ?? '').includes('"filter"')}`;

async function benchBare(answers: object, rows: readonly Row[], table: Table): Promise<void> {
  const file = join(FOLDER, 'answers.json');
  writeFileSync(file, JSON.stringify(answers));
  const port = await freePort();
  const command = [process.execPath, join(import.meta.dirname, 'load', 'bare.ts'), String(port), file];
  await using server = await start(command, { port, folder: FOLDER, env: {}, probe: '/' });
  for (const row of rows) note(table, row, 'bare Node', await both(server, row));
}

async function benchStatements(kind: string, uri: string, rows: readonly Row[], table: Table): Promise<void> {
  const alone = await statementsAlone(
    kind,
    uri,
    rows.map(({ name }) => name),
    SECONDS,
  );
  for (const row of rows) {
    const figure = alone.get(row.name);
    if (figure)
      note(table, row, 'SQL alone', [
        { ...figure, median: 0 },
        { ...figure, median: 0 },
      ]);
  }
}

const rate = (perSecond: number) => (perSecond < 10 ? perSecond.toFixed(1) : perSecond.toFixed(0));
const shown = (cell: Cell | undefined): string =>
  cell === undefined
    ? ''
    : typeof cell === 'string'
      ? `(${cell.slice(0, 40)})`
      : `${cell.map(({ perSecond }) => rate(perSecond)).join(' / ')}, ${cell.map(({ cpu }) => cpu.toFixed(2)).join(' / ')} ms`;

const best = (cells: readonly (Cell | undefined)[]) => {
  const figures = cells.filter((cell) => Array.isArray(cell));
  if (figures.length === 0) return null;
  return ([0, 1] as const).map((at) => ({
    perSecond: Math.max(...figures.map((cell) => (cell[at] as Figure).perSecond)),
    cpu: Math.min(...figures.map((cell) => (cell[at] as Figure).cpu)),
  }));
};

/** How many times as many requests as the better of these, and how many times less CPU time; the smaller of the two concurrencies. */
function ahead(cell: Cell | undefined, others: readonly (Cell | undefined)[]): string {
  const other = best(others);
  if (!Array.isArray(cell) || !other) return '';
  const times = (of: (at: 0 | 1) => number) => Math.min(of(0), of(1)).toFixed(1);
  const [mine, theirs] = [cell as readonly [Figure, Figure], other as [Figure, Figure]];
  return `${times((at) => mine[at].perSecond / theirs[at].perSecond)}, ${times((at) => theirs[at].cpu / Math.max(mine[at].cpu, 0.001))}`;
}

function report(title: string, table: Table, summaries: readonly string[]): void {
  const servers = [...new Set([...table.values()].flatMap((cells) => [...cells.keys()]))];
  console.log(`\n## ${title}\n\n${summaries.map((line) => `- ${line}`).join('\n')}\n`);
  console.log('Requests a second with 1 / 16 connections, CPU milliseconds a request with 1 / 16:\n');
  console.log(`| | ${servers.join(' | ')} |\n|${' --- |'.repeat(servers.length + 1)}`);
  for (const [row, cells] of table)
    console.log(`| ${row} | ${servers.map((each) => shown(cells.get(each))).join(' | ')} |`);
  console.log('\nmtrack: times as many requests a second, times less CPU, at the worse of 1 and 16 connections:\n');
  console.log(
    '| | the better MLflow | the better Go server | bare Node | SQL alone | goal |\n| --- | --- | --- | --- | --- | --- |',
  );
  for (const [name, cells] of table) {
    const columns = [['mlflow', 'mlflow-w1'], ['mlflow-go', 'fasttrackml'], ['bare Node'], ['SQL alone']].map(
      (others) =>
        ahead(
          cells.get('mtrack'),
          others.map((each) => cells.get(each)),
        ),
    );
    console.log(`| ${name} | ${columns.join(' | ')} | ${ROWS.find((row) => row.name === name)?.goal} |`);
  }
}

async function bench(kind: string, runs: number, all: readonly Row[]): Promise<void> {
  const table: Table = new Map();
  const summaries: string[] = [];
  const rows = all.filter(({ name }) => ONLY.test(name));
  for (const peer of PEERS.filter(({ name, stores }) => NAMES.includes(name) && stores.includes(dialectOf(kind)))) {
    try {
      peer.install?.();
      summaries.push(await benchPeer(kind, peer, runs, rows, table));
    } catch (error) {
      summaries.push(`${peer.name}: not here: ${(error as Error).message.trim().split('\n').at(-1)}`);
    }
    console.error(summaries.at(-1));
  }
  report(`${kind}, ${runs} runs`, table, summaries);
}

try {
  for (const kind of STORES) {
    await bench(kind, kind === 'files' ? RUNS_OF_FILES : RUNS, ROWS);
    if (FULL && kind !== 'files') await bench(kind, 100_000, SEARCHES);
  }
} finally {
  rmSync(FOLDER, { recursive: true, force: true });
}
