/**
 * Databases and file stores that real MLflow wrote, and golden schemas (see the README there). The whole set lies beside
 * the checkout of a developer (`../shared/fixtures`); a small part of it is in the project, for everybody else.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';

const SHARED = resolve(import.meta.dirname, '../../../shared/fixtures');
const OWN = resolve(import.meta.dirname, '../fixtures');

export const FIXTURES = process.env.MTRACK_FIXTURES ?? (existsSync(SHARED) ? SHARED : OWN);
/** The scripts that made the goldens and read stores back with real MLflow. */
export const MAKE = join(existsSync(SHARED) ? SHARED : OWN, 'make');

const SUFFIX = { sqlite: '.db', postgresql: '.sql.gz', mysql: '.sql.gz' } as const;
export type FixtureKind = keyof typeof SUFFIX;

const byNumber = (a: string, b: string) => a.localeCompare(b, 'en', { numeric: true });

/** MLflow releases that there is a database of, oldest first. */
export function releases(kind: FixtureKind): string[] {
  const folder = join(FIXTURES, kind);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith(SUFFIX[kind]))
    .map((name) => name.slice(0, -SUFFIX[kind].length))
    .sort(byNumber);
}

export function fixturePath(kind: FixtureKind, release: string): string {
  return join(FIXTURES, kind, `${release}${SUFFIX[kind]}`);
}

/** MLflow releases that there is a file store of, oldest first. */
export function fileStoreReleases(): string[] {
  const folder = join(FIXTURES, 'filestore');
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith('.tar.gz'))
    .map((name) => name.slice(0, -'.tar.gz'.length))
    .sort(byNumber);
}

/** Unpacks the file store that a release wrote. @returns its root, `mlruns` in the folder */
export function unpackFileStore(release: string, folder: string): string {
  execFileSync('tar', ['-xzf', join(FIXTURES, 'filestore', `${release}.tar.gz`), '-C', folder]);
  return join(folder, 'mlruns');
}

/** What real MLflow 3.17.2 reads from a fixture after its own upgrade; null where nothing is recorded. */
export function expectedAfterUpgrade(kind: FixtureKind | 'filestore', release: string): unknown {
  for (const folder of ['expected-after-upgrade', 'expected']) {
    const path = join(FIXTURES, folder, `${release}.${kind}.json.gz`);
    if (existsSync(path)) return JSON.parse(gunzipSync(readFileSync(path)).toString('utf8'));
  }
  return null;
}
