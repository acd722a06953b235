/** Folders that were packed with tar. */
import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, resolve, sep } from 'node:path';
import { type Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { extract } from 'tar-stream';

/** The name of the first file in a tar archive; null for bytes that are none (https://www.gnu.org/software/tar/manual/html_node/Standard.html). */
export function firstNameInTar(head: Buffer): string | null {
  if (head.length < 512 || head.toString('latin1', 257, 262) !== 'ustar') return null;
  return head.toString('latin1', 0, 100).replace(/\0.*$/s, '');
}

/**
 * Unpacks into a folder.
 * @returns the folder or file in it that holds everything
 */
export async function unpackTar(stream: Readable, target: string): Promise<string> {
  const files: string[] = [];
  await eachEntry(stream, async (name, content) => {
    const path = resolve(target, name);
    // An archive from who knows where must not write outside of the folder it was given.
    if (!path.startsWith(resolve(target) + sep)) throw new Error(`tar archive: the name ${name} leads out of it`);
    await mkdir(dirname(path), { recursive: true });
    await pipeline(content, createWriteStream(path));
    files.push(path);
  });
  const [first] = files;
  if (first !== undefined && files.length === 1) return first;
  const table = files.find((path) => path.endsWith(`${sep}toc.dat`));
  return table === undefined ? target : dirname(table);
}

/** Reads an archive to its end, and throws where it is cut off or not one. */
export async function checkTar(stream: Readable): Promise<void> {
  await eachEntry(stream, (_, content) => pipeline(content, new Writable({ write: (_chunk, _, done) => done() })));
}

async function eachEntry(
  stream: Readable,
  use: (name: string, content: AsyncIterable<unknown>) => Promise<void>,
): Promise<void> {
  const archive = extract();
  const unpacked = (async () => {
    for await (const entry of archive) {
      if (entry.header.type === 'file') await use(entry.header.name, entry);
      else entry.resume();
    }
  })();
  await Promise.all([pipeline(stream, archive), unpacked]);
}
