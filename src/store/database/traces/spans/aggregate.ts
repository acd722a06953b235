/** Tokens and costs of a trace, from those of its spans. */
import type { Json } from '../../../records.js';
import { isDictionary } from '../analytics.js';
import { decoded } from './json.js';

/** As much of a span as counting takes. */
export interface Node {
  readonly id: string;
  readonly parent: string | null;
  /** What the span says of itself, and perhaps of those below it. */
  readonly data: { readonly [key: string]: Json } | undefined;
}

type Attributes = { readonly [key: string]: Json };
type Totals = Record<string, bigint | number>;

/** @param key of the attribute that says it */
export function node(id: string, parent: string | null, attributes: Attributes, key: string): Node {
  const data = decoded(attributes[key]);
  return { id, parent, data: isDictionary(data) ? data : undefined };
}

const CACHED = ['cache_read_input_tokens', 'cache_creation_input_tokens', 'cache_creation_input_tokens_above_1hr'];

export const tokensOf = (nodes: readonly Node[]) =>
  totals(nodes, { input_tokens: 0n, output_tokens: 0n, total_tokens: 0n }, CACHED);

export const costsOf = (nodes: readonly Node[]) => totals(nodes, { input_cost: 0, output_cost: 0, total_cost: 0 }, []);

/**
 * The sums over spans that say something, without those below one of them: a parent can say what its children cost
 * together. Undefined where no span says anything.
 */
function totals(nodes: readonly Node[], zeros: Totals, optional: readonly string[]): Totals | undefined {
  const ids = new Set(nodes.map(({ id }) => id));
  const isRoot = ({ parent }: Node) => !parent || !ids.has(parent);
  const children = Map.groupBy(
    nodes.filter((each) => !isRoot(each)),
    ({ parent }) => parent,
  );
  const sums = { ...zeros };
  let found = false;
  const stack = nodes.filter(isRoot);
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    if (next.data === undefined) {
      stack.push(...(children.get(next.id) ?? []));
      continue;
    }
    found = true;
    const keys = [...Object.keys(zeros), ...optional.filter((key) => next?.data !== undefined && key in next.data)];
    for (const key of keys) sums[key] = sum(sums[key] ?? 0n, next.data[key]);
  }
  return found ? sums : undefined;
}

function sum(total: bigint | number, value: Json | undefined): bigint | number {
  if (typeof value === 'bigint' && typeof total === 'bigint') return total + value;
  return typeof value === 'bigint' || typeof value === 'number' ? Number(total) + Number(value) : total;
}
