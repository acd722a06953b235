/** `export` between the flags and the core. */
import { existsSync } from 'node:fs';
import { offlineDialect, SCHEMES } from '../../dialect/index.js';
import { FAILURES, MtrackError } from '../../errors.js';
import { resolveTarget, schemaAt } from '../../schema/lineage.js';
import { compressionOf, type Pack, packFile, packFolder, packStream } from '../../transfer/archive/pack.js';
import { writeArchive } from '../../transfer/archive/write.js';
import { refusalFor } from '../../transfer/problems.js';
import { Moves, movedSource } from '../../transfer/relocate/source.js';
import { UriMap } from '../../transfer/relocate/uri-map.js';
import { isEverything, selectionJson } from '../../transfer/select/selection.js';
import type { Source } from '../../transfer/source.js';
import { exportText } from '../render/transfer.js';
import { stopOnSignals } from '../signals.js';
import type { Terminal } from '../terminal.js';
import { transferDisplay } from './progress.js';
import { narrowed, type SelectionFlags, selectionOf } from './selection.js';
import { type Opener, withSource } from './stores.js';

export interface ExportFlags extends SelectionFlags {
  readonly from: string;
  readonly to: string;
  readonly revision?: string | undefined;
  readonly map: readonly string[];
  readonly 'skip-bad': boolean;
  readonly 'wait-timeout': number;
}

/** @throws {MtrackError} */
export async function exportStore(flags: ExportFlags, given: Terminal): Promise<unknown> {
  const isPipe = flags.to === '-';
  if (isPipe && given.json) {
    throw new MtrackError('USAGE', {
      found: '--to - and --json: the archive goes to the standard output',
      fix: ['leave out --json, or name a file'],
    });
  }
  // What is said of it must not get into the archive.
  const terminal: Terminal = isPipe ? { ...given, interactive: false, say: given.note } : given;
  return withSource(flags.from, '--from', flags, terminal, (opener) => exported(opener, flags, terminal));
}

async function exported(opener: Opener, flags: ExportFlags, terminal: Terminal): Promise<unknown> {
  const { signal, release } = stopOnSignals((name) => terminal.note(`${name}: stopping; nothing of the archive stays`));
  let source = await openSource(opener, flags);
  const dialect = source.dialect ?? (await anyDialect());
  const selection = selectionOf(flags);
  try {
    source = await narrowed(source, flags, dialect.traits, signal);
    source = movedSource(source, new UriMap(flags.map), new Moves());
    const { manifest, problems } = await transferDisplay('exporting', terminal).run(async (onProgress) => {
      return writeArchive(source, schemaAt(source.revision, dialect.traits), packAt(flags.to), {
        ...(!isEverything(selection) && { selection: selectionJson(selection) }),
        signal,
        onProgress,
        allow: (problems) => {
          const refusal = refusalFor(problems, flags['skip-bad'], 'nothing was written');
          if (refusal) throw refusal;
        },
      });
    });
    terminal.say(exportText(manifest, problems, flags.to));
    if (problems.length > 0) process.exitCode = FAILURES.PARTIAL.exit;
    return { source: source.shown, archive: flags.to, manifest, problems, others: source.others };
  } finally {
    await source.close();
    release();
  }
}

/** The tables of files are those of any database. */
const anyDialect = () => offlineDialect(SCHEMES[0] ?? '');

async function openSource(opener: Opener, { revision = 'head' }: ExportFlags): Promise<Source> {
  const dialect = await anyDialect();
  const found = await opener.first(dialect);
  if (found) return found;
  const at = resolveTarget(revision);
  return opener.at({ revision: at, schema: schemaAt(at, dialect.traits) });
}

function packAt(path: string): Pack {
  if (path === '-') return packStream(process.stdout, 'zstd');
  const compression = compressionOf(path);
  if (compression !== null) return packFile(path, compression);
  if (/\.[a-z\d]+$/i.test(path) && !existsSync(path)) {
    throw new MtrackError('USAGE', {
      found: `--to ${path}: no name of an archive`,
      expected:
        'a folder (a name without an ending), a file that ends in .tar.zst, .tar.gz or .tar, or - for the standard output',
      fix: [`--to ${path}.tar.zst`],
    });
  }
  return packFolder(path);
}
