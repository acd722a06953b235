/** Points of time as protocol buffers write them in JSON: `2026-11-23T19:56:02.940Z`. */
import { Unreadable } from './damage.js';

const TIMESTAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[-+]\d\d:\d\d)$/;

/** Integer milliseconds since the epoch. @throws {Unreadable} */
export function timestampMs(text: string, name: string): number {
  const time = TIMESTAMP.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(time)) throw new Unreadable(`holds "${text}" under ${name}, which is no point of time`);
  return time;
}

/** With milliseconds, unless there are none. */
export function formatTimestamp(ms: number): string {
  return new Date(ms).toISOString().replace('.000Z', 'Z');
}
