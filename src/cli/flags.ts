import { Flags } from '@oclif/core';
import ms from 'ms';
import { MtrackError } from '../errors.js';

/** A duration such as `500ms`, `30s`, `5m` or `1h`, in milliseconds. */
export const duration = Flags.custom<number>({
  helpValue: '30s',
  parse: async (text, _, { name }) => {
    const value = /^\d+(\.\d+)?\s*[a-z]+$/i.test(text) ? ms(text as ms.StringValue) : undefined;
    if (value !== undefined && Number.isFinite(value)) return value;
    throw new MtrackError('USAGE', {
      found: `--${name} ${text}: no duration`,
      expected: 'a number with a unit: 500ms, 30s, 5m, 1h',
    });
  },
});

const UNITS: Readonly<Record<string, number>> = { '': 1, KB: 2 ** 10, MB: 2 ** 20, GB: 2 ** 30 };

/** A number of bytes such as `64MB`. */
export const bytes = Flags.custom<number>({
  helpValue: '64MB',
  parse: async (text, _, { name }) => {
    const [, number = '', unit = ''] = /^(\d+)\s*(KB|MB|GB|)$/i.exec(text.trim()) ?? [];
    const factor = UNITS[unit.toUpperCase()];
    if (number !== '' && factor !== undefined) return Number(number) * factor;
    throw new MtrackError('USAGE', {
      found: `--${name} ${text}: no size`,
      expected: 'a number of bytes, or with a unit: 512KB, 64MB, 2GB',
    });
  },
});

/** How long a command that changes the schema waits for others. */
export const changeTimeouts = {
  'lock-timeout': duration({
    description: 'how long to wait for other sessions that lock a table, over all attempts',
    default: 60_000,
    defaultHelp: async () => '1m',
  }),
  'wait-timeout': duration({
    description: 'how long to wait for another upgrade of the same database to end',
    default: 1_800_000,
    defaultHelp: async () => '30m',
  }),
};
