/** The words of migrations in SQLite's SQL (JSON: https://www.sqlite.org/json1.html). */
import type { SqlWords } from '../../schema/words.js';
import { firstByWindow } from '../groups.js';
import { plainJson } from '../plain-json.js';
import { rangeMarker } from '../ranges.js';
import { literal } from './spell.js';
import { quoteName } from './table-sql.js';

const LARGEST = '1.7976931348623157e308';
const path = (key: string) => literal(`$."${key}"`);
const finite = (x: string) => `CASE WHEN ${x} BETWEEN -${LARGEST} AND ${LARGEST} THEN CAST(${x} AS REAL) END`;
const wholeNumber = (x: string) =>
  `CASE WHEN ${x} >= -9223372036854775808.0 AND ${x} < 9223372036854775808.0 AND ${x} = CAST(${x} AS INTEGER) THEN CAST(${x} AS INTEGER) END`;

const member = (text: string, key: string, read: (value: string) => string) => {
  const value = `json_extract(${text}, ${path(key)})`;
  return `CASE WHEN json_valid(${text}) THEN CASE json_type(${text}, ${path(key)}) WHEN 'integer' THEN ${read(value)} WHEN 'real' THEN ${read(value)} END END`;
};

/** How the statements of migrations are worded for SQLite. */
export const words: SqlWords = {
  id: quoteName,
  literal,
  range: (column) => rangeMarker(quoteName(column)),
  // substr() ends at U+0000, which a text may hold: one that is short enough is left alone.
  count: () => 'COUNT(*)',
  left: (text, length) =>
    `CASE WHEN length(CAST(${text} AS BLOB)) <= ${length} THEN ${text} ELSE substr(${text}, 1, ${length}) END`,
  characters: (text) => `length(${text})`,
  firstOfEach: (groups) => firstByWindow(groups, quoteName, (column) => rangeMarker(quoteName(column))),
  now: () => "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)",
  finite,
  wholeNumber,
  exactly: (text) => text,
  jsonText: (column) => column,
  // A whole number of 19 digits or more may be a double here, which is not always the number.
  isPlainJson: (text, keys, numbers) =>
    `${plainJson(text, keys, numbers, {
      literal,
      characters: (each) => `length(${each})`,
      hasOnly: (each, characters) => `${each} NOT GLOB ${literal(`*[^${characters}]*`)}`,
    })} AND instr(${text}, char(0)) = 0 AND ${text} NOT GLOB ${literal(`*${'[0-9]'.repeat(19)}*`)}`,
  jsonNumber: (text, key) => member(text, key, finite),
  jsonWholeNumber: (text, key) => member(text, key, wholeNumber),
  jsonString: (column, key) =>
    `CASE WHEN json_valid(${column}) THEN CASE json_type(${column}, ${path(key)}) WHEN 'text' THEN json_extract(${column}, ${path(key)}) END END`,
  jsonHasMoreThan: (column, keys) =>
    `(${column} IS NOT NULL AND CASE WHEN json_valid(${column}) = 0 THEN 1 WHEN json_type(${column}) = 'null' THEN 0 WHEN json_type(${column}) <> 'object' THEN 1 ELSE EXISTS (SELECT 1 FROM json_each(${column}) e WHERE e.key NOT IN (${keys.map(literal).join(', ')}) OR e.type NOT IN ('text', 'null')) END)`,
  jsonScalarNumber: (text) => `CASE WHEN json_valid(${text}) THEN ${finite(`json_extract(${text}, '$')`)} END`,
};
