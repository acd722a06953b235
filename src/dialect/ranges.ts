/** Chunks of rows: how a statement is restricted to a range of one column, without its text being taken apart. */
import { type RawBuilder, sql } from 'kysely';

const OPEN = '\u0001';
const CLOSE = '\u0002';

/** The range of a chunk: above `after` (from the first row when null), up to and including `upTo` (to the last when null). */
export interface Bounds {
  readonly after: unknown;
  readonly upTo: unknown;
}

/** The place in a statement where the chunk's condition on `column` (already quoted) goes. */
export function rangeMarker(column: string): string {
  return `${OPEN}${column}${CLOSE}`;
}

/** The statement over all rows, as text: the marker becomes a condition that is always true. */
export function inOnePiece(statement: string): string {
  return statement.replaceAll(new RegExp(`${OPEN}[^${CLOSE}]*${CLOSE}`, 'g'), '1 = 1');
}

/** The statement over one chunk, its bounds bound. */
export function inChunk(statement: string, bounds: Bounds): RawBuilder<unknown> {
  const pieces = statement.split(new RegExp(`[${OPEN}${CLOSE}]`));
  return sql.join(
    pieces.map((piece, i) => (i % 2 === 0 ? sql.raw(piece) : condition(piece, bounds))),
    sql.raw(''),
  );
}

function condition(column: string, { after, upTo }: Bounds): RawBuilder<unknown> {
  const name = sql.raw(column);
  const parts = [
    ...(after === null ? [] : [sql`${name} > ${after}`]),
    ...(upTo === null ? [] : [sql`${name} <= ${upTo}`]),
  ];
  return parts.length === 0 ? sql.raw('1 = 1') : sql`(${sql.join(parts, sql.raw(' AND '))})`;
}
