/** The trash of the store that a command names, what is shown of it, and what is taken out of it. */
import { DEFAULT_POOL } from '../config.js';
import { FAILURES, MtrackError } from '../errors.js';
import { parseAge } from '../gc/age.js';
import { databaseTrash } from '../gc/database/open.js';
import { fileTrash } from '../gc/files/open.js';
import type { OpenTrash, Restorer } from '../gc/source.js';
import { listTrash, type Restored, restore, type TrashList } from '../gc/trash.js';
import { openStore } from '../store/open.js';
import type { Store } from '../store/store.js';
import { type FileStoreUri, formatUri, secretsOf, wordsOf } from '../uri.js';
import { recorded, runOf } from './history.js';
import { waitingNotes } from './progress.js';
import { restoredText, trashText } from './render/trash.js';
import { idList, namedStore, type StoreInput, withDatabase } from './store.js';
import type { Terminal } from './terminal.js';

const PATIENCE_MS = 60_000;

/** @param use told also of the words that name the store on a command line */
export async function withTrash<T>(
  input: StoreInput,
  terminal: Terminal,
  use: (trash: OpenTrash, named: string) => Promise<T>,
): Promise<T> {
  const { uri, named } = namedStore(input);
  terminal.keepSecret(secretsOf(uri), wordsOf(uri));
  if (uri.kind === 'files') return use(fileTrash(uri.path, restorerOf(uri)), named);
  return withDatabase({ uri, named }, terminal.note, (database) => use(databaseTrash(database), named));
}

function restorerOf(uri: FileStoreUri): Restorer {
  const connection = { pool: DEFAULT_POOL, mysqlTls: { ca: null, cert: null, key: null }, postgresql: {} };
  const inStore = async (work: (store: Store) => Promise<void>) => {
    const store = await openStore(uri, { connection, artifactRoot: uri.path });
    await work(store).finally(() => store.close());
  };
  return {
    experiment: (id) => inStore((store) => store.experiments.restore(id)),
    run: (id) => inStore((store) => store.runs.restore(id)),
  };
}

interface ListFlags {
  readonly 'older-than': string;
  readonly 'experiment-ids'?: string | undefined;
}

export async function runTrashList(
  input: StoreInput & { readonly flags: ListFlags },
  terminal: Terminal,
): Promise<TrashList> {
  const { flags } = input;
  const olderThan = parseAge(flags['older-than']);
  return withTrash(input, terminal, async (trash) => {
    const wait = { patience: PATIENCE_MS, onWait: waitingNotes(terminal.note) };
    const list = await trash.look(wait, (source) => listTrash(source, olderThan, idList(flags['experiment-ids'])));
    terminal.say(trashText(list, flags['older-than']));
    return list;
  });
}

interface RestoreFlags {
  readonly 'run-ids'?: string | undefined;
  readonly 'experiment-ids'?: string | undefined;
  readonly 'history-file'?: string | undefined;
}

/** @throws {MtrackError} USAGE where nothing is named */
export async function runRestore(
  input: StoreInput & { readonly flags: RestoreFlags },
  terminal: Terminal,
): Promise<Restored> {
  const runs = idList(input.flags['run-ids']) ?? [];
  const experiments = idList(input.flags['experiment-ids']) ?? [];
  if (runs.length + experiments.length === 0) {
    throw new MtrackError('USAGE', {
      found: 'nothing is named that is to be restored',
      expected: '--run-ids or --experiment-ids',
      fix: ['`mtrack trash list` shows what there is'],
    });
  }
  return withTrash(input, terminal, async (trash) => {
    const wait = { patience: PATIENCE_MS, onWait: waitingNotes(terminal.note) };
    const about = {
      file: input.flags['history-file'],
      database: { shown: formatUri(namedStore(input).uri) },
      run: runOf('trash restore'),
      terminal,
    };
    const work = () => trash.work(wait, (source, restorer) => restore(restorer, { runs, experiments }, source));
    const outcome = await recorded(about, work, ({ restored }) => [
      ...restored.experiments.map((id) => `experiment ${id}`),
      ...restored.runs.map((id) => `run ${id}`),
    ]);
    terminal.say(restoredText(outcome));
    if (outcome.failed.length > 0) process.exitCode = FAILURES.PARTIAL.exit;
    return outcome;
  });
}
