/** What pg_dump writes, in each of its formats, read to its end: as text, into which pg_restore turns the others. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { MtrackError, messageOf } from '../../errors.js';
import { type BackupFile, NEW_BACKUP, unreadable } from '../backup-file.js';
import type { BackupReader, Origin, ReadContext } from '../backups.js';
import { damaged, truncated } from '../dump-text.js';
import { checkTar, firstNameInTar } from '../tar.js';
import { runTool, ToolFailed } from '../tools.js';
import { localTime, readDump } from './dump.js';
import { pgTool } from './tools.js';

export const reader: BackupReader = {
  recognise: ({ isFolder, entries, head }) => {
    if (isFolder) return entries.some((name) => /^toc\.dat$|^\d+\.dat(?:\.\w+)?$/.test(name)) ? 'directory' : null;
    if (head.toString('latin1', 0, 5) === 'PGDMP') return 'custom';
    if (firstNameInTar(head) === 'toc.dat') return 'tar';
    const text = head.toString('latin1', 0, 4096);
    if (/^-- PostgreSQL database cluster dump/m.test(text)) return 'cluster';
    return /^-- PostgreSQL database dump/m.test(text) ? 'plain' : null;
  },
  read: async (file, format, sink, context) => {
    if (format === 'cluster') throw ofCluster(file);
    const about = format === 'plain' ? {} : await tableOfContents(file, format, context);
    let said: Origin | undefined;
    await asText(file, format, context, async (text) => {
      said = await readDump(text, sink, context.signal);
    });
    return { tool: null, server: null, database: null, takenAt: null, ...said, ...about };
  },
};

function ofCluster({ path }: BackupFile): MtrackError {
  return new MtrackError('BACKUP_UNKNOWN', {
    found: `${path} is of pg_dumpall, and holds every database of a server`,
    expected: 'a backup of one database',
    fix: ['dump the database by itself: mtrack db backup, or pg_dump --format=custom'],
  });
}

/** The dump as text, from whichever format. @param use reads it to its end */
export async function asText(
  file: BackupFile,
  format: string,
  { environment, signal, onProgress }: ReadContext,
  use: (text: Readable) => Promise<void>,
): Promise<void> {
  const stream = () => {
    let done = 0;
    return file.stream((n) => {
      done += n;
      onProgress({ what: 'reading', done, total: file.bytes, unit: 'bytes' });
    });
  };
  let failed: unknown;
  const used = (text: Readable) =>
    use(text).catch((error: unknown) => {
      failed = error;
      throw error;
    });
  try {
    if (format === 'plain') return await used(stream());
    await checkParts(file, format);
    const tool = await pgTool('pg_restore', environment);
    const piped = !file.isFolder;
    await runTool(
      { tool, args: ['--file=-', ...(piped ? [] : [file.location])], env: environment, signal },
      { output: used, ...(piped && { input: (stdin: Writable) => pipeline(stream(), stdin) }) },
    );
  } catch (error) {
    // Another program failed, which the text was given to.
    if (failed instanceof ToolFailed) throw failed;
    throw explained(error, file);
  }
}

/** What pg_restore does not see, or never comes back from. @throws {MtrackError} */
async function checkParts(file: BackupFile, format: string): Promise<void> {
  // On an archive that is cut off between two files it runs for ever.
  if (format === 'tar') await checkTar(file.stream());
  if (format !== 'directory') return;
  if (!file.entries.includes('toc.dat'))
    throw truncated(`${file.path} has no toc.dat, which pg_dump writes last: it was cut off, or did not end yet`);
  // Even the file of a table without rows has a last line.
  const hollow = file.entries.filter(
    (name) => /^\d+\.dat/.test(name) && statSync(join(file.location, name)).size === 0,
  );
  if (hollow.length > 0) throw truncated(`${file.path}: nothing is in ${hollow.join(', ')}`);
}

/** The head of an archive's table of contents. */
async function tableOfContents(
  file: BackupFile,
  format: string,
  { environment, signal }: ReadContext,
): Promise<Partial<Origin>> {
  try {
    await checkParts(file, format);
    const tool = await pgTool('pg_restore', environment);
    let text = '';
    await runTool(
      { tool, args: ['--list', ...(file.isFolder ? [file.location] : [])], env: environment, signal },
      {
        output: async (stdout) => {
          for await (const chunk of stdout) text += chunk;
        },
        ...(!file.isFolder && { input: (stdin: Writable) => pipeline(file.stream(), stdin) }),
      },
    );
    const said = (label: string) => new RegExp(`^; +${label}: (.+)$`, 'm').exec(text)?.[1] ?? null;
    return {
      database: said('dbname'),
      server: said('Dumped from database version'),
      tool: `pg_dump ${said('Dumped by pg_dump version') ?? ''}`.trimEnd(),
      takenAt: localTime(/^; Archive created at (.+)$/m.exec(text)?.[1] ?? ''),
    };
  } catch (error) {
    throw explained(error, file);
  }
}

/** What pg_restore says of an archive that it cannot read, by the kind of trouble. */
function explained(error: unknown, { path }: BackupFile): unknown {
  if (!(error instanceof ToolFailed)) return unreadable(error, path);
  const said = error.lines.at(-1)?.replace(/^pg_restore: (?:error: )?/, '') ?? messageOf(error);
  if (/end of file|too short|could not find block|No such file|could not open input file/.test(said))
    return truncated(`${path} ends in the middle: ${said}`);
  if (/unsupported version/.test(said)) {
    return new MtrackError('BACKUP_UNKNOWN', {
      found: `${path}: ${said}`,
      expected: 'an archive that the installed pg_restore can read',
      fix: ['install the tools of the PostgreSQL that made it, or a newer one', ...NEW_BACKUP],
      cause: error,
    });
  }
  return damaged(`${path}: ${said}`);
}
