import { createHash } from 'node:crypto';
import type { Dialect } from '../../dialect/dialect.js';

/** From 1,000,000 on, so that they meet none that a database has given; below 1,000,000,000, so that it can go on. */
const FIRST = 1_000_000n;
const BEYOND = 1_000_000_000n;

/**
 * The numbers that experiments of a file store have in a database: their own, where its column holds them. MLflow gives
 * experiments of files 18 digits, which an INTEGER of most databases does not hold: those get a number that is made of
 * their id alone, so that it is the same in every import, into every database. Of two ids that would get the same, which
 * may happen once in a million stores of thirty experiments, the larger takes the next one.
 */
export function experimentIds(ids: readonly string[], dialect: Dialect): ReadonlyMap<string, number | bigint> {
  const misfit = dialect.rowWords.misfit({ name: 'experiment_id', type: { kind: 'integer' }, nullable: false });
  const numbers = new Map<string, number | bigint>();
  const taken = new Set<string>();
  const take = (id: string, number: number | bigint) => {
    numbers.set(id, number);
    taken.add(String(number));
  };
  for (const id of ids) {
    const number = numberOf(id);
    if (number !== null && (misfit?.(number) ?? null) === null) take(id, number);
  }
  const others = ids.filter((id) => !numbers.has(id)).sort((a, b) => a.length - b.length || (a < b ? -1 : 1));
  for (const id of others) {
    let number = hashed(id);
    while (taken.has(String(number))) number = number + 1n < BEYOND ? number + 1n : FIRST;
    take(id, Number(number));
  }
  return numbers;
}

function numberOf(id: string): number | bigint | null {
  // Only as it would be written again.
  if (!/^(?:0|-?[1-9]\d*)$/.test(id)) return null;
  const number = BigInt(id);
  return Number.isSafeInteger(Number(number)) ? Number(number) : number;
}

function hashed(id: string): bigint {
  const digits = createHash('sha256').update(`experiment ${id}`).digest('hex').slice(0, 15);
  return FIRST + (BigInt(`0x${digits}`) % (BEYOND - FIRST));
}
