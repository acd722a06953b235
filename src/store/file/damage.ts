/** What is wrong with a file or a folder of a store, as it is told to whoever reads it. */

/** One thing that cannot be used, or not in whole. */
export interface Fault {
  /** Absolute, of the file or folder. */
  readonly path: string;
  /** From 1 on, where it is about a line of the file. */
  readonly line?: number | undefined;
  /** A clause that goes behind the path: `is empty`. */
  readonly reason: string;
}

/** `/mlruns/0/meta.yaml, line 3, is no YAML` */
export const faultText = ({ path, line, reason }: Fault): string =>
  `${path}${line === undefined ? '' : `, line ${line},`} ${reason}`;

/** A fault as it is thrown, or handed to a Report. */
export class Damage extends Error {
  readonly fault: Fault;
  /** Somebody may be writing at this moment: what is read a little later can be whole. */
  readonly passing: boolean;
  /** MLflow leaves it out with a warning, also where it is asked for one thing only. */
  readonly slight: boolean;

  constructor(fault: Fault, { passing = false, slight = false } = {}) {
    super(faultText(fault));
    this.name = 'Damage';
    this.fault = fault;
    this.passing = passing;
    this.slight = slight;
  }
}

/** Told of what a reader leaves out. One that throws makes the reader strict. */
export type Report = (damage: Damage) => void;

/** The report of a strict reader. @throws {Damage} */
export const strictly: Report = (damage) => {
  if (!damage.slight) throw damage;
};

/** Thrown by what takes a text apart, which does not know of which file it is. */
export class Unreadable extends Error {
  readonly line: number | undefined;

  /** @param reason a clause that goes behind the path */
  constructor(reason: string, line?: number) {
    super(reason);
    this.name = 'Unreadable';
    this.line = line;
  }
}

/** What `read` gives; where that throws Damage, it is reported, and there is nothing. */
export function orReport<Result>(report: Report, read: () => Result): Result | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof Damage)) throw error;
    report(error);
    return undefined;
  }
}
