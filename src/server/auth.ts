/** Basic authentication against a file of names and bcrypt hashes, as `htpasswd -B` writes it. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { compare } from 'bcryptjs';
import { MtrackError } from '../errors.js';

export interface Users {
  /** Whether the header names a user with the right password. */
  admits(authorization: string | undefined): Promise<boolean>;
}

const LINE = /^([^:]+):(\$2[aby]\$\d\d\$[./A-Za-z\d]{53})$/;
/** A hash that no password has: whoever gives an unknown name waits as long as with a known one. */
const NOBODY = '$2b$10$EnrD4/1zi8bRCq5XRKHsfO51WLNSYvee5RNTx6rLV0nGeC.uIqBRK';
/** bcrypt takes a tenth of a second on purpose; a password that was right is known again at once. */
const REMEMBERED = 1000;

/**
 * @param text a line `name:hash` for each user; empty lines and comments (#) are passed over
 * @throws {MtrackError} USAGE, naming the line but not showing it
 */
export function readUsers(text: string, path: string): Users {
  const hashes = new Map<string, string>();
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const [, name, hash] = LINE.exec(line.trim()) ?? [];
    if (name === undefined || hash === undefined) throw notALine(path, i + 1);
    hashes.set(name, hash);
  }
  if (hashes.size === 0) {
    throw new MtrackError('USAGE', { found: `${path} names no user`, expected: EXPECTED, fix: [HOW] });
  }
  const right = new Map<string, Buffer>();
  return {
    admits: async (authorization) => {
      const credentials = credentialsIn(authorization);
      if (credentials === null) return false;
      const { name, password } = credentials;
      const digest = createHash('sha256').update(password).digest();
      const before = right.get(name);
      if (before !== undefined && timingSafeEqual(before, digest)) return true;
      const admitted = await compare(password, hashes.get(name) ?? NOBODY);
      if (!admitted || !hashes.has(name)) return false;
      if (right.size >= REMEMBERED) right.clear();
      right.set(name, digest);
      return true;
    },
  };
}

function credentialsIn(authorization: string | undefined): { readonly name: string; readonly password: string } | null {
  const [, encoded] = /^basic +(\S+)$/i.exec(authorization ?? '') ?? [];
  if (encoded === undefined) return null;
  const plain = Buffer.from(encoded, 'base64').toString();
  const colon = plain.indexOf(':');
  return colon < 0 ? null : { name: plain.slice(0, colon), password: plain.slice(colon + 1) };
}

const EXPECTED = 'a line `name:hash` for each user, with a hash of bcrypt ($2y$…, $2b$… or $2a$…)';
const HOW = 'make the file with `htpasswd -B -c FILE NAME` (of apache2-utils), and add users without -c';

const notALine = (path: string, line: number): MtrackError =>
  new MtrackError('USAGE', { found: `line ${line} of ${path} is not a user`, expected: EXPECTED, fix: [HOW] });
