/** Times and durations of protobuf: texts outside, integer milliseconds within. */
import { type Kind, Unreadable } from './read.js';
import type { Writer } from './write.js';

const TIMESTAMP = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?(Z|[+-]\d{2}:\d{2})$/;
const DURATION = /^(-?)(\d{1,12})(?:\.(\d{1,9}))?s$/;

const milliseconds = (fraction: string | undefined): number => Number((fraction ?? '').padEnd(3, '0').slice(0, 3));

/** `2026-01-02T03:04:05.678Z`, as milliseconds since the epoch. */
export const timestamp: Kind<number> & Writer<number> = {
  schema: { type: 'string', format: 'date-time' },
  read: (value) => {
    const [, time, fraction, zone] = (typeof value === 'string' && TIMESTAMP.exec(value)) || [];
    const seconds = time === undefined ? Number.NaN : Date.parse(`${time}${zone}`);
    if (Number.isNaN(seconds)) throw new Unreadable(value);
    return seconds + milliseconds(fraction);
  },
  looksRight: () => true,
  write: (time) => `"${new Date(time).toISOString().replace('.000Z', 'Z')}"`,
};

/** `1.5s`, as milliseconds. */
export const duration: Kind<number> & Writer<number> = {
  schema: { type: 'string', pattern: DURATION.source },
  read: (value) => {
    const [all, sign, seconds, fraction] = (typeof value === 'string' && DURATION.exec(value)) || [];
    if (all === undefined) throw new Unreadable(value);
    const time = Number(seconds) * 1000 + milliseconds(fraction);
    return sign === '-' ? -time : time;
  },
  looksRight: () => true,
  write: (time) => `"${time % 1000 === 0 ? time / 1000 : (time / 1000).toFixed(3)}s"`,
};
