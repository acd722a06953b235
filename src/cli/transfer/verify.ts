/** `verify` between the flags and the core. */
import { resolve } from 'node:path';
import { offlineDialect, SCHEMES, scratchDatabase } from '../../dialect/index.js';
import { FAILURES } from '../../errors.js';
import { HEAD, positionOf, schemaAt } from '../../schema/lineage.js';
import { isArchive } from '../../transfer/archive/unpack.js';
import type { DatabaseSource } from '../../transfer/database.js';
import { storeIn } from '../../transfer/files/index.js';
import { heldIn, tracesWithSpans, withoutSpans } from '../../transfer/into-files/held.js';
import { Moves, movedSource } from '../../transfer/relocate/source.js';
import { UriMap } from '../../transfer/relocate/uri-map.js';
import { type BringingOptions, broughtTo } from '../../transfer/scratch.js';
import type { Source } from '../../transfer/source.js';
import { isVerified, type Verification, type VerifyOptions, verifyStores } from '../../transfer/verify.js';
import { verificationText } from '../render/transfer.js';
import { stopOnSignals } from '../signals.js';
import type { Terminal } from '../terminal.js';
import { transferDisplay } from './progress.js';
import { writeReport } from './report.js';
import { type Opener, refuseSame, storeNamed, withSource } from './stores.js';

export interface VerifyFlags {
  readonly from: string;
  readonly to: string;
  readonly 'long-values': string;
  readonly 'on-conflict': string;
  readonly map: readonly string[];
  readonly report?: string | undefined;
  readonly 'wait-timeout': number;
}

/** @throws {MtrackError} */
export async function verify(flags: VerifyFlags, terminal: Terminal): Promise<unknown> {
  refuseSame(flags.from, flags.to, terminal);
  const to = flags.to === '-' ? null : storeNamed(flags.to, terminal);
  const files = to?.kind === 'files' && !isArchive(to.path) ? storeIn(resolve(to.path)) : null;
  return withSource(flags.to, '--to', flags, terminal, (to) =>
    withSource(flags.from, '--from', flags, terminal, (from) => compared({ from, to, files }, flags, terminal)),
  );
}

interface Compared {
  readonly from: Opener;
  readonly to: Opener;
  /** Folder of the target, where that is a file store. */
  readonly files: string | null;
}

async function compared(stores: Compared, flags: VerifyFlags, terminal: Terminal): Promise<unknown> {
  const { signal, release } = stopOnSignals((name) => terminal.note(`${name}: stopping`));
  try {
    const map = new UriMap(flags.map);
    const found = await transferDisplay('comparing', terminal).run((onProgress) => {
      const options: VerifyOptions & BringingOptions = {
        cutLong: flags['long-values'] === 'cut',
        onConflict: flags['on-conflict'] === 'rename' ? 'rename' : 'merge',
        ...{ signal, onProgress, openScratch: scratchDatabase },
      };
      return compare(stores, map, options);
    });
    return said(found, flags, terminal);
  } finally {
    release();
  }
}

async function compare(
  { from, to, files }: Compared,
  map: UriMap,
  options: VerifyOptions & BringingOptions,
): Promise<Verification> {
  const dialect = await offlineDialect(SCHEMES[0] ?? '');
  const open: Pick<Source, 'close'>[] = [];
  const kept = <Opened extends Pick<Source, 'close'> | null>(source: Opened): Opened => {
    if (source) open.push(source);
    return source;
  };
  try {
    const other = kept(await to.first(dialect));
    const one = kept(await from.first(other?.dialect ?? dialect));
    const revision = newest(other?.revision, one?.revision, files === null ? undefined : HEAD);
    const shape = { revision, schema: schemaAt(revision, dialect.traits) };
    const target = await asDatabase(other ?? kept(to.at(shape)), revision, options);
    kept(target);
    const schema = schemaAt(revision, target.dialect.traits);
    const source = one ?? kept(from.at({ revision, schema }));
    const brought = source.revision === revision ? source : kept(await broughtTo(revision, source, options));
    const place = { ...target, revision, schema };
    const moved = movedSource(brought, map, new Moves());
    if (files === null) return await verifyStores(moved, place, options);
    const withSpans = await tracesWithSpans(moved, options.signal);
    return await verifyStores(withoutSpans(await heldIn(files, moved, place, withSpans, options)), place, options);
  } finally {
    for (const each of open.toReversed()) await each.close();
  }
}

/** Rows of an older revision can be brought to a newer one, not the other way. */
function newest(...revisions: readonly (string | undefined)[]): string {
  const known = revisions.filter((each) => each !== undefined);
  return known.toSorted((a, b) => positionOf(a) - positionOf(b)).at(-1) ?? HEAD;
}

/** A database as it is; anything else, and an older one, as one. */
async function asDatabase(source: Source, revision: string, options: BringingOptions): Promise<DatabaseSource> {
  return isDatabase(source) && source.revision === revision ? source : broughtTo(revision, source, options);
}

const isDatabase = (source: Source): source is DatabaseSource => 'session' in source;

function said(found: Verification, { report, from, to }: VerifyFlags, { say }: Terminal): unknown {
  const result = { ...found, verified: isVerified(found) };
  writeReport(report, result, verificationText(found, from, to, 'all'));
  say(verificationText(found, from, to));
  if (!result.verified) process.exitCode = FAILURES.TRANSFER_UNPROVEN.exit;
  else if (found.problems.some(({ kind }) => kind === 'not-held')) process.exitCode = FAILURES.PARTIAL.exit;
  return result;
}
