import type { Time } from '../../upgrade/time.js';

const grouped = new Intl.NumberFormat('en-US');

/** 1234567 as 1,234,567. */
export const count = (n: number): string => grouped.format(n);

/** `1 row`, `2 rows`. */
export const plural = (n: number, one: string, many = `${one}s`): string => `${count(n)} ${n === 1 ? one : many}`;

/** Seconds as a person says them: 0.4 s, 12 s, 3 min 5 s, 2 h 10 min. */
export function duration(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.round(seconds % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** How long something takes, as far as it is known. */
export function timeText({ seconds, atMost }: Pick<Time, 'seconds' | 'atMost'>): string {
  if (seconds !== null) return about(seconds);
  if (atMost === null) return 'how long is not known';
  return atMost < 1 ? about(atMost) : `at most ${duration(Math.ceil(atMost)).replace('.0', '')}`;
}

/** An estimate is not given with digits that it does not have. */
export function about(seconds: number): string {
  if (seconds < 1) return 'under a second';
  return `about ${duration(seconds < 10 ? Math.ceil(seconds) : Math.ceil(seconds / 5) * 5).replace('.0', '')}`;
}

/** 1,234,567 bytes as 1.2 MB. */
export function bytes(n: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB', 'PB'];
  const power = n < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(n) / 3));
  return power === 0 ? `${count(n)} bytes` : `${(n / 1000 ** power).toFixed(1)} ${units[power]}`;
}
