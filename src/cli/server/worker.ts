/** One process that serves: a store, its artifacts, and a port. */
import type { FastifyInstance } from 'fastify';
import { MtrackError, messageOf } from '../../errors.js';
import { createServer, type Log, type ServerMetrics, serverMetrics } from '../../server/index.js';
import { openStore } from '../../store/open.js';
import { keepHeapSmall } from '../memory.js';
import { artifactsOf } from './artifacts.js';
import { artifactRootOf, limitsOf, type NamedStore, type ServerFlags, securityOf, tlsOf, usersOf } from './options.js';

export interface Serving {
  /** Where it listens, for people. */
  readonly url: string;
  /** Answers what has come in, then ends. */
  stop(): Promise<void>;
}

/**
 * @param metrics of all workers, where there are several
 * @throws {MtrackError} LISTEN_FAILED, and what openStore says
 */
export async function serve(
  flags: ServerFlags,
  named: NamedStore,
  log: Log,
  metrics: ServerMetrics = serverMetrics(),
): Promise<Serving> {
  keepHeapSmall();
  const artifactRoot = artifactRootOf(flags, named);
  const [users, tls] = [usersOf(flags['auth-file']), tlsOf(flags)];
  const limits = limitsOf();
  const artifacts = await artifactsOf(flags, artifactRoot, limits.artifactLocationLength);
  const store = await openStore(named.uri, {
    artifactRoot,
    limits,
    connection: named.connection,
    init: flags.init,
    warn: ({ path, line, reason }) => log('warn', 'something in the store cannot be read', { path, line, reason }),
  });
  const close = async () => {
    await store.close();
    await artifacts.close();
  };
  const app = createServer(
    { store, storeUri: named.shown, artifacts },
    {
      security: securityOf(flags),
      users,
      tls,
      bodyLimit: flags['max-body'],
      uploadLimit: flags['max-upload'] ?? null,
      log,
      logRequests: flags['log-level'] === 'debug',
      metrics,
    },
  );
  try {
    const url = await listen(app, flags);
    return { url, stop: () => stop(app, close, flags['shutdown-timeout']) };
  } catch (error) {
    await stop(app, close, 0);
    throw error;
  }
}

async function listen(app: FastifyInstance, { host, port }: ServerFlags): Promise<string> {
  try {
    return await app.listen({ host, port });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    throw new MtrackError('LISTEN_FAILED', {
      found: code === 'EADDRINUSE' ? `something else listens on ${host}:${port} already` : messageOf(error),
      fix: ['give another --port or --host', ...(code === 'EACCES' ? ['ports below 1024 need privileges'] : [])],
      cause: error,
    });
  }
}

const LOOK_EVERY_MS = 50;

/** Connections that are still open after the timeout are cut; those whose request has been answered, at once. */
async function stop(app: FastifyInstance, close: () => Promise<void>, timeout: number): Promise<void> {
  const cut = setTimeout(() => app.server.closeAllConnections(), timeout);
  const idle = setInterval(() => app.server.closeIdleConnections(), LOOK_EVERY_MS);
  try {
    await app.close();
  } finally {
    clearTimeout(cut);
    clearInterval(idle);
    await close();
  }
}
