/** `artifacts relocate` between the flags and the core: counted, agreed to, done. */
import { confirm } from '@inquirer/prompts';
import { FAILURES, MtrackError } from '../errors.js';
import { type Problem, problemText } from '../transfer/problems.js';
import { type DatabaseOptions, lookAtDatabase, relocateDatabase } from '../transfer/relocate/database.js';
import { relocateFiles } from '../transfer/relocate/files.js';
import type { Relocated } from '../transfer/relocate/relocation.js';
import { UriMap } from '../transfer/relocate/uri-map.js';
import { formatUri, secretsOf, wordsOf } from '../uri.js';
import { recorded, runOf } from './history.js';
import { countsText } from './render/relocate.js';
import { stopOnSignals } from './signals.js';
import { namedStore, type StoreInput, withDatabase } from './store.js';
import type { Terminal } from './terminal.js';

interface RelocateFlags {
  readonly 'backend-store-uri'?: string | undefined;
  readonly 'backend-store-uri-file'?: string | undefined;
  readonly map: readonly string[];
  readonly 'dry-run': boolean;
  readonly yes: boolean;
  readonly 'wait-timeout': number;
  readonly 'history-file'?: string | undefined;
}

/** A store whose URIs can be counted, and rewritten. */
interface Relocatable {
  run(writes: boolean, signal: AbortSignal): Promise<Relocated & { readonly problems?: readonly Problem[] }>;
}

/** @throws {MtrackError} */
export async function relocate(
  input: StoreInput & { readonly flags: RelocateFlags },
  terminal: Terminal,
): Promise<unknown> {
  const { flags } = input;
  const map = new UriMap(flags.map);
  if (map.isEmpty) {
    throw new MtrackError('USAGE', {
      found: 'nothing says where the artifacts are now',
      expected: '--map s3://old=s3://new',
    });
  }
  const { uri, named } = namedStore(input);
  terminal.keepSecret(secretsOf(uri), wordsOf(uri));
  if (uri.kind === 'files') {
    const files: Relocatable = { run: (writes, signal) => relocateFiles(uri.path, writes, { map, signal }) };
    return relocated(files, formatUri(uri), flags, terminal);
  }
  return withDatabase({ uri, named }, terminal.note, (database) => {
    const options = (signal: AbortSignal): DatabaseOptions => ({
      ...{ map, signal, patience: flags['wait-timeout'] },
      onProgress: () => undefined,
    });
    return relocated(
      {
        run: (writes, signal) =>
          writes ? relocateDatabase(database, options(signal)) : lookAtDatabase(database, options(signal)),
      },
      database.shown,
      flags,
      terminal,
    );
  });
}

async function relocated(
  store: Relocatable,
  shown: string,
  flags: RelocateFlags,
  terminal: Terminal,
): Promise<unknown> {
  const { signal, release } = stopOnSignals((name) => terminal.note(`${name}: stopping`));
  try {
    if (!flags['dry-run'] && !flags.yes) await agree(store, terminal, signal);
    const writes = !flags['dry-run'];
    const work = () => store.run(writes, signal);
    const { counts, problems = [] } = await (writes ? logged(shown, flags, terminal, work) : work());
    terminal.say([countsText(counts, writes ? 'changed' : 'change'), ...problems.map(problemText)].join('\n'));
    if (problems.length > 0) process.exitCode = FAILURES.PARTIAL.exit;
    return { changed: writes, counts: Object.fromEntries(counts), problems };
  } finally {
    release();
  }
}

function logged<Result extends Relocated>(
  shown: string,
  flags: RelocateFlags,
  terminal: Terminal,
  work: () => Promise<Result>,
): Promise<Result> {
  const run = runOf('artifacts relocate');
  const did = ({ counts }: Result) => [
    ...flags.map,
    ...[...counts].flatMap(([name, n]) => (n > 0 ? [`${n} of ${name}`] : [])),
  ];
  return recorded({ file: flags['history-file'], database: { shown }, run, terminal }, work, did);
}

/** @throws {MtrackError} CONSENT_REQUIRED */
async function agree(store: Relocatable, { interactive, note }: Terminal, signal: AbortSignal): Promise<void> {
  if (!interactive) {
    throw new MtrackError('CONSENT_REQUIRED', {
      found: 'nothing was changed: there is no terminal to ask at',
      expected: '--yes, or --dry-run to see what would be changed',
      fix: ['give the same command with --dry-run first, then with --yes'],
    });
  }
  note(countsText((await store.run(false, signal)).counts, 'change'));
  if (await confirm({ message: 'Change them now?', default: false })) return;
  throw new MtrackError('CONSENT_REQUIRED', { found: 'the answer was no: nothing was changed' });
}
