/** Rows into MySQL and MariaDB: many in each INSERT. LOAD DATA LOCAL would be no faster by much, and most servers refuse it. */
import { hexOf, type Loader, numberText, type Row, type Value } from '../loader.js';
import type { Session } from '../session.js';
import { openSession } from './connect.js';
import type { MysqlOptions } from './options.js';
import { quote } from './spell.js';

/** Characters of a statement, where the server takes that much: it has the whole of it in memory. */
const STATEMENT = 1_000_000;
/** Bytes that a character can have. */
const WIDEST = 4;

export async function openLoader(options: MysqlOptions): Promise<Loader> {
  const session = await openSession(options);
  const longest = Math.min(STATEMENT, (await maxPacket(session)) / WIDEST);
  return {
    ...session,
    load: async (table, columns, rows) => {
      const into = `INSERT INTO ${quote(table)} (${columns.map(({ name }) => quote(name)).join(', ')}) VALUES `;
      for (const values of statementsOf(rows, longest - into.length)) await session.run(into + values);
    },
  };
}

async function maxPacket(session: Session): Promise<number> {
  const [row] = await session.rows<{ bytes: number | string }>('SELECT @@max_allowed_packet AS bytes');
  return Number(row?.bytes ?? STATEMENT);
}

/** At least one row in each, however long it is. */
function* statementsOf(rows: readonly Row[], longest: number): Generator<string> {
  let text = '';
  for (const row of rows) {
    const tuple = `(${row.map(literalOf).join(',')})`;
    if (text !== '' && text.length + tuple.length > longest) {
      yield text;
      text = '';
    }
    text += text === '' ? tuple : `,${tuple}`;
  }
  if (text !== '') yield text;
}

/** https://dev.mysql.com/doc/refman/8.4/en/string-literals.html */
const ESCAPES: Readonly<Record<string, string>> = {
  '\0': '\\0',
  '\n': '\\n',
  '\r': '\\r',
  '\x1a': '\\Z',
  "'": "\\'",
  '\\': '\\\\',
};
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const SPECIAL = /[\0\n\r\x1a'\\]/;

function literalOf(value: Value): string {
  switch (typeof value) {
    case 'string':
      // biome-ignore lint/suspicious/noControlCharactersInRegex: the same.
      return `'${SPECIAL.test(value) ? value.replace(/[\0\n\r\x1a'\\]/g, (sign) => ESCAPES[sign] ?? sign) : value}'`;
    case 'number':
      // Without an exponent -0.0 is a DECIMAL, which has one zero only.
      return Object.is(value, -0) ? '-0e0' : numberText(value);
    case 'bigint':
      return value.toString();
    case 'boolean':
      return value ? '1' : '0';
    default:
      return value === null ? 'NULL' : `X'${hexOf(value)}'`;
  }
}
