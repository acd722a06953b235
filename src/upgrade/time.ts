/** How long something takes, as far as that is known. */

export interface Time {
  /** Null where it is not known. */
  readonly seconds: number | null;
  /** No server takes longer than this; null where that cannot be said either. */
  readonly atMost: number | null;
  /** `documented` of what is over at once; `probed` is worked out from what a sample of the rows took. */
  readonly basis: 'documented' | 'probed' | 'rehearsed' | 'unknown';
}

/** Only the catalog changes, or there are no rows. */
export const INSTANT: Time = { seconds: 0, atMost: 0, basis: 'documented' };

/** What was measured. */
export const measuredTime = (seconds: number, basis: 'probed' | 'rehearsed'): Time => ({
  seconds,
  atMost: seconds,
  basis,
});

/** @param atMost null where that is not known either */
export const unknownTime = (atMost: number | null): Time => ({ seconds: null, atMost, basis: 'unknown' });

/** One after the other: what is not known of a part is not known of the whole. */
export function sumOf(times: readonly Time[]): Time {
  const measured = times.find(({ basis }) => basis === 'probed' || basis === 'rehearsed');
  const seconds = times.map((time) => time.seconds);
  const most = times.map(({ atMost }) => atMost);
  const isKnown = seconds.every((each) => each !== null);
  return {
    seconds: isKnown ? total(seconds) : null,
    atMost: most.every((each) => each !== null) ? total(most) : null,
    basis: isKnown ? (measured?.basis ?? 'documented') : 'unknown',
  };
}

const total = (numbers: readonly (number | null)[]) => numbers.reduce<number>((sum, each) => sum + (each ?? 0), 0);

/** Seconds that it does not go beyond, as far as is known. */
export const longest = ({ seconds, atMost }: Time): number => seconds ?? atMost ?? Number.POSITIVE_INFINITY;
