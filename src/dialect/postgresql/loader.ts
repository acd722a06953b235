/** Rows into PostgreSQL by COPY (https://www.postgresql.org/docs/current/sql-copy.html#id-1.9.3.55.9.2: the text format). */
import { pipeline } from 'node:stream/promises';
import { from } from 'pg-copy-streams';
import { hexOf, type Loader, numberText, type Row, type Value } from '../loader.js';
import { type CopyingClient, openSession } from './connect.js';
import type { PostgresqlOptions } from './options.js';
import { quote } from './spell.js';

/** Characters that go to the server at once. */
const CHUNK = 1 << 18;

export async function openLoader(options: PostgresqlOptions, program: string): Promise<Loader> {
  let client: CopyingClient | undefined;
  const session = await openSession(options, program, (opened) => {
    client = opened;
  });
  return {
    ...session,
    load: async (table, columns, rows) => {
      if (!client) throw new Error('no connection was made');
      const names = columns.map(({ name }) => quote(name)).join(', ');
      await pipeline(chunksOf(rows), client.query(from(`COPY ${quote(table)} (${names}) FROM STDIN`)));
    },
  };
}

function* chunksOf(rows: readonly Row[]): Generator<string> {
  let text = '';
  for (const row of rows) {
    text += `${row.map(copyText).join('\t')}\n`;
    if (text.length < CHUNK) continue;
    yield text;
    text = '';
  }
  if (text !== '') yield text;
}

const SPECIAL = /[\\\n\r\t]/;
const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };

function copyText(value: Value): string {
  switch (typeof value) {
    case 'string':
      return SPECIAL.test(value) ? value.replace(/[\\\n\r\t]/g, (sign) => ESCAPES[sign] ?? sign) : value;
    case 'number':
      return numberText(value);
    case 'bigint':
      return value.toString();
    case 'boolean':
      return value ? 't' : 'f';
    default:
      return value === null ? '\\N' : `\\\\x${hexOf(value)}`;
  }
}
