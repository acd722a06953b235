/** All of a database that a look at it could change, as text: equal before and after when nothing was written. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { Server, TestDatabase } from './databases.js';
import { query } from './state.js';

const exec = promisify(execFile);
const MAX = { maxBuffer: 256 * 1024 * 1024 };

const hash = (content: string | Buffer) => createHash('sha256').update(content).digest('hex').slice(0, 16);

export async function fingerprint({ dialect }: Server, database: TestDatabase): Promise<string> {
  switch (dialect) {
    case 'sqlite':
      return filesBeside(database.name);
    case 'postgresql':
      return lines(
        await dumpOf('pg_dump', '-h', '127.0.0.1', '-U', 'postgres', database.name),
        // A row of the catalog that is written again, or moved, has another place and another transaction.
        ...(await query(
          database,
          `SELECT c.relkind, c.relname, c.relfilenode, c.xmin::text, c.ctid::text FROM pg_class c
           JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
           ORDER BY c.relname`,
        )),
      );
    case 'mysql':
      return lines(
        await dumpOf('mariadb-dump', '-h', '127.0.0.1', '-u', 'root', '--routines', '--events', database.name),
        ...(await query(
          database,
          `SELECT TABLE_NAME, TABLE_TYPE, CREATE_TIME, UPDATE_TIME, AUTO_INCREMENT FROM information_schema.TABLES
           WHERE TABLE_SCHEMA = DATABASE() ORDER BY TABLE_NAME`,
        )),
      );
  }
}

const lines = (...parts: readonly unknown[]) =>
  parts.map((part) => (typeof part === 'string' ? part : JSON.stringify(part))).join('\n');

/** The hash of a dump, but for what changes with every one: its date, and the key of psql's restricted mode. */
async function dumpOf(program: string, ...args: string[]): Promise<string> {
  const { stdout } = await exec(program, args, MAX);
  return `dump ${hash(stdout.replaceAll(/^\\(un)?restrict .*$|^-- Dump completed.*$/gm, ''))}`;
}

/** Every file in the folder: name, content, mode, and when it was written. @param ignore content of files that may change */
export function filesBeside(path: string, ignore: (name: string) => boolean = () => false): string {
  const folder = dirname(path);
  return readdirSync(folder)
    .sort()
    .map((name) => {
      const file = join(folder, name);
      const { mtimeNs, mode, size } = statSync(file, { bigint: true });
      return ignore(name) ? name : `${name} ${size} ${hash(readFileSync(file))} ${mtimeNs} ${mode}`;
    })
    .join('\n');
}

/** Every file and folder below a folder: path, content, mode, and when it was written. */
export function treeBelow(root: string): string {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      const { mtimeNs, mode, size } = statSync(path, { bigint: true });
      return `${path} ${entry.isDirectory() ? '/' : `${size} ${hash(readFileSync(path))}`} ${mtimeNs} ${mode}`;
    })
    .sort()
    .join('\n');
}
