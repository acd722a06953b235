/** The words of migrations in PostgreSQL's SQL. */
import type { Groups, SqlWords } from '../../schema/operations.js';
import { rangeMarker } from '../ranges.js';
import { literal, quote } from './spell.js';

const LARGEST = '1.7976931348623157e308';

/**
 * A text that is not JSON makes a cast fail, and before PostgreSQL 16 nothing tells beforehand (`IS JSON`). These
 * functions live in the session's own temporary schema and are gone with it. What they accept is what Python's float()
 * and Decimal() accept of a number, or of a string that holds one.
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
  IF jsonb_typeof($1) NOT IN ('number', 'string') THEN
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
  IF jsonb_typeof($1) NOT IN ('number', 'string') THEN
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

const json = (text: string) => `pg_temp.mtrack_json(${text})`;

export const words: SqlWords = {
  id: quote,
  literal,
  range: (column) => rangeMarker(quote(column)),
  left: (text, length) => `left(${text}, ${length})`,
  characters: (text) => `char_length(${text})`,
  trimLower: (text) => `lower(btrim(${text}, E' \\t\\n\\r\\f\\x0b\\x1c\\x1d\\x1e\\x1f'))`,
  firstOfEach,
  now: () => '(extract(epoch FROM clock_timestamp()) * 1000)::bigint',
  finite: (double) => `CASE WHEN ${double} BETWEEN -${LARGEST} AND ${LARGEST} THEN ${double} END`,
  // NaN is above every number here, and so not below the limit.
  wholeNumber: (double) =>
    `CASE WHEN ${double} >= -9223372036854775808 AND ${double} < 9223372036854775808 AND ${double} = trunc(${double}) THEN ${double}::bigint END`,
  exactly: (text) => text,
  jsonNumber: (text, key) => `pg_temp.mtrack_number(${json(text)} -> ${literal(key)})`,
  jsonWholeNumber: (text, key) => `pg_temp.mtrack_whole(${json(text)} -> ${literal(key)})`,
  jsonString: (column, key) =>
    `CASE WHEN json_typeof(${column} -> ${literal(key)}) = 'string' THEN ${column} ->> ${literal(key)} END`,
  jsonHasMoreThan: (column, keys) =>
    `(${column} IS NOT NULL AND CASE json_typeof(${column}) WHEN 'null' THEN false WHEN 'object' THEN EXISTS (SELECT 1 FROM json_each(${column}) e WHERE e.key NOT IN (${keys.map(literal).join(', ')}) OR json_typeof(e.value) NOT IN ('string', 'null')) ELSE true END)`,
  jsonKind: (text) =>
    `CASE jsonb_typeof(${json(text)}) WHEN 'boolean' THEN ${json(text)}::text ELSE jsonb_typeof(${json(text)}) END`,
  jsonScalarNumber: (text) => `pg_temp.mtrack_number(${json(text)})`,
  jsonScalarString: (text) => `(${json(text)} #>> '{}')`,
};
