/** Writing, with the words for what the file system refuses. */
import { unlinkSync } from 'node:fs';
import { messageOf } from '../../errors.js';
import { StoreError } from '../errors.js';
import { type Changes, codeOf } from './changes.js';

/** @throws StoreError for what the file system refuses, as a disk that is full; Taken */
export async function commit(changes: Changes): Promise<void> {
  try {
    await changes.commit();
  } catch (error) {
    throw codeOf(error) === undefined ? error : new StoreError('INTERNAL_ERROR', messageOf(error), { cause: error });
  }
}

/** @returns whether it was there */
export function removeFile(path: string): boolean {
  try {
    unlinkSync(path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return false;
    throw new StoreError('INTERNAL_ERROR', messageOf(error), { cause: error });
  }
}
