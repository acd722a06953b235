/** The words of migrations in the SQL that MySQL and MariaDB share. */
import type { SqlWords } from '../../schema/words.js';
import { firstByWindow } from '../groups.js';
import { plainJson } from '../plain-json.js';
import { rangeMarker } from '../ranges.js';
import { literal, quote } from './spell.js';

/** A number that a double can hold: one that it cannot makes a strict session fail, as does `-`, which MariaDB calls a number. */
const NUMBER = literal('^-?[0-9]{1,100}([.][0-9]*)?([eE][+-]?[0-9]{1,2})?$');
/** Digits without exponent, few enough for DECIMAL(65, 20). */
const PLAIN = literal('^-?[0-9]{1,40}([.][0-9]{0,20})?$');
/** MariaDB calls `1.`, `1e` and `-` numbers, and then fails to read some of what JSON_VALID is true of. */
const LENIENT = '[.+-]([^0-9]|$)|[0-9][eE]([^-+0-9]|$)';
const READABLE = literal(`[^-+0-9.eE:,{}"_a-zA-Z ]|${LENIENT}`);
const isReadable = (text: string) => `${text} NOT REGEXP ${READABLE} AND JSON_VALID(${text})`;
const NUMERIC = "('INTEGER', 'UNSIGNED INTEGER', 'DOUBLE', 'DECIMAL')";

const path = (key: string) => literal(`$."${key}"`);
const extract = (text: string, at: string) => `JSON_EXTRACT(${text}, ${at})`;
const wholeNumber = (x: string) =>
  `CASE WHEN ${x} >= -9223372036854775808 AND ${x} < 9223372036854775808 AND ${x} = FLOOR(${x}) THEN CAST(${x} AS SIGNED) END`;

const asDouble = (text: string) => `CASE WHEN ${text} REGEXP ${NUMBER} THEN ${text} + 0e0 END`;
/** Whole numbers beyond 2^53 are lost in a double: digits are read as DECIMAL. */
const asWhole = (text: string) => {
  const decimal = `CAST(${text} AS DECIMAL(65, 20))`;
  return `CASE WHEN ${text} REGEXP ${PLAIN} THEN CASE WHEN ${decimal} BETWEEN -9223372036854775808 AND 9223372036854775807 AND ${decimal} = FLOOR(${decimal}) THEN CAST(${decimal} AS SIGNED) END WHEN ${text} REGEXP ${NUMBER} THEN ${wholeNumber(`(${text} + 0e0)`)} END`;
};

const member = (text: string, key: string, read: (value: string) => string) => {
  const value = extract(text, path(key));
  return `CASE WHEN ${isReadable(text)} THEN CASE WHEN JSON_TYPE(${value}) IN ${NUMERIC} THEN ${read(`JSON_UNQUOTE(${value})`)} END END`;
};

/** How the statements of migrations are worded for MySQL and MariaDB. */
export const words: SqlWords = {
  id: quote,
  literal,
  range: (column) => rangeMarker(quote(column)),
  count: () => 'COUNT(*)',
  left: (text, length) => `LEFT(${text}, ${length})`,
  characters: (text) => `CHAR_LENGTH(${text})`,
  firstOfEach: (groups) => firstByWindow(groups, quote, (column) => rangeMarker(quote(column))),
  now: () => 'CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS SIGNED)',
  // InnoDB stores neither NaN nor infinities.
  finite: (double) => double,
  wholeNumber,
  exactly: (text) => `CONVERT(${text} USING utf8mb4) COLLATE utf8mb4_bin`,
  // As text, and not as the object that the driver makes of JSON.
  jsonText: (column) => `CAST(${column} AS CHAR)`,
  // Exponents of three digits may be too large or too small for a double.
  isPlainJson: (text, keys, numbers) =>
    `${plainJson(text, keys, numbers, {
      literal,
      characters: (each) => `CHAR_LENGTH(${each})`,
      hasOnly: (each, characters) => `${each} NOT REGEXP ${literal(`[^${characters}]`)}`,
    })} AND ${text} NOT REGEXP ${literal(`${LENIENT}|[eE][-+]?[0-9]{3}|[0-9]{60}`)}`,
  jsonNumber: (text, key) => member(text, key, asDouble),
  jsonWholeNumber: (text, key) => member(text, key, asWhole),
  jsonString: (column, key) => {
    const value = extract(column, path(key));
    return `CASE WHEN JSON_VALID(${column}) THEN CASE WHEN JSON_TYPE(${value}) = 'STRING' THEN JSON_UNQUOTE(${value}) END END`;
  },
  jsonHasMoreThan: (column, keys) => {
    const known = keys.map((key) => `COALESCE(JSON_TYPE(${extract(column, path(key))}) IN ('STRING', 'NULL'), 0)`);
    return `(${column} IS NOT NULL AND CASE WHEN NOT JSON_VALID(${column}) THEN 1 WHEN JSON_TYPE(${column}) = 'NULL' THEN 0 WHEN JSON_TYPE(${column}) <> 'OBJECT' THEN 1 ELSE JSON_LENGTH(${column}) <> ${known.join(' + ')} END)`;
  },
  jsonScalarNumber: (text) =>
    `CASE WHEN ${isReadable(text)} THEN ${asDouble(`JSON_UNQUOTE(${extract(text, "'$'")})`)} END`,
};
