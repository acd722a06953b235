/** What went wrong, as an answer, and as a line of the log where it is the server's own fault. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { MtrackError } from '../errors.js';
import { StoreError } from '../store/errors.js';

/** Lines of the log, as data: who runs the server writes them. */
export type Log = (level: LogLevel, message: string, fields?: Readonly<Record<string, unknown>>) => void;

export const LOG_LEVELS = ['error', 'warn', 'info', 'debug'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export function errorReply(log: Log): (error: unknown, request: FastifyRequest, reply: FastifyReply) => void {
  return (error, request, reply) => {
    const known = knownFault(error);
    if (known === null || known.status === 503) {
      const stack = error instanceof Error ? error.stack : String(error);
      log('error', 'request failed', {
        request: request.id,
        method: request.method,
        url: request.routeOptions.url,
        stack,
      });
    }
    const { status, error: answer } = known ?? {
      status: 500,
      error: new StoreError(
        'INTERNAL_ERROR',
        `Internal error. The log of the server says more, at request ${request.id}.`,
      ),
    };
    reply.code(status).type('application/json').send(JSON.stringify(answer));
  };
}

/** Null for what nobody expected: its words could give away what is not for clients. */
function knownFault(error: unknown): { readonly status: number; readonly error: StoreError } | null {
  if (error instanceof StoreError) return { status: error.status, error };
  if (error instanceof MtrackError && error.code === 'URI_INVALID') {
    // The place of these files is of a kind that nothing here leads to.
    return { status: 501, error: new StoreError('NOT_IMPLEMENTED', error.failure.found) };
  }
  if (error instanceof MtrackError) {
    // The database has gone, or its disk is full: it may be back in a moment.
    return {
      status: 503,
      error: new StoreError('TEMPORARILY_UNAVAILABLE', `The store cannot be used: ${error.code}.`),
    };
  }
  const status = error instanceof TooLarge ? 413 : statusOf(error);
  if (status === null) return null;
  return { status, error: new StoreError('INVALID_PARAMETER_VALUE', error instanceof Error ? error.message : '') };
}

/** A file, or a request, that is larger than the operator allows. */
export class TooLarge extends Error {
  constructor(limit: number, what: 'file' | 'body' = 'file') {
    super(`The ${what} is larger than ${limit} bytes, which is the most that this server takes.`);
  }
}

/** The framework's own refusals: a body that is too large, a URL that cannot be decoded. */
function statusOf(error: unknown): number | null {
  if (!(error instanceof Error) || !('statusCode' in error) || !('code' in error)) return null;
  const { statusCode, code } = error;
  const refused = typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500;
  return refused && typeof code === 'string' && code.startsWith('FST_') ? statusCode : null;
}
