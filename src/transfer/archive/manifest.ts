/** What an archive says of itself: `manifest.json`, the last file of it that is written. See docs/archive.md. */
import { MtrackError, UPDATE_MTRACK } from '../../errors.js';
import type { Digest } from '../../rows/checksum.js';
import { isKnown } from '../../schema/lineage.js';

export const MANIFEST = 'manifest.json';
export const FORMAT = 'mtrack archive';
export const VERSION = 1;

/** A file with a part of the rows of a table. */
export interface Chunk {
  /** Path in the archive, without the ending of its compression. */
  readonly file: string;
  readonly rows: number;
  /** Of the text, not compressed. */
  readonly bytes: number;
  /** Of the text, in hexadecimal digits. */
  readonly sha256: string;
}

export interface ArchivedTable extends Digest {
  readonly name: string;
  readonly columns: readonly string[];
  readonly chunks: readonly Chunk[];
}

export interface Manifest {
  readonly format: typeof FORMAT;
  readonly version: typeof VERSION;
  /** The revision of MLflow's lineage that the rows are of. */
  readonly revision: string;
  /** Those that have rows, in the order in which each comes after those that it refers to. */
  readonly tables: readonly ArchivedTable[];
  /** What was asked for, where that was not everything. */
  readonly selection?: Readonly<Record<string, unknown>> | undefined;
  /** How many things the source had that could not be exported: they were left behind, and named then. */
  readonly leftBehind: number;
}

/** @param where for messages @throws {MtrackError} ARCHIVE_UNREADABLE */
export function parseManifest(text: string, where: string): Manifest {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw unreadable(`${where}: ${MANIFEST} is no JSON`, error);
  }
  if (!isRecord(value) || value.format !== FORMAT) throw unreadable(`${where} is no archive of mtrack`);
  if (value.version !== VERSION) {
    throw unreadable(`${where} is an archive of version ${String(value.version)}`, undefined, [UPDATE_MTRACK]);
  }
  const { revision, tables, selection, leftBehind } = value;
  if (typeof revision !== 'string' || !Array.isArray(tables) || !isCount(leftBehind)) {
    throw unreadable(`${where}: ${MANIFEST} has no revision or tables`);
  }
  if (!isKnown(revision)) {
    throw unreadable(`${where} is of revision ${revision}, which this build does not know`, undefined, [UPDATE_MTRACK]);
  }
  return {
    ...{ format: FORMAT, version: VERSION, revision, leftBehind },
    tables: tables.map((table) => parseTable(table, where)),
    ...(isRecord(selection) && { selection }),
  };
}

function parseTable(value: unknown, where: string): ArchivedTable {
  if (isRecord(value)) {
    const { name, columns, rows, checksum, chunks } = value;
    const isWhole = typeof name === 'string' && isTexts(columns) && isCount(rows) && typeof checksum === 'string';
    if (isWhole && Array.isArray(chunks)) {
      return { name, columns, rows, checksum, chunks: chunks.map((chunk) => parseChunk(chunk, where)) };
    }
  }
  throw unreadable(`${where}: ${MANIFEST} has a table that cannot be understood`);
}

function parseChunk(value: unknown, where: string): Chunk {
  if (isRecord(value)) {
    const { file, rows, bytes, sha256 } = value;
    // Nothing outside of the archive.
    const isInside = typeof file === 'string' && /^tables\/\w+\/\d+\.jsonl$/.test(file);
    if (isInside && isCount(rows) && isCount(bytes) && typeof sha256 === 'string') return { file, rows, bytes, sha256 };
  }
  throw unreadable(`${where}: ${MANIFEST} has a chunk that cannot be understood`);
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  value !== null && typeof value === 'object' && !Array.isArray(value);
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;
const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((each) => typeof each === 'string');

export function unreadable(found: string, cause?: unknown, fix: readonly string[] = EXPORT_AGAIN): MtrackError {
  return new MtrackError('ARCHIVE_UNREADABLE', {
    found,
    expected: 'an archive that `mtrack export` has written to its end',
    fix,
    cause,
  });
}

const EXPORT_AGAIN = ['export again: mtrack export --from STORE --to ARCHIVE'];
