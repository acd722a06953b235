import { accessSync, constants, existsSync, statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Finding, PreflightScope } from '../dialect.js';
import type { Session } from '../session.js';
import { shellWord } from '../shell.js';
import { problemsIn, whenDamaged } from './integrity.js';

/** Generated columns came with it; MLflow asks for the same (https://www.sqlite.org/gencol.html). */
const OLDEST = [3, 31];

const IN_MEMORY: Finding = {
  severity: 'warns',
  found: 'the store URI names a database in memory, which is empty now and gone when this command ends',
  fix: 'to keep it, name a file: sqlite:///mlflow.db',
};

/** @param path of the database file; null for one in memory */
export async function preflight(path: string | null, session: Session, scope: PreflightScope): Promise<Finding[]> {
  if (path === null) return [...(await oldLibrary(session)), IN_MEMORY];
  return [
    ...(await oldLibrary(session)),
    ...unwritable(path),
    ...lackOfSpace(path, scope),
    ...(await damage(path, session)),
  ];
}

/** An upgrade copies what a broken index or page shows it, and what is left out is gone: nothing is changed before it is mended. */
async function damage(path: string, session: Session): Promise<Finding[]> {
  if (!existsSync(path)) return [];
  const problems = await problemsIn(session);
  if (problems.length === 0) return [];
  const found = `SQLite's integrity check finds the file broken: ${problems.join('; ')}`;
  return [{ severity: 'refuses', found, fix: whenDamaged(path).join('; ') }];
}

async function oldLibrary(session: Session): Promise<Finding[]> {
  const [row] = await session.rows<{ version: string }>('SELECT sqlite_version() AS version');
  const version = (row?.version ?? '0').split('.').map(Number);
  const old =
    (version[0] ?? 0) < (OLDEST[0] ?? 0) || (version[0] === OLDEST[0] && (version[1] ?? 0) < (OLDEST[1] ?? 0));
  return old
    ? [{ severity: 'refuses', found: `SQLite ${row?.version}`, fix: `use SQLite ${OLDEST.join('.')} or newer` }]
    : [];
}

function unwritable(path: string): Finding[] {
  if (!existsSync(dirname(path)))
    return [
      {
        severity: 'refuses',
        found: `there is no folder ${dirname(path)}`,
        fix: `check the store URI (sqlite:/// and a relative, sqlite://// and an absolute path), or: mkdir -p ${shellWord(dirname(path))}`,
      },
    ];
  const targets = existsSync(path) ? [path, dirname(path)] : [dirname(path)];
  return targets.flatMap((target): Finding[] => {
    try {
      accessSync(target, constants.W_OK);
      return [];
    } catch {
      return [
        {
          severity: 'refuses',
          found: `${target} cannot be written by this user`,
          fix: `run as a user that can write ${target}: SQLite needs the file and its folder, for the journal`,
        },
      ];
    }
  });
}

/** The new copies of tables, and the journal that keeps the old pages: together at most twice the tables, and the file. */
function lackOfSpace(path: string, scope: PreflightScope): Finding[] {
  if (!existsSync(path)) return [];
  const rewritten = scope.heavy.reduce((sum, name) => sum + (scope.stats.get(name)?.bytes ?? 0), 0);
  const needed = rewritten + Math.min(2 * rewritten, statSync(path).size);
  const { bavail, bsize } = statfsSync(dirname(path));
  const free = bavail * bsize;
  if (free >= needed) return [];
  return [
    {
      severity: 'refuses',
      found: `${megabytes(free)} MB are free on the disk of ${path}, and up to ${megabytes(needed)} MB are needed for a while`,
      fix: `free ${megabytes(needed - free)} MB, or move the file to a larger disk for the upgrade`,
    },
  ];
}

const megabytes = (bytes: number) => Math.ceil(bytes / 1e6);
