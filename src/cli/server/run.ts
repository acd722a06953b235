/** `mtrack server`: one process, or a primary that keeps several of them running. */
import cluster from 'node:cluster';
import { MtrackError } from '../../errors.js';
import { secretsOf, wordsOf } from '../../uri.js';
import { stopOnSignals } from '../signals.js';
import type { Terminal } from '../terminal.js';
import { isLogLevel, logger } from './logging.js';
import { type NamedStore, namedStore, type ServerFlags } from './options.js';
import { serve } from './worker.js';
import { runWorkers, workerMetrics } from './workers.js';

/** Runs until it is told to stop; `tell` gets an event for each thing that a program may wait for. */
export async function runServer(
  flags: ServerFlags,
  terminal: Terminal,
  tell: (event: Record<string, unknown>) => void,
): Promise<Record<string, unknown>> {
  const level = isLogLevel(flags['log-level']) ? flags['log-level'] : 'info';
  const log = logger(level, terminal.record);
  const named = namedStore(flags, (statement) => terminal.record(statement));
  terminal.keepSecret(secretsOf(named.uri), wordsOf(named.uri));
  const { signal, release } = stopOnSignals((name, again) => {
    if (cluster.isPrimary)
      terminal.note(again ? `${name}: still stopping` : `${name}: answering what has come in, then stopping`);
  });
  try {
    if (cluster.isWorker) await work(flags, named, log, signal);
    else if (flags.workers > 1)
      await runWorkers({ flags, named, log, signal, started: announce(flags, named, terminal, tell) });
    else await alone(flags, named, log, signal, announce(flags, named, terminal, tell));
  } catch (error) {
    throw withInit(error);
  } finally {
    release();
  }
  return { event: 'stopped' };
}

async function alone(
  flags: ServerFlags,
  named: NamedStore,
  log: ReturnType<typeof logger>,
  signal: AbortSignal,
  started: (url: string) => void,
): Promise<void> {
  const serving = await serve(flags, named, log);
  started(serving.url);
  await aborted(signal);
  await serving.stop();
}

async function work(
  flags: ServerFlags,
  named: NamedStore,
  log: ReturnType<typeof logger>,
  signal: AbortSignal,
): Promise<void> {
  // The command line does not wait for who started it; a worker lives by it: the port comes this way.
  process.channel?.ref();
  // The primary has made the tables.
  const serving = await serve({ ...flags, init: false }, named, log, workerMetrics());
  process.send?.({ listening: serving.url });
  await aborted(signal);
  await serving.stop();
  cluster.worker?.disconnect();
}

export const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });

function announce(
  flags: ServerFlags,
  { shown, from }: NamedStore,
  terminal: Terminal,
  tell: (event: Record<string, unknown>) => void,
): (url: string) => void {
  return (url) => {
    tell({ event: 'listening', url, store: shown, workers: flags.workers, pid: process.pid });
    terminal.note(`${shown} (${from}) is served at ${url}`);
    if (flags['disable-security-middleware']) {
      terminal.note('warning: Host and Origin are not checked: any web page that is open here may use the server');
    }
    if (flags['auth-file'] === undefined && !isLoopback(flags.host)) {
      terminal.note(
        `warning: whoever reaches ${flags.host} may read, write and delete: see --auth-file and --allowed-hosts`,
      );
    }
  };
}

const isLoopback = (host: string): boolean => /^(?:localhost|127\.|::1$)/.test(host);

/** What an empty database needs is said by what looks at it; here there is a way more. */
function withInit(error: unknown): unknown {
  if (!(error instanceof MtrackError) || error.code !== 'DATABASE_EMPTY') return error;
  const { fix = [], ...failure } = error.failure;
  return new MtrackError(error.code, { ...failure, fix: [...fix, 'or make them when the server starts: --init'] });
}
