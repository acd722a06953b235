import { hash } from 'bcryptjs';
import { describe, expect, test } from 'vitest';
import { readUsers } from '../../src/server/auth.js';
import { attachment, mimeType } from '../../src/server/download.js';
import { checkStorageLocation, safePath } from '../../src/server/locations.js';
import { security } from '../../src/server/security.js';

const options = { allowedHosts: null, allowedOrigins: [], frames: 'SAMEORIGIN', disabled: false };
const ask = { method: 'POST', path: '/api/2.0/mlflow/runs/create', host: 'localhost:5000', origin: undefined };

describe('a request comes in', () => {
  const refused = (
    given: Partial<Parameters<typeof security>[0]>,
    request: Partial<Record<keyof typeof ask, string>>,
  ) => security({ ...options, ...given }).refusal({ ...ask, ...request })?.text ?? null;

  test('when its Host is this machine, a private network, or allowed', () => {
    for (const host of [
      'localhost',
      'localhost:1',
      '127.0.0.1:5000',
      '[::1]:5000',
      '192.168.1.2',
      '10.0.0.1:80',
      '172.31.0.1',
    ]) {
      expect(refused({}, { host }), host).toBeNull();
    }
    for (const host of ['evil.example.org', 'localhost.evil.org', '172.32.0.1', '8.8.8.8', '']) {
      expect(refused({}, { host }), host).toMatch(/DNS rebinding/);
      expect(refused({}, { host, path: '/health' }), host).toBeNull();
    }
    const allowedHosts = ['mlflow.example.org', '*.internal'];
    expect(refused({ allowedHosts }, { host: 'mlflow.example.org' })).toBeNull();
    expect(refused({ allowedHosts }, { host: 'a.b.internal' })).toBeNull();
    expect(refused({ allowedHosts }, { host: 'localhost' })).not.toBeNull();
    expect(refused({ allowedHosts: ['*'] }, { host: 'anything' })).toBeNull();
  });

  test('when it changes something only from this machine or an allowed origin', () => {
    expect(refused({}, { origin: 'http://evil.example.org' })).toBe('Cross-origin request blocked');
    expect(refused({}, { origin: 'http://evil.example.org', method: 'GET' })).toBeNull();
    expect(refused({}, { origin: 'http://localhost:3000' })).toBeNull();
    expect(refused({}, { origin: 'http://localhost.evil.org' })).not.toBeNull();
    expect(refused({}, { origin: 'null' })).not.toBeNull();
    expect(refused({ allowedOrigins: ['https://a.org'] }, { origin: 'https://a.org' })).toBeNull();
    expect(refused({ allowedOrigins: ['https://a.org'] }, { origin: 'https://b.org' })).not.toBeNull();
  });

  test('unless that is switched off', () => {
    expect(refused({ disabled: true }, { host: 'evil.example.org', origin: 'http://evil.example.org' })).toBeNull();
  });
});

describe('users', () => {
  const basic = (name: string, password: string) => `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`;

  test('are let in by their password, again and again', async () => {
    const users = readUsers(
      `# team\nada:${await hash('päss:word', 4)}\n\nbob:${(await hash('x', 4)).replace('$2b$', '$2y$')}\n`,
      'f',
    );
    expect(await users.admits(basic('ada', 'päss:word'))).toBe(true);
    expect(await users.admits(basic('ada', 'päss:word'))).toBe(true);
    expect(await users.admits(basic('bob', 'x'))).toBe(true);
    for (const wrong of [
      basic('ada', 'x'),
      basic('bob', 'päss:word'),
      basic('eve', 'x'),
      'Bearer x',
      'Basic ???',
      undefined,
    ]) {
      expect(await users.admits(wrong), wrong).toBe(false);
    }
  });

  test('in a file that holds anything else are refused by line, which is not shown', () => {
    expect(() => readUsers('ada:plain password', 'users')).toThrow('line 1 of users is not a user');
    expect(() => readUsers('\n# nobody\n', 'users')).toThrow('users names no user');
    expect(() => readUsers('ada:plain password', 'users')).not.toThrow('plain password');
  });
});

describe('a path', () => {
  test('is safe below a root', () => {
    for (const path of ['a', 'a/b.txt', 'a..b', '..a', 'a b', 'ü', 'a%25'])
      expect(() => safePath(path), path).not.toThrow();
    for (const path of [
      '..',
      '../a',
      'a/../b',
      '/a',
      '%2e%2e/a',
      '%252e%252e/a',
      '..%2fa',
      '%2fa',
      'file:///etc/passwd',
      'file:../a',
      'C:\\a',
      '\\\\host\\share',
      'a#b',
      'a%23b',
      `%${'25'.repeat(12)}2e`,
    ]) {
      expect(() => safePath(path), path).toThrow('Invalid path');
    }
  });

  test('has a name that any browser takes', () => {
    expect(attachment('a.txt')).toBe('attachment; filename=a.txt');
    expect(attachment('a "b".txt')).toBe('attachment; filename="a \\"b\\".txt"');
    expect(attachment('ünï (1).txt')).toBe(
      `attachment; filename="uni (1).txt"; filename*=UTF-8''%C3%BCn%C3%AF%20%281%29.txt`,
    );
    expect(attachment('日本')).toBe(`attachment; filename=download; filename*=UTF-8''%E6%97%A5%E6%9C%AC`);
  });

  test('has a type by its name', () => {
    expect(['a.json', 'a/MLmodel', 'a.png', 'a.html', 'a.unknown', 'a', '.hidden'].map(mimeType)).toEqual([
      'text/plain',
      'text/plain',
      'image/png',
      'text/html',
      'application/octet-stream',
      'application/octet-stream',
      'application/octet-stream',
    ]);
  });
});

test('a place on a host is taken only where the operator has named it', () => {
  const check =
    (uri: string, uris: readonly string[] = [], schemes: readonly string[] = []) =>
    () =>
      checkStorageLocation(uri, 'artifact_location', { hosts: { uris, schemes }, locationLength: 2048 });
  for (const uri of ['s3://bucket/x', 'gs://bucket/x', '/local/path', 'mlflow-artifacts:/x', 'dbfs:/x']) {
    expect(check(uri), uri).not.toThrow();
  }
  for (const uri of [
    'http://h/x',
    'https://h',
    'ftp://h/x',
    'sftp://h/x',
    'hdfs://h/x',
    'mlflow-artifacts://h/x',
    'HTTP://h/x',
  ]) {
    expect(check(uri), uri).toThrow(/addresses a host other than/);
  }
  expect(check('https://h/x', ['https://h:443/root'])).not.toThrow();
  expect(check('https://h:8443/x', ['https://h/root'])).toThrow();
  expect(check('http://h\\evil/x', ['http://h/root'])).toThrow();
  expect(check('hdfs://h/x', [], ['hdfs'])).not.toThrow();
});
