/** The words of migrations in PostgreSQL's SQL. */
import type { Groups, SqlWords } from '../../schema/words.js';
import { plainJson } from '../plain-json.js';
import { rangeMarker } from '../ranges.js';
import { literal, quote } from './spell.js';

const LARGEST = '1.7976931348623157e308';

/**
 * A text that is not JSON makes a cast fail, and before PostgreSQL 16 nothing tells beforehand (`IS JSON`). These
 * functions live in the session's own temporary schema and are gone with it.
 */
export const FUNCTIONS = [
  `CREATE OR REPLACE FUNCTION pg_temp.mtrack_json(text) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  RETURN $1::jsonb;
EXCEPTION WHEN others THEN
  RETURN NULL;
END $$`,
  `CREATE OR REPLACE FUNCTION pg_temp.mtrack_number(jsonb) RETURNS double precision LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
  number double precision;
BEGIN
  IF jsonb_typeof($1) <> 'number' THEN
    RETURN NULL;
  END IF;
  number := ($1 #>> '{}')::double precision;
  RETURN CASE WHEN number BETWEEN -${LARGEST} AND ${LARGEST} THEN number END;
EXCEPTION WHEN others THEN
  RETURN NULL;
END $$`,
  `CREATE OR REPLACE FUNCTION pg_temp.mtrack_whole(jsonb) RETURNS bigint LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
  number numeric;
BEGIN
  IF jsonb_typeof($1) <> 'number' THEN
    RETURN NULL;
  END IF;
  number := ($1 #>> '{}')::numeric;
  RETURN CASE WHEN number = trunc(number) THEN number::bigint END;
EXCEPTION WHEN others THEN
  RETURN NULL;
END $$`,
];

/** Text is sorted by its bytes, which puts equals together just as well and is several times faster than by language. */
function firstOfEach({ table, group, order, range }: Groups): string {
  const groups = group.map((column) => `${quote(column)} COLLATE "C"`).join(', ');
  const sorted = order.map(({ column, descending }) => `${quote(column)}${descending ? ' DESC' : ''}`).join(', ');
  const columns = [...group, ...order.map(({ column }) => column)].map(quote).join(', ');
  return `
  SELECT DISTINCT ON (${groups}) ${columns}
  FROM ${quote(table)}
  WHERE ${rangeMarker(quote(range))}
  ORDER BY ${groups}, ${sorted}
`;
}

/** Escapes that are good JSON and that no text can hold, so that reading them fails: U+0000, and half a character of UTF-16. */
const UNREADABLE = literal(
  '\\\\u(0000|[dD][89abAB][0-9a-fA-F]{2}(?!\\\\u[dD][c-fC-F]))|(?<!\\\\u[dD][89abAB][0-9a-fA-F]{2})\\\\u[dD][c-fC-F]',
);

const json = (text: string) => `pg_temp.mtrack_json(${text})`;

/** How the statements of migrations are worded for PostgreSQL. */
export const words: SqlWords = {
  id: quote,
  literal,
  range: (column) => rangeMarker(quote(column)),
  count: () => 'COUNT(*)',
  left: (text, length) => `left(${text}, ${length})`,
  characters: (text) => `char_length(${text})`,
  firstOfEach,
  now: () => '(extract(epoch FROM clock_timestamp()) * 1000)::bigint',
  finite: (double) => `CASE WHEN ${double} BETWEEN -${LARGEST} AND ${LARGEST} THEN ${double} END`,
  // NaN is above every number here, and so not below the limit.
  wholeNumber: (double) =>
    `CASE WHEN ${double} >= -9223372036854775808 AND ${double} < 9223372036854775808 AND ${double} = trunc(${double}) THEN ${double}::bigint END`,
  exactly: (text) => text,
  jsonText: (column) => `${column}::text`,
  // A number too small for a double is an error here, and 0 to Python.
  isPlainJson: (text, keys, numbers) =>
    `${plainJson(text, keys, numbers, {
      literal,
      characters: (each) => `char_length(${each})`,
      hasOnly: (each, characters) => `${each} !~ ${literal(`[^${characters}]`)}`,
    })} AND ${text} !~ '[eE][-+]?[0-9]{3}|[0-9]{60}'`,
  jsonNumber: (text, key) => `pg_temp.mtrack_number(${json(text)} -> ${literal(key)})`,
  jsonWholeNumber: (text, key) => `pg_temp.mtrack_whole(${json(text)} -> ${literal(key)})`,
  jsonString: (column, key) =>
    `CASE WHEN json_typeof(${column} -> ${literal(key)}) = 'string' THEN ${column} ->> ${literal(key)} END`,
  jsonHasMoreThan: (column, keys) =>
    `(${column} IS NOT NULL AND CASE CASE WHEN ${column}::text ~ ${UNREADABLE} THEN 'unreadable' ELSE json_typeof(${column}) END WHEN 'null' THEN false WHEN 'object' THEN EXISTS (SELECT 1 FROM json_each(${column}) e WHERE e.key NOT IN (${keys.map(literal).join(', ')}) OR json_typeof(e.value) NOT IN ('string', 'null')) ELSE true END)`,
  jsonScalarNumber: (text) => `pg_temp.mtrack_number(${json(text)})`,
};
