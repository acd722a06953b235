/** Paths in a repository: what every implementation refuses, so that none leads out of its root. */
import { invalidParameter } from '../store/errors.js';

/**
 * The names in a path, from the root; none for the root itself.
 * @throws {StoreError} INVALID_PARAMETER_VALUE for a path that is not relative, or has an empty name, `.`, `..` or a NUL in it
 */
export function namesIn(path: string): readonly string[] {
  if (path === '') return [];
  const names = path.split('/');
  if (path.includes('\0') || names.some((name) => name === '' || name === '.' || name === '..')) {
    throw invalidParameter('Invalid path');
  }
  return names;
}

/** The path of a name in a folder, which is the root when it is empty. */
export const joined = (folder: string, name: string): string => (folder === '' ? name : `${folder}/${name}`);

/** As MLflow sorts listings. */
export const byPath = (a: { readonly path: string }, b: { readonly path: string }): number =>
  a.path < b.path ? -1 : a.path > b.path ? 1 : 0;
