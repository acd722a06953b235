/** `db backup-check` between the flags and the core. */
import { openArtifacts } from '../artifacts/open.js';
import { type Checked, checkBackup } from '../backup/check.js';
import { gather } from '../backup/evidence.js';
import { receiptPath } from '../backup/manifest.js';
import { writeWhole } from '../backup/take.js';
import { readEnvironment } from '../config.js';
import type { Database } from '../dialect/dialect.js';
import { openBackup } from '../dialect/index.js';
import { dropOldFolders } from '../dialect/scratch-folder.js';
import { MtrackError } from '../errors.js';
import { resolveTarget } from '../schema/lineage.js';
import { parseStoreUri, secretsOf, wordsOf } from '../uri.js';
import { type ArtifactFlags, artifactOptions } from './artifacts.js';
import { showing } from './backup-progress.js';
import { aloneJson, aloneText, checkedJson, checkedText } from './render/backup.js';
import { stopOnSignals } from './signals.js';
import { type NamedDatabase, namedDatabase, type StoreInput, withDatabase } from './store.js';
import type { Terminal } from './terminal.js';

export interface BackupCheckFlags extends ArtifactFlags {
  readonly 'backend-store-uri'?: string | undefined;
  readonly 'backend-store-uri-file'?: string | undefined;
  readonly alone: boolean;
  readonly 'max-age'?: number | undefined;
  readonly moved: boolean;
  readonly restore: boolean;
  readonly exact: boolean;
  readonly rehearse: boolean;
  readonly artifacts: boolean;
  readonly to: string;
  readonly 'scratch-uri'?: string | undefined;
  readonly receipt?: string | undefined;
  readonly 'lock-timeout': number;
}

export async function runBackupCheck(
  backup: string,
  input: StoreInput & { readonly flags: BackupCheckFlags },
  terminal: Terminal,
): Promise<unknown> {
  const { flags } = input;
  const target = resolveTarget(flags.to);
  const store = flags.alone ? null : namedDatabase(input);
  if (store) terminal.keepSecret(secretsOf(store.uri), wordsOf(store.uri));
  const scratch = scratchOf(flags['scratch-uri'], store, terminal);
  const { signal, release } = stopOnSignals((name) =>
    terminal.note(`${name}: stopping; the scratch database is dropped first`),
  );
  await dropOldFolders();
  const artifacts = flags.artifacts ? openArtifacts(artifactOptions(flags)) : null;
  const opened = await openBackup(backup);
  try {
    const context = { signal, environment: readEnvironment(process.env).tools };
    if (!store) {
      const evidence = await showing(`reading ${backup}`, terminal, (onProgress) =>
        gather(opened, { ...context, onProgress }),
      );
      terminal.say(aloneText(evidence));
      return aloneJson(evidence);
    }
    return await withDatabase(store, terminal.note, (database) =>
      withHost(scratch, terminal, async (scratchHost) => {
        const receipt = flags.receipt ?? receiptPath(backup);
        const checked: Checked = await showing(`checking ${backup}`, terminal, (onProgress) =>
          checkBackup(opened, database, {
            ...context,
            onProgress,
            maxAge: flags['max-age'] ?? null,
            moved: flags.moved,
            restore: flags.restore || flags.rehearse || flags.artifacts,
            listArtifacts: artifacts && (async (uri) => (await artifacts.open(uri)).list('')),
            exact: flags.exact,
            rehearseTo: flags.rehearse ? target : null,
            scratchHost,
            receiptPath: receipt,
            patience: flags['lock-timeout'],
            lockTimeout: flags['lock-timeout'],
            madeBy: terminal.program,
          }),
        );
        await writeWhole(receipt, checked.receipt);
        terminal.say(checkedText(checked, { backup, receipt, named: database.named, to: flags.to }));
        return { ...checkedJson(checked), receipt, database: database.shown };
      }),
    );
  } finally {
    release();
    await artifacts?.close();
    await opened.file.close();
  }
}

/** @throws {MtrackError} URI_INVALID */
function scratchOf(text: string | undefined, store: NamedDatabase | null, terminal: Terminal): NamedDatabase | null {
  if (text === undefined) return null;
  const uri = parseStoreUri(text);
  if (uri.kind !== 'database')
    throw new MtrackError('URI_INVALID', {
      found: `--scratch-uri names ${uri.path}, a folder`,
      expected: 'a database',
    });
  const uris = [...(store ? [store.uri] : []), uri];
  terminal.keepSecret(uris.flatMap(secretsOf), uris.flatMap(wordsOf));
  return { uri, named: '' };
}

function withHost<T>(
  scratch: NamedDatabase | null,
  terminal: Terminal,
  use: (host: Database | null) => Promise<T>,
): Promise<T> {
  return scratch === null ? use(null) : withDatabase(scratch, terminal.note, use);
}
