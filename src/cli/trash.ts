/** The trash of the store that a command names. */
import { databaseTrash } from '../gc/database/open.js';
import { fileTrash } from '../gc/files/open.js';
import type { OpenTrash } from '../gc/source.js';
import { secretsOf, wordsOf } from '../uri.js';
import { namedStore, type StoreInput, withDatabase } from './store.js';
import type { Terminal } from './terminal.js';

/** @param use told also of the words that name the store on a command line */
export async function withTrash<T>(
  input: StoreInput,
  terminal: Terminal,
  use: (trash: OpenTrash, named: string) => Promise<T>,
): Promise<T> {
  const { uri, named } = namedStore(input);
  terminal.keepSecret(secretsOf(uri), wordsOf(uri));
  if (uri.kind === 'files') return use(fileTrash(uri.path), named);
  return withDatabase({ uri, named }, terminal.note, (database) => use(databaseTrash(database), named));
}
