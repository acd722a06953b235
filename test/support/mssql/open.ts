import { DEFAULT_POOL } from '../../../src/config.js';
import type { Database, OpenOptions } from '../../../src/dialect/dialect.js';
import { openDatabase } from '../../../src/dialect/index.js';
import { parseStoreUri } from '../../../src/uri.js';

const OPTIONS: OpenOptions = { pool: DEFAULT_POOL, mysqlTls: { ca: null, cert: null, key: null }, postgresql: {} };

/** Opens a store URI as a command does. */
export async function open(text: string): Promise<Database> {
  const uri = parseStoreUri(text);
  if (uri.kind !== 'database') throw new Error(`${text} is no database`);
  return openDatabase(uri, OPTIONS);
}
