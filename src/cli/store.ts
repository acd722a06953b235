/** The database that a command works on: from argument, flag, file or environment to an open dialect. */
import { Args, Flags } from '@oclif/core';
import { type ResolvedUri, readEnvironment, resolveStoreUri } from '../config.js';
import type { Database } from '../dialect/dialect.js';
import { explained } from '../dialect/explain.js';
import { openDatabase } from '../dialect/index.js';
import { shellWord } from '../dialect/shell.js';
import { MtrackError } from '../errors.js';
import { type DatabaseUri, formatUri, type StoreUri } from '../uri.js';

/** The store as an argument: `mtrack db … [db_uri]`. */
export const databaseArg = {
  db_uri: Args.string({
    description:
      'store URI of the database, as for `mlflow server --backend-store-uri`; a password in it shows in `ps`: there are other ways',
  }),
};

/**
 * The other ways to name a database: a flag, a file that no list of processes shows, MLflow's environment variables.
 */
export const databaseFlags = {
  'backend-store-uri': Flags.string({ description: 'the same as the argument', helpValue: 'URI', helpGroup: 'STORE' }),
  'backend-store-uri-file': Flags.string({
    description: 'a file that holds the store URI, so that it shows nowhere',
    helpValue: 'PATH',
    helpGroup: 'STORE',
  }),
};

/** A list with commas; null where it is not given. */
export function idList(text: string | undefined): readonly string[] | null {
  if (text === undefined) return null;
  const ids = text.split(',').map((each) => each.trim());
  return [...new Set(ids)].filter((id) => id !== '');
}

/** The same for commands that also serve file stores. */
export const storeArg = {
  store_uri: Args.string({
    description:
      'store URI, as for `mlflow server --backend-store-uri`; a password in it shows in `ps`: there are other ways',
  }),
};

export interface StoreInput {
  readonly argument: string | undefined;
  readonly flags: {
    readonly 'backend-store-uri'?: string | undefined;
    readonly 'backend-store-uri-file'?: string | undefined;
  };
}

/** A database as it was named: on the command line, in a file, or by the environment. */
export interface NamedDatabase {
  readonly uri: DatabaseUri;
  /** The words that name it again; see Database.named. */
  readonly named: string;
}

/** The same of any store. */
export interface NamedStore {
  readonly uri: StoreUri;
  readonly named: string;
}

/** @throws {MtrackError} USAGE, URI_INVALID */
export function namedStore({ argument, flags }: StoreInput): NamedStore {
  const file = flags['backend-store-uri-file'];
  const { uri, source } = resolveStoreUri({
    argument,
    flag: flags['backend-store-uri'],
    file,
    env: readEnvironment(process.env),
  });
  return { uri, named: wordsToName(uri, source, file ?? '') };
}

/** @throws {MtrackError} USAGE, URI_INVALID */
export function namedDatabase(input: StoreInput): NamedDatabase {
  const { uri, named } = namedStore(input);
  if (uri.kind === 'database') return { uri, named };
  throw new MtrackError('URI_INVALID', {
    found: `${uri.path} is a file store, a folder`,
    expected: 'the URI of a database: sqlite:///…, postgresql://…, mysql://…, mssql://…',
    fix: [`if ${uri.path} is a database file, write sqlite:///${uri.path}; a file store has no schema to upgrade`],
  });
}

/** The words of a command that name the store again as it was named; a password is not repeated. */
export function wordsToName(uri: StoreUri, source: ResolvedUri['source'], file: string): string {
  switch (source) {
    case 'words':
      return shellWord(formatUri(uri));
    case 'file':
      return `--backend-store-uri-file ${shellWord(file)}`;
    case 'environment':
      return '';
  }
}

/**
 * Opens the database for a command, and puts what the database says against it into words.
 * @param echo receives each statement where MLFLOW_SQLALCHEMYSTORE_ECHO is on
 */
export async function withDatabase<T>(
  { uri, named }: NamedDatabase,
  echo: (statement: string) => void,
  use: (database: Database) => Promise<T>,
): Promise<T> {
  const { pool, mysqlTls, postgresql, tools } = readEnvironment(process.env);
  const database = await openDatabase(uri, { pool, mysqlTls, postgresql, tools, named, ...(pool.echo && { echo }) });
  try {
    return await use(database);
  } catch (error) {
    throw explained(error, database.dialect, database.shown);
  }
}
