/** The artifact folders of the fixtures, where their data says they are: /tmp/mtrack-fixtures/RELEASE/STORE. */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { FIXTURES } from './fixtures.js';

const exec = promisify(execFile);
const PLACE = '/tmp/mtrack-fixtures';

/** Puts them there where they are not, each folder at once: several test runs may do it at the same time. */
export async function unpackArtifacts(): Promise<void> {
  for (const { archive, release, kind } of [...archivesIn('artifacts'), ...archivesIn('filestore')]) {
    const place = join(PLACE, release, kind);
    if (existsSync(place)) continue;
    mkdirSync(join(PLACE, release), { recursive: true });
    const unpacked = mkdtempSync(join(tmpdir(), 'mtrack-artifacts-'));
    await exec('tar', ['xzf', archive, '-C', unpacked]);
    try {
      renameSync(unpacked, place);
    } catch (error) {
      // Somebody else was faster.
      rmSync(unpacked, { recursive: true, force: true });
      if (!existsSync(place)) throw error;
    }
  }
}

/** A file store is its own artifact root. */
function archivesIn(name: 'artifacts' | 'filestore'): { archive: string; release: string; kind: string }[] {
  const folder = join(FIXTURES, name);
  if (!existsSync(folder)) return [];
  return readdirSync(folder).flatMap((file) => {
    const [, release, kind = name] = /^(\d+(?:\.\d+)*)(?:\.([a-z]+))?\.tar\.gz$/.exec(file) ?? [];
    return release === undefined ? [] : [{ archive: join(folder, file), release, kind }];
  });
}
