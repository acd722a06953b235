/** Pages of what is sorted already, as MLflow cuts them. */
import type { Page } from '../records.js';
import { encodePageToken } from '../search/index.js';

/** @param offset what the page token says */
export function pageOf<Item>(items: readonly Item[], offset: number, size: number): Page<Item> {
  const end = offset + size;
  const next = end < items.length ? { next_page_token: encodePageToken(end) } : {};
  return { items: items.slice(Math.max(0, offset), Math.max(0, end)), ...next };
}
