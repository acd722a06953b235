/**
 * Works through items, so many at a time, and no further ahead than that. The first failure ends it, when those that are at
 * work are done.
 */
export async function inParallel<Item>(
  items: Iterable<Item> | AsyncIterable<Item>,
  atOnce: number,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const iterator = Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]();
  let failure: { readonly error: unknown } | null = null;
  // Generators give out one item after the other, however many ask at a time.
  const worker = async () => {
    while (failure === null) {
      try {
        const { value, done } = await iterator.next();
        if (done) return;
        await work(value);
      } catch (error) {
        failure ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  if (failure !== null) throw (failure as { readonly error: unknown }).error;
}
