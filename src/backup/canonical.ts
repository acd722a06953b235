/**
 * Documents that show whether they were changed. The canonical form of JSON is that of RFC 8785 as far as these need it: members
 * in order, no blanks, numbers and texts as ECMAScript writes them. A document carries the SHA-256 of its own canonical form
 * without that member. Whoever changes it on purpose can make a new one: it keeps mistakes out, not forgers.
 */
import { createHash } from 'node:crypto';

export function canonical(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) =>
    each !== null && typeof each === 'object' && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
      : each,
  );
}

export const hashOf = (value: unknown): string => createHash('sha256').update(canonical(value)).digest('hex');

export type Sealed<T> = T & { readonly hash: string };

export function sealed<T extends object>(body: T): Sealed<T> {
  return { ...body, hash: hashOf(body) };
}

/** Whether a document is as it was when it was sealed. */
export function isIntact(document: { readonly hash: string }): boolean {
  const { hash, ...body } = document;
  return hash === hashOf(body);
}
