/** What lies beside a backup that mtrack took: of which database it is, from when, and what is in it. */
import { existsSync, readFileSync } from 'node:fs';
import { MtrackError, messageOf } from '../errors.js';
import { isIntact, type Sealed } from './canonical.js';
import type { FileSum } from './checksum.js';
import type { Content, ExperimentFact } from './content.js';
import { dictionary, exactly, flag, list, nullable, number, object, type Shape, text } from './shape.js';

export interface SourceFacts {
  readonly dialect: string;
  /** The store URI without its password. */
  readonly uri: string;
  readonly identity: { readonly facts: Readonly<Record<string, string>>; readonly firm: boolean };
  /** Null for a database without a version. */
  readonly revision: string | null;
}

export interface Manifest {
  readonly kind: 'mtrack backup manifest';
  readonly version: 1;
  /** mtrack and its version. */
  readonly madeBy: string;
  /** When the state of the database was that of the backup, and when the backup was whole: milliseconds since the epoch. */
  readonly takenAt: number;
  readonly finishedAt: number;
  readonly tool: string | null;
  readonly server: string | null;
  readonly source: SourceFacts;
  readonly backup: {
    readonly name: string;
    readonly format: string;
    /** Null where the file is not on the machine that took the backup. */
    readonly sum: { readonly sha256: string; readonly bytes: number; readonly files: readonly FileSum[] } | null;
  };
  readonly content: Content;
}

export const contentShape: Shape<Content> = object<Content>({
  versions: nullable(list(text)),
  tables: dictionary(number),
  newest: dictionary(number),
  experiments: list(object<ExperimentFact>({ id: text, created: nullable(number) })),
  runs: list(text),
  newestRuns: list(text),
});

export const sourceShape: Shape<SourceFacts> = object<SourceFacts>({
  dialect: text,
  uri: text,
  identity: object({ facts: dictionary(text), firm: flag }),
  revision: nullable(text),
});

export const sumShape = object({
  sha256: text,
  bytes: number,
  files: list(object<FileSum>({ name: text, bytes: number, sha256: text })),
});

const manifestShape = object<Sealed<Manifest>>({
  kind: exactly('mtrack backup manifest'),
  version: exactly(1),
  madeBy: text,
  takenAt: number,
  finishedAt: number,
  tool: nullable(text),
  server: nullable(text),
  source: sourceShape,
  backup: object({ name: text, format: text, sum: nullable(sumShape) }),
  content: contentShape,
  hash: text,
});

export const manifestPath = (backup: string): string => `${withoutSlash(backup)}.manifest.json`;
export const receiptPath = (backup: string): string => `${withoutSlash(backup)}.receipt.json`;

const withoutSlash = (path: string) => path.replace(/(?<=.)\/+$/, '');

/** The manifest of a backup; null when there is none. @throws {MtrackError} BACKUP_DAMAGED when it was changed */
export function readManifest(backup: string): Sealed<Manifest> | null {
  const path = manifestPath(backup);
  if (!existsSync(path)) return null;
  const manifest = parsed(path, manifestShape, (found, cause) => {
    return new MtrackError('BACKUP_DAMAGED', {
      found,
      expected: 'the manifest that `mtrack db backup` wrote',
      fix: ['take a new backup: mtrack db backup', `or have the backup judged without it: move ${path} away`],
      cause,
    });
  });
  return manifest;
}

/** A sealed document in a file. @param failed makes the error */
export function parsed<T extends { readonly hash: string }>(
  path: string,
  shape: Shape<T>,
  failed: (found: string, cause?: unknown) => MtrackError,
): T {
  let document: T;
  try {
    document = shape(JSON.parse(readFileSync(path, 'utf8')), '');
  } catch (error) {
    throw failed(`${path}: ${messageOf(error)}`, error);
  }
  if (!isIntact(document)) throw failed(`${path} was changed after it was written: its hash is another one`);
  return document;
}
