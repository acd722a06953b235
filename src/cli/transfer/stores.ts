/** The stores that rows are moved between: by URI, or as an archive. */
import type { Database, Dialect } from '../../dialect/dialect.js';
import { explained } from '../../dialect/explain.js';
import type { Session } from '../../dialect/session.js';
import { shellWord } from '../../dialect/shell.js';
import { MtrackError } from '../../errors.js';
import { openArchive } from '../../transfer/archive/read.js';
import { isArchive, type Unpacked, unpacked, unpackStream } from '../../transfer/archive/unpack.js';
import { openDatabaseSource } from '../../transfer/database.js';
import { openFiles } from '../../transfer/files/index.js';
import type { Source } from '../../transfer/source.js';
import { type DatabaseUri, formatUri, parseStoreUri, type StoreUri, secretsOf, wordsOf } from '../../uri.js';
import { keepHeapSmall } from '../memory.js';
import { waitingNotes } from '../progress.js';
import { withDatabase } from '../store.js';
import type { Terminal } from '../terminal.js';

/** What rows are to be of, where a source has no revision of its own. */
export type Shape = Parameters<typeof openFiles>[1];

/** Opens a source. */
export interface Opener {
  /** A source that has a revision of its own; null where it has none. @param dialect that its rows are for */
  first(dialect: Dialect): Promise<Source | null>;
  /** A source that has rows of whatever revision is asked for. */
  at(shape: Shape): Source;
}

export type SourceFlags = { readonly 'wait-timeout': number };

/**
 * Uses a source: the URI of a store, the path of an archive, or `-`, an archive from the standard input.
 * @throws {MtrackError} URI_INVALID and those of opening a database
 */
export async function withSource<Result>(
  text: string,
  flag: string,
  flags: SourceFlags,
  terminal: Terminal,
  use: (opener: Opener) => Promise<Result>,
): Promise<Result> {
  keepHeapSmall();
  if (text === '-')
    return use(archiveOpener('the standard input', () => unpackStream(process.stdin, 'the standard input')));
  const uri = storeNamed(text, terminal);
  if (uri.kind === 'files') {
    const { path } = uri;
    return use(isArchive(path) ? archiveOpener(path, () => unpacked(path)) : filesOpener(path));
  }
  return withStore(uri, flag, terminal, (database) => use(databaseOpener(database, flags, terminal)));
}

/** @param flag with which it was named */
export function withStore<Result>(
  uri: DatabaseUri,
  flag: string,
  terminal: Terminal,
  use: (database: Database) => Promise<Result>,
): Promise<Result> {
  return withDatabase({ uri, named: `${flag} ${shellWord(formatUri(uri))}` }, terminal.note, use);
}

/** A store by its URI, of which no secret gets out. @throws {MtrackError} URI_INVALID */
export function storeNamed(text: string, terminal: Terminal): StoreUri {
  const uri = parseStoreUri(text);
  terminal.keepSecret(secretsOf(uri), wordsOf(uri));
  return uri;
}

/** @throws {MtrackError} USAGE */
export function refuseSame(from: string, to: string, terminal: Terminal): void {
  if (from === '-' || formatUri(storeNamed(from, terminal)) !== formatUri(storeNamed(to, terminal))) return;
  throw new MtrackError('USAGE', { found: `source and target are the same store: ${to}`, fix: ['name two'] });
}

const NOT_FIRST = new Error('a source that has a revision of its own is opened first');

const filesOpener = (path: string): Opener => ({
  first: async () => null,
  at: (shape) => openFiles(path, shape),
});

const archiveOpener = (shown: string, unpack: () => Promise<Unpacked>): Opener => ({
  first: async ({ traits }) => {
    const archive = await unpack();
    try {
      return openArchive(archive, shown, traits);
    } catch (error) {
      archive.remove();
      throw error;
    }
  },
  at: () => {
    throw NOT_FIRST;
  },
});

/** Runs what asks a database, whose name is in what it says against it: there may be two of a kind. */
export async function explaining<Result>(database: Database, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw explained(error, database.dialect, database.shown);
  }
}

async function* explainingEach<Item>(database: Database, items: AsyncIterable<Item>): AsyncGenerator<Item> {
  try {
    yield* items;
  } catch (error) {
    throw explained(error, database.dialect, database.shown);
  }
}

function explainingSession(database: Database, session: Session): Session {
  return {
    ...session,
    rows: (query) => explaining(database, () => session.rows(query)),
    run: (statement) => explaining(database, () => session.run(statement)),
  };
}

const databaseOpener = (database: Database, flags: SourceFlags, terminal: Terminal): Opener => ({
  first: () =>
    explaining(database, async () => {
      const wait = { patience: flags['wait-timeout'], onWait: waitingNotes(terminal.note) };
      const source = await openDatabaseSource(database, wait);
      return {
        ...source,
        session: explainingSession(database, source.session),
        batches: (...asked) => explainingEach(database, source.batches(...asked)),
        only: (...asked) => explainingEach(database, source.only(...asked)),
      };
    }),
  at: () => {
    throw NOT_FIRST;
  },
});
