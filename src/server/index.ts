/** MLflow's REST API over a store: everything but the port. */
import type { FastifyInstance } from 'fastify';
import { buildApp, type ServerOptions } from './app.js';
import type { Context } from './context.js';
import { openApi } from './openapi.js';
import { rawRoutes, routes } from './routes/index.js';
import { MLFLOW_VERSION } from './routes/information.js';

export type { ServerOptions } from './app.js';
export { readUsers, type Users } from './auth.js';
export type { Artifacts, Context } from './context.js';
export { LOG_LEVELS, type Log, type LogLevel } from './failures.js';
export { type ServerMetrics, serverMetrics } from './metrics.js';
export { DEFAULT_HOSTS, type SecurityOptions } from './security.js';

export const description = openApi(routes, rawRoutes, MLFLOW_VERSION);

/** A server that is ready to listen; closing it waits for the requests under way. */
export function createServer(
  over: Pick<Context, 'store' | 'storeUri' | 'artifacts'>,
  options: ServerOptions,
): FastifyInstance {
  const { log, bodyLimit, uploadLimit } = options;
  const context = { ...over, log, bodyLimit, uploadLimit };
  return buildApp(context, { routes, rawRoutes, description }, options);
}
