/** The receipt of a check: what was proven of a backup, bound to the database, the backup and the plan. */
import { MtrackError } from '../errors.js';
import type { Digest } from '../rows/checksum.js';
import { type Sealed, sealed } from './canonical.js';
import type { TableComparison } from './compare.js';
import type { Content } from './content.js';
import type { Taken } from './evidence.js';
import { contentShape, parsed, type SourceFacts, sourceShape } from './manifest.js';
import type { Rehearsal, StepTime } from './rehearse.js';
import type { Restored } from './restore.js';
import { dictionary, exactly, list, nullable, number, object, type Shape, text } from './shape.js';

export interface Receipt {
  readonly kind: 'mtrack receipt';
  readonly version: 1;
  readonly madeBy: string;
  /** Milliseconds since the epoch. */
  readonly madeAt: number;
  readonly source: SourceFacts;
  readonly backup: {
    /** From the folder of the receipt. */
    readonly path: string;
    readonly format: string;
    readonly sum: { readonly sha256: string; readonly bytes: number };
    readonly taken: Taken;
    readonly content: Content;
  };
  /** Rows that the database had more than the backup, by table. */
  readonly lacks: Readonly<Record<string, number>>;
  readonly restored: Restored | null;
  readonly rehearsal: Rehearsal | null;
}

const digest = object<Digest>({ rows: number, checksum: text });

const receiptShape: Shape<Sealed<Receipt>> = object<Sealed<Receipt>>({
  kind: exactly('mtrack receipt'),
  version: exactly(1),
  madeBy: text,
  madeAt: number,
  source: sourceShape,
  backup: object<Receipt['backup']>({
    path: text,
    format: text,
    sum: object({ sha256: text, bytes: number }),
    taken: object<Taken>({ at: number, by: exactly('manifest', 'tool', 'file', 'content') }),
    content: contentShape,
  }),
  lacks: dictionary(number),
  restored: nullable(
    object<Restored>({
      seconds: number,
      comparedSeconds: number,
      tables: list(
        object<TableComparison>({
          table: text,
          backup: digest,
          live: digest,
          newer: number,
          changed: number,
          gone: number,
          missing: number,
          damaged: number,
        }),
      ),
    }),
  ),
  rehearsal: nullable(
    object<Rehearsal>({
      from: text,
      to: text,
      planHash: text,
      seconds: number,
      steps: list(object<StepTime>({ revision: text, title: text, seconds: number })),
      remaining: number,
    }),
  ),
  hash: text,
});

export function makeReceipt(body: Omit<Receipt, 'kind' | 'version'>): Sealed<Receipt> {
  return sealed({ kind: 'mtrack receipt', version: 1, ...body });
}

/** @throws {MtrackError} GATE_REFUSED when there is none, or it was changed */
export function readReceipt(path: string): Sealed<Receipt> {
  return parsed(path, receiptShape, (found, cause) => {
    return new MtrackError('GATE_REFUSED', {
      found,
      expected: 'the receipt that `mtrack db backup-check --restore` wrote',
      fix: ['make it again: mtrack db backup-check BACKUP --restore --rehearse'],
      cause,
    });
  });
}
