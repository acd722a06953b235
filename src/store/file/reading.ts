/**
 * How the store reads beside others who write: what is half written, or was moved away meanwhile, is read again a little
 * later. One record that stays damaged is refused, with the path; a listing goes on without it, and a warning.
 */
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { StoreError } from '../errors.js';
import type { Context } from './context.js';
import { Damage, type Report, strictly } from './damage.js';

/** Thrown where a record went away while it was read. */
export class Vanished extends Error {}

/** Together somewhat more than what MLflow waits for a file that is empty. */
const PAUSES_MS = [1, 4, 15, 40, 80, 120, 200];

const mayPass = (error: unknown): boolean => error instanceof Vanished || (error instanceof Damage && error.passing);

/** Sees to it that a reader stops at what may be whole a little later. */
const impatient =
  (report: Report): Report =>
  (damage) => {
    if (damage.passing) throw damage;
    report(damage);
  };

/** Reads one thing, and all of it. @throws StoreError with the path of what is damaged */
export async function readWhole<Result>(context: Context, read: (report: Report) => Result): Promise<Result> {
  const report: Report = (damage) => {
    strictly(damage);
    if (!damage.passing) context.warn(damage.fault);
  };
  for (const pause of PAUSES_MS) {
    try {
      return read(impatient(report));
    } catch (error) {
      if (!mayPass(error)) throw refused(error);
    }
    await sleep(pause);
  }
  try {
    return read(report);
  } catch (error) {
    throw refused(error);
  }
}

const refused = (error: unknown): unknown => {
  if (error instanceof Damage) return new StoreError('INTERNAL_ERROR', error.message, { cause: error });
  if (error instanceof Vanished) return new StoreError('INTERNAL_ERROR', error.message, { cause: error });
  return error;
};

/** A listing lets others have their turn after so many milliseconds. */
const SLICE_MS = 10;

/**
 * Reads one thing after the other, and leaves out those that cannot be read, or are undefined. Their order is kept.
 * @param read of one of them; it may report what of it is left out
 */
export async function readEach<From, Result>(
  context: Context,
  from: Iterable<From>,
  read: (each: From, report: Report) => Result | undefined,
): Promise<Result[]> {
  const found: (Result | undefined)[] = [];
  let again: { readonly at: number; readonly each: From }[] = [];
  let since = performance.now();
  for (const each of from) {
    const at = found.push(undefined) - 1;
    if (!attempt(context, () => (found[at] = read(each, impatient(warning(context)))))) again.push({ at, each });
    if (performance.now() - since > SLICE_MS) {
      await turn();
      since = performance.now();
    }
  }
  for (const [time, pause] of PAUSES_MS.entries()) {
    if (again.length === 0) break;
    await sleep(pause);
    const last = time === PAUSES_MS.length - 1;
    const report = last ? warning(context) : impatient(warning(context));
    again = again.filter(({ at, each }) => !attempt(context, () => (found[at] = read(each, report)), last));
  }
  return found.filter((each) => each !== undefined);
}

const warning =
  (context: Context): Report =>
  ({ fault, passing, slight }) => {
    if (!(passing && slight)) context.warn(fault);
  };

/** @returns whether it is done with: read, or damaged for good */
function attempt(context: Context, read: () => unknown, last = false): boolean {
  try {
    read();
    return true;
  } catch (error) {
    if (mayPass(error) && !last) return false;
    if (error instanceof Damage) context.warn(error.fault);
    else if (!(error instanceof Vanished)) throw error;
    return true;
  }
}
