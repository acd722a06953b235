/**
 * The words of migrations in T-SQL. JSON is read by ISJSON, JSON_VALUE and OPENJSON, which SQL Server has since 2016
 * (https://learn.microsoft.com/en-us/sql/relational-databases/json/json-data-sql-server). A function that is given text
 * that is not JSON fails, so each is given text only where ISJSON says it may.
 */
import type { SqlWords } from '../../schema/words.js';
import { firstByWindow } from '../groups.js';
import { plainJson } from '../plain-json.js';
import { rangeMarker } from '../ranges.js';
import { EXACT, literal, quote, unicode } from './spell.js';

/** Types of OPENJSON. */
const NULL = 0;
const STRING = 1;
const NUMBER = 2;

/** A name of a JSON path, quoted: MLflow's have dots in them. */
const path = (key: string) => unicode(`$."${key.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`);

const members = (json: string) => `OPENJSON(CASE WHEN ISJSON(${json}) = 1 THEN ${json} END)`;

/**
 * A text as the only element of an array: before SQL Server 2022 ISJSON knows objects and arrays only. Text that is not
 * JSON can become several elements, or none.
 */
const wrapped = (text: string) => `N'[' + CAST(${text} AS nvarchar(max)) + N']'`;

/**
 * What Python's float() takes, but for underscores, infinities and NaN. TRY_CAST alone takes more: an empty text is 0 to
 * it, and `1d5` a number. BIN2 compares by code points, so that a range of digits holds no other digits.
 */
const isNumber = (text: string) => {
  const bytes = `${text} COLLATE Latin1_General_BIN2`;
  return ["LIKE N'%[0-9]%'", "NOT LIKE N'%[^-0-9.eE+ ]%'", "NOT LIKE N'[eE]%'", "NOT LIKE N'%[-eE+]'"]
    .map((condition) => `${bytes} ${condition}`)
    .join(' AND ');
};

const wholeNumber = (x: string) =>
  `CASE WHEN ${x} >= -9223372036854775808E0 AND ${x} < 9223372036854775808E0 AND ${x} = FLOOR(${x}) THEN CAST(${x} AS bigint) END`;

/** Whole numbers beyond 2^53 are lost in a double: digits are read as a decimal, which knows no exponent. */
const asWhole = (text: string) => {
  const decimal = `TRY_CAST(${text} AS decimal(38, 18))`;
  return `CASE WHEN ${decimal} IS NULL THEN ${wholeNumber(`TRY_CAST(${text} AS float)`)} WHEN ${decimal} BETWEEN -9223372036854775808 AND 9223372036854775807 AND ${decimal} = FLOOR(${decimal}) THEN CAST(${decimal} AS bigint) END`;
};

/** JSON_VALUE gives NULL for what is longer than 4000 characters, which no number is. */
const member = (text: string, key: string, read: (value: string) => string) => {
  const value = `JSON_VALUE(${text}, ${path(key)})`;
  return `CASE WHEN ISJSON(${text}) = 1 THEN CASE WHEN ${isNumber(value)} THEN ${read(value)} END END`;
};

const jsonKind = (text: string) =>
  `(SELECT CASE WHEN COUNT(*) = 1 THEN MAX(CASE j.[type] WHEN 0 THEN N'null' WHEN 1 THEN N'string' WHEN 2 THEN N'number' WHEN 3 THEN LEFT(j.[value], 5) WHEN 4 THEN N'array' ELSE N'object' END) END FROM ${members(wrapped(text))} j)`;

const scalar = (text: string, type: number, read: string) =>
  `(SELECT TOP (1) ${read} FROM ${members(wrapped(text))} j WHERE j.[type] = ${type})`;

/** How the statements of migrations are worded in T-SQL. */
export const words: SqlWords = {
  id: quote,
  literal,
  range: (column) => rangeMarker(quote(column)),
  // Cut once more: in a database of UTF-8 a varchar of so many bytes may hold fewer characters.
  count: () => 'COUNT_BIG(*)',
  left: (text, length) => `CAST(LEFT(${text}, ${length}) AS varchar(${length}))`,
  // LEN passes over blanks at the end. What lies beyond U+FFFF counts as two.
  characters: (text) => `(DATALENGTH(CAST(${text} AS nvarchar(max))) / 2)`,
  firstOfEach: (groups) => firstByWindow(groups, quote, (column) => rangeMarker(quote(column))),
  now: () => "DATEDIFF_BIG(millisecond, '19700101', SYSUTCDATETIME())",
  // A float of SQL Server is neither NaN nor an infinity.
  finite: (double) => double,
  wholeNumber,
  exactly: (text) => `${text} COLLATE ${EXACT}`,
  jsonText: (column) => `CAST(${column} AS nvarchar(max))`,
  // An exponent of two digits or more, and a number of forty, are left to those who read them with care.
  isPlainJson: (text, keys, numbers) => {
    const bytes = `CAST(${text} AS nvarchar(max)) COLLATE Latin1_General_BIN2`;
    return [
      plainJson(bytes, keys, numbers, {
        literal: unicode,
        characters: (each) => `(DATALENGTH(${each}) / 2)`,
        hasOnly: (each, characters) => `${each} NOT LIKE ${unicode(`%[^${characters}]%`)}`,
      }),
      `${bytes} NOT LIKE N'%[eE][-+0-9][0-9]%'`,
      `${bytes} NOT LIKE ${unicode(`%${'[0-9]'.repeat(40)}%`)}`,
    ].join(' AND ');
  },
  jsonNumber: (text, key) => member(text, key, (value) => `TRY_CAST(${value} AS float)`),
  jsonWholeNumber: (text, key) => member(text, key, asWhole),
  jsonString: (column, key) =>
    `(SELECT TOP (1) j.[value] FROM ${members(column)} j WHERE j.[key] = ${unicode(key)} AND j.[type] = ${STRING})`,
  jsonHasMoreThan: (column, keys) =>
    `(${column} IS NOT NULL AND (COALESCE(${jsonKind(column)}, N'none') NOT IN (N'null', N'object') OR EXISTS (SELECT 1 FROM ${members(column)} j WHERE j.[key] NOT IN (${keys.map(unicode).join(', ')}) OR j.[type] NOT IN (${STRING}, ${NULL}))))`,
  jsonScalarNumber: (text) => scalar(text, NUMBER, 'TRY_CAST(j.[value] AS float)'),
};
