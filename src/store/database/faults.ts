/** What a database says when it fails, in the codes that MLflow has for it. */
import type { FaultKind } from '../../dialect/dialect.js';
import { CommitUnknown, type Pool } from '../../dialect/pool.js';
import { messageOf } from '../../errors.js';
import { type ErrorCode, StoreError } from '../errors.js';

/** MLflow tells errors of operation, after which the same request may succeed, from those of data and statements. */
const CODES: Readonly<Record<Exclude<FaultKind, 'other' | 'duplicate'>, ErrorCode>> = {
  'lock-timeout': 'TEMPORARILY_UNAVAILABLE',
  deadlock: 'TEMPORARILY_UNAVAILABLE',
  'connection-lost': 'TEMPORARILY_UNAVAILABLE',
  'connect-failed': 'TEMPORARILY_UNAVAILABLE',
  'disk-full': 'TEMPORARILY_UNAVAILABLE',
  'read-only': 'TEMPORARILY_UNAVAILABLE',
  damaged: 'INTERNAL_ERROR',
  permission: 'BAD_REQUEST',
};

/** A row with the same key is there. */
export class DuplicateKey extends StoreError {
  constructor(cause: unknown) {
    super('BAD_REQUEST', messageOf(cause), { cause });
  }
}

/** Every driver puts a code on the errors of its database. */
const isOfDatabase = (error: unknown) => error instanceof Error && ('code' in error || 'errno' in error);

function asStoreError(error: unknown, faultOf: (error: unknown) => FaultKind): unknown {
  if (error instanceof StoreError) return error;
  if (error instanceof CommitUnknown) {
    const message = `${error.message}; it may have been written or not: look before you repeat it`;
    return new StoreError('TEMPORARILY_UNAVAILABLE', message, { cause: error });
  }
  const fault = faultOf(error);
  if (fault === 'duplicate') return new DuplicateKey(error);
  if (fault !== 'other') return new StoreError(CODES[fault], messageOf(error), { cause: error });
  return isOfDatabase(error) ? new StoreError('BAD_REQUEST', messageOf(error), { cause: error }) : error;
}

/** A pool whose database fails with a StoreError. */
export function withStoreErrors<Tables>(pool: Pool<Tables>, faultOf: (error: unknown) => FaultKind): Pool<Tables> {
  const explained = <Result>(result: Promise<Result>) =>
    result.catch((error: unknown) => {
      throw asStoreError(error, faultOf);
    });
  return {
    ...pool,
    read: (work) => explained(pool.read(work)),
    write: (work, options) => explained(pool.write(work, options)),
  };
}

/** Once more where somebody else's row was quicker: the second time it is there to be found. */
export async function orAgain<Result>(attempt: () => Promise<Result>): Promise<Result> {
  try {
    return await attempt();
  } catch (error) {
    if (!(error instanceof DuplicateKey)) throw error;
    return attempt();
  }
}
