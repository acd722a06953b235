import { describe, expect, test } from 'vitest';
import { fits } from '../../../src/dialect/mssql/codepage.js';
import { faultOf } from '../../../src/dialect/mssql/faults.js';
import { mssqlDialect } from '../../../src/dialect/mssql/index.js';
import { bare, literal, quote } from '../../../src/dialect/mssql/spell.js';
import { words } from '../../../src/dialect/mssql/words.js';

describe('values in text', () => {
  test('names are in brackets, whatever is in them', () => {
    expect(quote('key')).toBe('[key]');
    expect(quote('a]b[c')).toBe('[a]]b[c]');
  });

  test('texts are in the code page of the columns they are compared with; what is not ASCII is written by its code', () => {
    expect(literal("it's")).toBe("'it''s'");
    expect(literal("Zoë's 😀")).toBe(
      "(CAST(N'Zo' AS nvarchar(max)) + NCHAR(235) + N'''s ' + NCHAR(55357) + NCHAR(56832))",
    );
    expect([literal(null), literal(true), literal(false), literal(1.5)]).toEqual(['NULL', '1', '0', '1.5']);
  });

  test.each([
    ['abc', undefined, true],
    ['Zoë', undefined, false],
    ['Zoë €', 'CP1252', true],
    ['Ключ', 'CP1252', false],
    ['Ключ', 'CP1251', true],
    ['日本', 'utf-8', true],
    ['日本', 'CP932', false],
  ])('%s in %s: %s', (text, codepage, expected) => {
    expect(fits(text, codepage)).toBe(expected);
  });

  test.each([
    ["('0')", "'0'"],
    ['((0))', '0'],
    ["('a)b')", "'a)b'"],
    ['(a)+(b)', '(a)+(b)'],
    ["('it''s (here')", "'it''s (here'"],
  ])('%s without its parentheses is %s', (text, expected) => {
    expect(bare(text)).toBe(expected);
  });
});

describe('words', () => {
  test('a path into JSON takes any name', () => {
    expect(words.jsonNumber('t', 'mlflow.llm.model')).toContain(`JSON_VALUE(t, N'$."mlflow.llm.model"')`);
    expect(words.jsonNumber('t', 'a"b')).toContain(`N'$."a\\"b"'`);
  });

  test('JSON is read only where it is JSON, and long texts by OPENJSON, as JSON_VALUE ends at 4000 characters', () => {
    expect(words.jsonString('c', 'k')).toBe(
      "(SELECT TOP (1) j.[value] FROM OPENJSON(CASE WHEN ISJSON(c) = 1 THEN c END) j WHERE j.[key] = N'k' AND j.[type] = 1)",
    );
  });

  test('case is told apart by the collation of MLflow’s own revision', () => {
    expect(words.exactly('v.[version]')).toBe('v.[version] COLLATE SQL_Latin1_General_CP1_CS_AS');
  });

  test('the nth row is skipped to, and the first one taken', () => {
    const { firstOf } = mssqlDialect(null);
    expect(firstOf('SELECT 1 AS a')).toBe('SELECT TOP (1) * FROM (SELECT 1 AS a) q');
  });
});

describe('faults', () => {
  const withNumber = (number: number) =>
    new Error('failed', { cause: Object.assign(new Error('x'), { number, code: 'EREQUEST' }) });
  const withCode = (code: string, message = 'x') => Object.assign(new Error(message), { code });

  test.each([
    [withNumber(1222), 'lock-timeout'],
    [withNumber(1205), 'deadlock'],
    [withNumber(9002), 'disk-full'],
    [withNumber(1105), 'disk-full'],
    [withNumber(229), 'permission'],
    [withNumber(262), 'permission'],
    [withNumber(3906), 'read-only'],
    [withNumber(596), 'connection-lost'],
    [withNumber(40613), 'connection-lost'],
    [withNumber(18456), 'connect-failed'],
    [withNumber(207), 'other'],
    [withCode('ESOCKET', 'Failed to connect to h:1433 - x'), 'connect-failed'],
    [withCode('ESOCKET', 'Connection lost - x'), 'connection-lost'],
    [withCode('ECONNRESET'), 'connection-lost'],
    [withCode('ECLOSE'), 'connection-lost'],
    [withCode('EINVALIDSTATE'), 'connection-lost'],
    [withCode('ELOGIN'), 'connect-failed'],
    [withCode('EINSTLOOKUP'), 'connect-failed'],
    [new Error('x'), 'other'],
    ['x', 'other'],
  ])('%s is %s', (error, kind) => {
    expect(faultOf(error)).toBe(kind);
  });
});
