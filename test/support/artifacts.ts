/** The artifact folders of the fixtures, where their data says they are: /tmp/mtrack-fixtures/RELEASE/STORE. */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { FIXTURES } from './fixtures.js';

const exec = promisify(execFile);
const PLACE = '/tmp/mtrack-fixtures';

/** Puts them there where they are not, each folder at once: several test files may do it at the same time. */
export async function unpackArtifacts(): Promise<void> {
  const folder = join(FIXTURES, 'artifacts');
  if (!existsSync(folder)) return;
  for (const archive of readdirSync(folder)) {
    const [, release = '', kind = ''] = /^(.*)\.(\w+)\.tar\.gz$/.exec(archive) ?? [];
    const place = join(PLACE, release, kind);
    if (release === '' || existsSync(place)) continue;
    mkdirSync(join(PLACE, release), { recursive: true });
    const unpacked = mkdtempSync(join(tmpdir(), 'mtrack-artifacts-'));
    await exec('tar', ['xzf', join(folder, archive), '-C', unpacked]);
    try {
      renameSync(unpacked, place);
    } catch (error) {
      // Somebody else was faster.
      rmSync(unpacked, { recursive: true, force: true });
      if (!existsSync(place)) throw error;
    }
  }
}
