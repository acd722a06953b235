/** A file store opened for garbage collection: looked at, or with the lock that lets one collection run at a time. */
import { statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { FileLock } from '../../dialect/file-lock.js';
import { MtrackError } from '../../errors.js';
import type { OpenTrash, Restorer } from '../source.js';
import { removeLeftovers } from './folders.js';
import { FileTrash } from './source.js';

/** A file in the root, where MLflow looks at folders only. */
const LOCK = '.mtrack-gc.lock';

/** @param restorer of the file store itself, which knows how records are written */
export function fileTrash(path: string, restorer: Restorer): OpenTrash {
  const root = resolve(path);
  return {
    look: async (_, use) => {
      makeSureOf(root);
      return use(new FileTrash(root));
    },
    work: async (wait, use) => {
      makeSureOf(root);
      const lock = new FileLock(join(root, LOCK), 'gc');
      await lock.take(wait);
      try {
        await removeLeftovers(root);
        return await use(new FileTrash(root), restorer);
      } finally {
        await lock.release();
      }
    },
  };
}

function makeSureOf(root: string): void {
  if (statSync(root, { throwIfNoEntry: false })?.isDirectory()) return;
  throw new MtrackError('URI_INVALID', {
    found: `${root} is no folder`,
    expected: 'the folder of a file store (mlruns)',
    fix: ['check the store URI'],
  });
}
