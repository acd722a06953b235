/** `db backup` between the flags and the core. */

import { manifestPath } from '../backup/manifest.js';
import { type TakenBackup, takeBackup } from '../backup/take.js';
import { readEnvironment } from '../config.js';
import { shellWord } from '../dialect/shell.js';
import { secretsOf, wordsOf } from '../uri.js';
import { showing } from './backup-progress.js';
import { bytes, count } from './render/numbers.js';
import { stopOnSignals } from './signals.js';
import { namedDatabase, type StoreInput, withDatabase } from './store.js';
import type { Terminal } from './terminal.js';

export interface BackupFlags {
  readonly 'backend-store-uri'?: string | undefined;
  readonly 'backend-store-uri-file'?: string | undefined;
  readonly output: string;
  readonly format?: string | undefined;
  readonly jobs: number;
  readonly 'lock-timeout': number;
}

export async function runBackup(
  input: StoreInput & { readonly flags: BackupFlags },
  terminal: Terminal,
): Promise<unknown> {
  const { flags } = input;
  const store = namedDatabase(input);
  terminal.keepSecret(secretsOf(store.uri), wordsOf(store.uri));
  const { signal, release } = stopOnSignals((name) =>
    terminal.note(`${name}: stopping; nothing is left of the backup`),
  );
  try {
    return await withDatabase(store, terminal.note, async (database) => {
      const taken = await showing(`backup of ${database.shown}`, terminal, (onProgress) =>
        takeBackup(database, {
          output: flags.output,
          format: flags.format ?? null,
          jobs: flags.jobs,
          patience: flags['lock-timeout'],
          environment: readEnvironment(process.env).tools,
          madeBy: terminal.program,
          signal,
          onProgress,
        }),
      );
      terminal.say(textOf(taken, database.named));
      return { ...taken.manifest, path: taken.path, manifest: manifestPath(taken.path), database: database.shown };
    });
  } finally {
    release();
  }
}

function textOf({ path, manifest }: TakenBackup, named: string): string {
  const { tables } = manifest.content;
  const { sum, format } = manifest.backup;
  const rows = Object.values(tables).reduce((total, n) => total + n, 0);
  return [
    `${path}: ${sum ? `${bytes(sum.bytes)}, ` : ''}${format} by ${manifest.tool}`,
    `    revision ${manifest.source.revision ?? 'of MLflow 0.9, which has none'}; ${count(rows)} rows in ${Object.keys(tables).length} tables, of them ${count(tables.runs ?? 0)} runs and ${count(tables.metrics ?? 0)} metrics`,
    ...(sum ? [`    sha256 ${sum.sha256}`] : []),
    `next, prove that it can be restored: ${['mtrack db backup-check', shellWord(path), named, '--restore --rehearse'].filter(Boolean).join(' ')}`,
  ].join('\n');
}
