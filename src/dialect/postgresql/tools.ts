/**
 * pg_dump, pg_restore and psql, told where the server is as libpq is. The password is in PGPASSWORD: libpq takes a password
 * file only if it is a regular file on disk, and its tools connect more than once, so that a pipe would be empty.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { MtrackError } from '../../errors.js';
import type { DatabaseUri } from '../../uri.js';
import { findTool, type Tool, type ToolEnvironment } from '../tools.js';
import { type PgConnection, VARIABLES, withDefaults } from './options.js';

export type ToolName = 'pg_dump' | 'pg_restore' | 'psql';

/** Where packages put the tools of one major version, beside those of others. */
const PARENTS = ['/usr/lib/postgresql', '/usr/local/opt', '/opt/homebrew/opt', '/usr'];
const OF_VERSION = /^(?:\d+|postgresql(?:@\d+)?|pgsql-\d+)$/;

function foldersOfVersions(): string[] {
  const folders = PARENTS.filter((parent) => existsSync(parent)).flatMap((parent) =>
    readdirSync(parent)
      .filter((name) => OF_VERSION.test(name))
      .map((name) => join(parent, name, 'bin')),
  );
  return folders.sort((a, b) => b.localeCompare(a, 'en', { numeric: true }));
}

/** @param major of the server: an older tool does not know what it has @throws {MtrackError} BACKUP_FAILED */
export function pgTool(name: ToolName, environment: ToolEnvironment, major = 0): Promise<Tool> {
  return findTool([name], environment, {
    folders: foldersOfVersions(),
    isGood: (version) => Number(/(\d+)(?:\.\d+)?/.exec(version)?.[1] ?? 0) >= major,
    needed: `${name} of PostgreSQL${major > 0 ? ` ${major} or newer, as the server is` : ''}`,
  });
}

/** Of libpq's own defaults these may hold a password that no URI names. */
const PASSWORDS = ['PGPASSWORD', 'PGPASSFILE'];

/** The variables with which a tool goes where mtrack itself goes. @throws {MtrackError} BACKUP_FAILED */
export function connectionVariables(
  uri: DatabaseUri,
  { host, port, user, database, password, options }: PgConnection,
  { environment, tools }: { environment: Readonly<Record<string, string>>; tools: ToolEnvironment },
): ToolEnvironment {
  const given = withDefaults(uri, environment);
  if (given.has('sslpassword')) {
    throw new MtrackError('BACKUP_FAILED', {
      found: 'the key of the client certificate has a passphrase, which cannot be given to pg_dump without showing it',
      fix: ['name a key without a passphrase that only its user can read: sslkey in the store URI'],
    });
  }
  const others = Object.entries(tools).filter(([name]) => !/^PG[A-Z]+$/.test(name) || PASSWORDS.includes(name));
  const tls = Object.entries(VARIABLES).flatMap(([variable, name]) => {
    const value = given.get(name)?.at(-1) ?? (name === 'sslmode' ? given.get('ssl')?.at(-1) : undefined);
    return /^(?:ssl|channel|gss)/.test(name) && value !== undefined ? [[variable, value] as const] : [];
  });
  return {
    ...Object.fromEntries([...others, ...tls]),
    PGHOST: host,
    PGPORT: String(port),
    PGUSER: user,
    PGDATABASE: database,
    PGAPPNAME: 'mtrack',
    ...(password !== undefined && { PGPASSWORD: password }),
    ...(options !== undefined && { PGOPTIONS: options }),
  };
}
