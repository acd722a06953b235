/** What stands against moving something, or was left behind. */
import { MtrackError } from '../errors.js';

/** One thing that could not be moved as it is, and the rows that it is about. */
export interface Problem {
  readonly kind: /** A file of the source cannot be read, or a line of it. */
    | 'damaged'
    /** A value that the target's column cannot hold. */
    | 'does-not-fit'
    /** A value that was too long, and went in cut. */
    | 'cut'
    /** It refers to a row that is not there. */
    | 'orphan'
    /** The target has the row, with other values. */
    | 'different'
    /** The target has another row in its place: of the same name, or of a key that it holds to be the same. */
    | 'taken'
    /** The target does not have it. */
    | 'missing'
    /** An experiment whose name or number another one has. */
    | 'name-taken'
    /** The target's revision has no table or column for it. */
    | 'no-place'
    /** A file store has nothing for it: it stays where it is. */
    | 'not-held';
  /** Where: a path, or table and key. */
  readonly where: string;
  readonly line?: number | undefined;
  readonly reason: string;
  /** Rows that are lost with it, by table. */
  readonly rows: Readonly<Record<string, number>>;
}

export const problemText = ({ where, line, reason }: Problem): string =>
  `${where}${line === undefined ? '' : `, line ${line},`}${reason.startsWith(':') ? '' : ' '}${reason}`;

/** Keeps all of them. */
export class Problems {
  readonly list: Problem[] = [];
  /** Lines of the source that say what another one has said, by table: they are one row. */
  readonly repeated = new Map<string, number>();

  add(problem: Problem): void {
    this.list.push(problem);
  }

  repeat(table: string, lines: number): void {
    this.repeated.set(table, (this.repeated.get(table) ?? 0) + lines);
  }

  /** Rows that are lost, by table. */
  get rows(): ReadonlyMap<string, number> {
    const rows = new Map<string, number>();
    for (const problem of this.list) {
      // The target has a row of its own in its place.
      if (problem.kind === 'different') continue;
      for (const [table, n] of Object.entries(problem.rows)) rows.set(table, (rows.get(table) ?? 0) + n);
    }
    return rows;
  }
}

/** A row by its key, as `params, key "lr", run_uuid "0123"`. */
export function rowText(table: string, names: readonly string[], values: readonly unknown[]): string {
  const parts = names.map((name, at) => {
    const value = values[at];
    return `${name} ${typeof value === 'string' ? JSON.stringify(value) : String(value)}`;
  });
  return [table, ...parts].join(', ');
}

const BAD: readonly Problem['kind'][] = ['damaged', 'does-not-fit', 'orphan', 'no-place'];

/** Whether something of the source cannot be moved. */
export const isBad = ({ kind }: Problem) => BAD.includes(kind);

/** Why all is refused for what cannot be moved; null where there is nothing of the kind, or it is to be left behind. */
export function refusalFor(problems: readonly Problem[], skipBad: boolean, so: string): MtrackError | null {
  const bad = skipBad ? [] : problems.filter(isBad);
  if (bad.length === 0) return null;
  return new MtrackError('SOURCE_DAMAGED', {
    found: [
      `${bad.length} ${bad.length === 1 ? 'thing stands' : 'things stand'} in the way:`,
      ...bad.map(problemText),
    ].join('\n'),
    expected: `a source of which all can be moved; ${so}`,
    fix: ['put these right', 'leave them behind, with a report of each: --skip-bad'],
    details: { problems: bad },
  });
}
