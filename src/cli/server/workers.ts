/** Several processes that share the port: the primary starts them, starts them again, and gathers their metrics. */
import cluster, { type Worker } from 'node:cluster';
import { setTimeout as sleep } from 'node:timers/promises';
import { AggregatorRegistry } from 'prom-client';
import { MtrackError, messageOf } from '../../errors.js';
import { type Log, type ServerMetrics, serverMetrics } from '../../server/index.js';
import { openStore } from '../../store/open.js';
import { artifactRootOf, type NamedStore, type ServerFlags } from './options.js';
import { aborted } from './run.js';

interface Workers {
  readonly flags: ServerFlags;
  readonly named: NamedStore;
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly started: (url: string) => void;
}

/** A worker that ends sooner than this, in milliseconds, has not really started. */
const TOO_SOON_MS = 5000;
/** So many in a row, and the primary gives up. */
const MOST_FAILURES = 5;

/**
 * Runs until the signal; a worker that dies is replaced.
 * @throws {MtrackError} WORKERS_FAILED, and what openStore says of the store
 */
export async function runWorkers({ flags, named, log, signal, started }: Workers): Promise<void> {
  // A store that is refused is refused once, in words, and not by each worker.
  const store = await openStore(named.uri, {
    artifactRoot: artifactRootOf(flags, named),
    connection: named.connection,
    init: flags.init,
  });
  await store.close();
  const failed = new AbortController();
  const gathered = gatherMetrics(log);
  let failures = 0;
  let listening = 0;
  const start = (): void => {
    const worker = cluster.fork();
    const since = Date.now();
    worker.on('message', (message: unknown) => {
      const url = urlIn(message);
      if (url !== undefined) {
        failures = 0;
        listening += 1;
        if (listening === flags.workers) started(url);
      } else if (isMetricsRequest(message)) void gathered(worker);
    });
    worker.once('exit', async (code, killed) => {
      if (signal.aborted) return;
      log('error', 'a worker ended', { worker: worker.process.pid, code, signal: killed });
      if (Date.now() - since < TOO_SOON_MS) failures += 1;
      if (failures >= MOST_FAILURES) failed.abort();
      else await sleep(100 * failures);
      if (!signal.aborted && !failed.signal.aborted) start();
    });
  };
  // What a program reads from stdout is the primary's.
  cluster.setupPrimary({ stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  for (let i = 0; i < flags.workers; i++) start();
  await Promise.race([aborted(signal), aborted(failed.signal)]);
  await stopAll();
  if (!failed.signal.aborted || signal.aborted) return;
  throw new MtrackError('WORKERS_FAILED', {
    found: `${MOST_FAILURES} workers in a row ended as soon as they were started`,
    fix: ['the lines above say why', 'run it with --workers 1 to see one alone'],
  });
}

async function stopAll(): Promise<void> {
  const workers = Object.values(cluster.workers ?? {}).filter((worker) => worker !== undefined);
  await Promise.all(
    workers.map(
      (worker) =>
        new Promise<void>((resolve) => {
          if (worker.isDead()) return resolve();
          worker.once('exit', () => resolve());
          worker.process.kill('SIGTERM');
        }),
    ),
  );
}

const urlIn = (message: unknown): string | undefined => {
  const url: unknown = typeof message === 'object' && message !== null ? Reflect.get(message, 'listening') : undefined;
  return typeof url === 'string' ? url : undefined;
};

/** A worker that is asked for metrics asks the primary for those of all. */
const METRICS = 'mtrack:metrics';

const isMetricsRequest = (message: unknown): boolean =>
  typeof message === 'object' && message !== null && Reflect.get(message, 'type') === METRICS;

function gatherMetrics(log: Log): (worker: Worker) => Promise<void> {
  const registry = new AggregatorRegistry();
  return async (worker) => {
    const text = await registry.clusterMetrics().catch((error: unknown) => {
      log('error', 'the metrics of the workers cannot be gathered', { cause: messageOf(error) });
      return '';
    });
    if (worker.isConnected()) worker.send({ type: METRICS, text });
  };
}

/** The metrics of this worker, which answers for all. */
export function workerMetrics(): ServerMetrics {
  const own = serverMetrics();
  AggregatorRegistry.setRegistries([own.registry]);
  // It is this that makes a worker answer when the primary gathers.
  new AggregatorRegistry();
  return {
    ...own,
    text: () =>
      new Promise((resolve) => {
        const receive = (message: unknown) => {
          if (!isMetricsRequest(message)) return;
          process.off('message', receive);
          const text: unknown = Reflect.get(message as object, 'text');
          resolve(typeof text === 'string' ? text : '');
        };
        process.on('message', receive);
        process.send?.({ type: METRICS });
      }),
  };
}
