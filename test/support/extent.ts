/**
 * How much is tested. A normal run takes samples where trying everything takes hours; `npm run test:all`, and for what
 * is killed and cut off `npm run test:kill`, try everything (MTRACK_TESTS=all).
 */
export const EVERYTHING = process.env.MTRACK_TESTS === 'all';

/** Cases that run at the same time (MTRACK_JOBS): mostly they wait for a disk. */
export const AT_ONCE = Number(process.env.MTRACK_JOBS ?? 2);

/** Of all kills or cuts the share of this run: MTRACK_SHARD=2/5 takes every fifth from the second on, so that nights can divide them. */
export function share<T>(all: readonly T[]): T[] {
  const [, part, of] = /^([1-9]\d*)\/([1-9]\d*)$/.exec(process.env.MTRACK_SHARD ?? '1/1') ?? [];
  if (!(Number(part) <= Number(of))) throw new Error(`MTRACK_SHARD is ${process.env.MTRACK_SHARD}, not part/of: 2/5`);
  return all.filter((_, i) => i % Number(of) === Number(part) - 1);
}

/** For a test that has no other limit. */
export const HOURS = 12 * 3_600_000;

/** An even choice of so many, the first and the last always; all of them where everything is tested. */
export function sample<T>(all: readonly T[], atMost: number): T[] {
  if (EVERYTHING || all.length <= atMost) return [...all];
  const step = (all.length - 1) / Math.max(1, atMost - 1);
  const chosen = new Set(Array.from({ length: atMost }, (_, i) => Math.round(i * step)));
  return all.filter((_, i) => chosen.has(i));
}
