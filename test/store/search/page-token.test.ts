/** An offset and its token. oracle.test.ts takes tokens from MLflow and back. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  decodeHistoryToken,
  decodePageToken,
  encodeHistoryToken,
  encodePageToken,
} from '../../../src/store/search/index.js';

test('an offset survives its token', () => {
  fc.assert(fc.property(fc.integer({ min: 1 }), (offset) => decodePageToken(encodePageToken(offset)) === offset));
  expect(encodePageToken(100)).toBe('eyJvZmZzZXQiOiAxMDB9');
  expect([decodePageToken(''), decodePageToken(null), decodePageToken(undefined)]).toEqual([0, 0, 0]);
});

test('a token of a history has the last point, and is a token of an offset', () => {
  const point = fc.record({
    timestamp: fc.maxSafeInteger(),
    step: fc.maxSafeInteger(),
    value: fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
    nan: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.integer({ min: 1 }), point, (offset, after) => {
      const token = encodeHistoryToken(offset, after);
      expect(decodeHistoryToken(token)).toEqual({ offset, after });
      expect(decodePageToken(token)).toBe(offset);
    }),
  );
  expect(decodeHistoryToken(encodePageToken(7))).toEqual({ offset: 7 });
  expect(decodeHistoryToken(Buffer.from('{"offset": 7, "after": [1, 2]}').toString('base64'))).toEqual({ offset: 7 });
});
