/** An offset and its token. oracle.test.ts takes tokens from MLflow and back. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodePageToken, encodePageToken } from '../../../src/store/search/index.js';

test('an offset survives its token', () => {
  fc.assert(fc.property(fc.integer({ min: 1 }), (offset) => decodePageToken(encodePageToken(offset)) === offset));
  expect(encodePageToken(100)).toBe('eyJvZmZzZXQiOiAxMDB9');
  expect([decodePageToken(''), decodePageToken(null), decodePageToken(undefined)]).toEqual([0, 0, 0]);
});
