/** Databases bind some thousands of values at the most, and a page can be longer. */
const TOGETHER = 1000;

/** The results of all items, in their order. */
export async function inChunks<Item, Result>(
  items: readonly Item[],
  work: (chunk: readonly Item[]) => Promise<readonly Result[]>,
): Promise<Result[]> {
  const results: Result[] = [];
  for (let at = 0; at < items.length; at += TOGETHER) {
    for (const result of await work(items.slice(at, at + TOGETHER))) results.push(result);
  }
  return results;
}
