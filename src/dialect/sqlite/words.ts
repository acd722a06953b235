/** The words of migrations in SQLite's SQL (JSON: https://www.sqlite.org/json1.html). */
import type { SqlWords } from '../../schema/operations.js';
import { firstByWindow } from '../groups.js';
import { rangeMarker } from '../ranges.js';
import { literal } from './spell.js';
import { quoteName } from './table-sql.js';

const LARGEST = '1.7976931348623157e308';
/** What Python's str.strip() takes away, as far as ASCII goes. */
const BLANKS = "' ' || char(9, 10, 11, 12, 13, 28, 29, 30, 31)";

const path = (key: string) => literal(`$."${key}"`);
const finite = (x: string) => `CASE WHEN abs(${x}) <= ${LARGEST} THEN CAST(${x} AS REAL) END`;
const wholeNumber = (x: string) =>
  `CASE WHEN ${x} >= -9223372036854775808.0 AND ${x} < 9223372036854775808.0 AND ${x} = CAST(${x} AS INTEGER) THEN CAST(${x} AS INTEGER) END`;

/** A text that is written as a plain decimal number: Python's float() and Decimal() read those, too. */
const isDecimal = (text: string) => {
  const digits = `ltrim(${text}, '+-')`;
  return `(${digits} GLOB '*[0-9]*' AND ${digits} NOT GLOB '*[^0-9.]*' AND ${digits} NOT GLOB '*.*.*' AND length(${text}) - length(${digits}) <= 1)`;
};

const member = (text: string, key: string, read: (value: string) => string) => {
  const value = `json_extract(${text}, ${path(key)})`;
  return `CASE WHEN json_valid(${text}) THEN CASE json_type(${text}, ${path(key)}) WHEN 'integer' THEN ${read(value)} WHEN 'real' THEN ${read(value)} WHEN 'text' THEN CASE WHEN ${isDecimal(value)} THEN ${read(`(${value} + 0)`)} END END END`;
};

export const words: SqlWords = {
  id: quoteName,
  literal,
  range: (column) => rangeMarker(quoteName(column)),
  left: (text, length) => `substr(${text}, 1, ${length})`,
  characters: (text) => `length(${text})`,
  trimLower: (text) => `lower(trim(${text}, ${BLANKS}))`,
  firstOfEach: (groups) => firstByWindow(groups, quoteName, (column) => rangeMarker(quoteName(column))),
  now: () => "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)",
  finite,
  wholeNumber,
  exactly: (text) => text,
  jsonNumber: (text, key) => member(text, key, finite),
  jsonWholeNumber: (text, key) => member(text, key, wholeNumber),
  jsonString: (column, key) =>
    `CASE WHEN json_valid(${column}) THEN CASE json_type(${column}, ${path(key)}) WHEN 'text' THEN json_extract(${column}, ${path(key)}) END END`,
  jsonHasMoreThan: (column, keys) =>
    `(${column} IS NOT NULL AND CASE WHEN json_valid(${column}) = 0 THEN 1 WHEN json_type(${column}) = 'null' THEN 0 WHEN json_type(${column}) <> 'object' THEN 1 ELSE EXISTS (SELECT 1 FROM json_each(${column}) e WHERE e.key NOT IN (${keys.map(literal).join(', ')}) OR e.type NOT IN ('text', 'null')) END)`,
  jsonKind: (text) =>
    `CASE WHEN json_valid(${text}) THEN CASE json_type(${text}) WHEN 'integer' THEN 'number' WHEN 'real' THEN 'number' WHEN 'text' THEN 'string' ELSE json_type(${text}) END END`,
  jsonScalarNumber: (text) => finite(`json_extract(${text}, '$')`),
  jsonScalarString: (text) => `json_extract(${text}, '$')`,
};
