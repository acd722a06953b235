import type { FaultKind } from './dialect.js';

/** The code that a driver put on an error, or on one of its causes. */
export function codeOf(error: unknown): string | undefined {
  for (let each = error, depth = 0; each instanceof Error && depth < 5; each = each.cause, depth++) {
    if ('code' in each && typeof each.code === 'string') return each.code;
  }
  return undefined;
}

/** The number that a driver put on an error, or on one of its causes. */
export function numberOf(error: unknown, property: 'errno' | 'number' | 'errcode'): number | undefined {
  for (let each = error, depth = 0; each instanceof Error && depth < 5; each = each.cause, depth++) {
    const value = (each as unknown as Record<string, unknown>)[property];
    if (typeof value === 'number') return value;
  }
  return undefined;
}

/** For drivers that put no code on an error. */
export function messageIncludes(error: unknown, ...parts: string[]): boolean {
  return error instanceof Error && parts.some((part) => error.message.includes(part));
}

/** Of the socket, whichever driver holds it. */
const SOCKET: Readonly<Record<string, FaultKind>> = {
  ECONNREFUSED: 'connect-failed',
  ENOTFOUND: 'connect-failed',
  EAI_AGAIN: 'connect-failed',
  ENOENT: 'connect-failed',
  ECONNRESET: 'connection-lost',
  EPIPE: 'connection-lost',
  ETIMEDOUT: 'connection-lost',
  EHOSTUNREACH: 'connection-lost',
  ENETUNREACH: 'connection-lost',
  // The driver had not heard yet that it broke.
  ERR_STREAM_DESTROYED: 'connection-lost',
  ERR_STREAM_WRITE_AFTER_END: 'connection-lost',
};

/** What the system said of a connection: whether it broke, or was never made. */
export function socketFault(error: unknown): FaultKind | undefined {
  const kind = SOCKET[codeOf(error) ?? ''];
  return kind && isOfConnect(error) ? 'connect-failed' : kind;
}

function isOfConnect(error: unknown): boolean {
  for (let each = error, depth = 0; each instanceof Error && depth < 5; each = each.cause, depth++) {
    if ('syscall' in each) return each.syscall === 'connect';
  }
  return false;
}
