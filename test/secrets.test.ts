import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { maskSettings, redact, redactor, Secret, secretsInSettings } from '../src/secrets.js';

const secrets = (...values: string[]) => values.map((value) => new Secret(value));

describe('a secret', () => {
  const secret = new Secret('hunter2');

  it('is given away by reveal alone', () => {
    expect(secret.reveal()).toBe('hunter2');
    const seen = [`${secret}`, JSON.stringify({ secret }), inspect({ deep: [secret] }, { showHidden: true, depth: 9 })];
    expect(seen).toEqual(['***', '{"secret":"***"}', '{ deep: [ ***, [length]: 1 ] }']);
    expect(Object.getOwnPropertyNames(secret)).toEqual([]);
  });
});

describe('redact', () => {
  it('replaces every secret, the longest first', () => {
    expect(redact('hunter2 and hunter22!', secrets('hunter2', 'hunter22'))).toBe('*** and ***!');
  });

  it.each([
    ['as it is', 'p@s s/w%rd'],
    ['percent-encoded', 'p%40s%20s%2Fw%25rd'],
    ['percent-encoded in small letters, the slash left', 'p%40s%20s/w%25rd'],
    ['form-encoded', 'p%40s+s%2Fw%25rd'],
    ['encoded twice', 'p%2540s%2520s%252Fw%2525rd'],
  ])('finds a secret that is written %s', (_, written) => {
    expect(redact(`cannot open db://u:${written}@host`, secrets('p@s s/w%rd'))).toBe('cannot open db://u:***@host');
  });

  it('finds a secret in JSON, in SQL and in an ODBC string', () => {
    const secret = secrets('a"b\\c\'d}e\n');
    expect(redact(JSON.stringify({ text: 'a"b\\c\'d}e\n' }), secret)).toBe('{"text":"***"}');
    expect(redact("IDENTIFIED BY 'a\"b\\c''d}e\n'", secret)).toBe("IDENTIFIED BY '***'");
    expect(redact('PWD={a"b\\c\'d}}e\n};', secret)).toBe('PWD={***};');
  });

  it('takes the signs of regular expressions for what they are', () => {
    expect(redact('x.*y (a|b) [z] $1', secrets('.*y (a|b) [z] $1'))).toBe('x***');
    expect(redact('abcd', secrets('a.cd'))).toBe('abcd');
  });

  it('replaces a very short secret only where a password stands', () => {
    expect(redact('database at /a: db://a:a@a/a?pwd=a&x=ab', secrets('a'))).toBe(
      'database at /a: db://a:***@a/a?pwd=***&x=ab',
    );
  });

  it('leaves names that are shown anyway, but for the place of the password', () => {
    const text = 'postgres cannot reach db://postgres:postgres@h/postgres';
    expect(redact(text, secrets('postgres'), ['postgres', 'h'])).toBe(
      'postgres cannot reach db://postgres:***@h/postgres',
    );
    expect(redact('mlflow_prod', secrets('mlflow'), ['mlflow_prod'])).toBe('mlflow_prod');
  });

  it('has nothing to do without secrets, or with an empty one', () => {
    expect(redact('text', [])).toBe('text');
    expect(redact('text', secrets(''))).toBe('text');
  });

  it('keeps JSON whole when the strings in it are redacted', () => {
    const clean = redactor(secrets('code'));
    const json = JSON.stringify({ code: 'the code' }, (_, value) => (typeof value === 'string' ? clean(value) : value));
    expect(json).toBe('{"code":"the ***"}');
  });

  it('leaves no spelling of any secret behind', () => {
    const text = fc.string({ unit: 'binary', maxLength: 20 });
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 3, maxLength: 20 }), text, text, (value, before, after) => {
        fc.pre(!'***'.includes(value));
        const written = [value, encodeURIComponent(value), new URLSearchParams({ value }).toString().slice(6)];
        for (const spelling of [...written, JSON.stringify(value).slice(1, -1)]) {
          fc.pre(!`${before}***${after}`.includes(spelling));
          expect(redact(`${before}${spelling}${after}`, [new Secret(value)])).not.toContain(spelling);
        }
      }),
    );
  });
});

describe('settings', () => {
  it('are masked where they hold a password', () => {
    const text = 'DRIVER={X};PWD={a;}}b};UID=u; Password = plain ;x=1';
    expect(maskSettings(text)).toBe('DRIVER={X};PWD=***;UID=u; Password = ***;x=1');
    expect(secretsInSettings(text).map((secret) => secret.reveal())).toEqual(['a;}b', 'plain']);
  });

  it('are masked to the end when a brace is not closed', () => {
    expect(maskSettings('UID=u;PWD={never;closed=1')).toBe('UID=u;PWD=***');
  });
});
