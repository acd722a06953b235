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
