import { StoreError } from '../errors.js';

/** Stands for a noun until it is built: whatever is asked of it throws NOT_IMPLEMENTED. */
export function notBuilt<Noun extends object>(what: string): Noun {
  return new Proxy({} as Noun, {
    get: () => {
      throw new StoreError('NOT_IMPLEMENTED', `this build has no ${what} yet`);
    },
  });
}
