/**
 * Comparisons that SQL's tokenizer leaves in pieces: IN, NOT IN, IS NULL, IS NOT NULL, and those with a timestamp of a trace.
 * MLflow joins them afterwards, and takes the tokens by threes and fours in doing so: behind an identifier that begins none
 * of these, the next ones are passed over unread.
 */
import { Node } from './node.js';

const NUMERIC = ['<', '<=', '>', '>=', '=', '!='];

export const isIdentifier = (node: Node | undefined) => node?.group === 'identifier';
export const isTimestamp = (node: Node | undefined) => node?.is('name.builtin', 'timestamp', 'timestamp_ms') ?? false;

function joined(...nodes: readonly Node[]): Node {
  return Node.group('comparison', [...nodes]);
}

const keyword = (text: string) => Node.of({ type: 'keyword', text });

/** The comparison that begins with an identifier, and of how many tokens it is. */
function beginning(nodes: readonly Node[]): [Node, number] | undefined {
  const [first, second, third, fourth] = nodes as [Node, Node, Node, Node?];
  if (second.is('keyword', 'IN') && third.group === 'parenthesis') return [joined(first, second, third), 3];
  if (second.is('keyword', 'IS')) {
    if (third.is('keyword', 'NULL')) return [joined(first, keyword('IS NULL')), 3];
    if (third.is('keyword', 'NOT NULL')) return [joined(first, keyword('IS NOT NULL')), 3];
  }
  if (second.is('keyword', 'NOT') && third.is('keyword', 'IN') && fourth?.group === 'parenthesis') {
    return [joined(first, keyword('NOT IN'), fourth), 4];
  }
  return undefined;
}

export function joinComparisons(children: readonly Node[], timestamps = false): Node[] {
  const nodes = children.filter(({ blank }) => !blank);
  const result: Node[] = [];
  for (let index = 0; index < nodes.length; ) {
    const rest = nodes.slice(index, index + 4);
    const [first, second, third] = rest as [Node, Node, Node];
    if (nodes.length - index < 3) {
      result.push(...nodes.slice(index));
      break;
    }
    if (timestamps && isTimestamp(first)) {
      if (second.is('operator.comparison', ...NUMERIC) && third.is('number.integer')) {
        result.push(joined(first, second, third));
      } else {
        // MLflow lists the first one twice in its message.
        result.push(first, second, third, first);
      }
      index += 3;
      continue;
    }
    if (!isIdentifier(first)) {
      result.push(first);
      index += 1;
      continue;
    }
    const [comparison, taken] = beginning(rest) ?? [undefined, rest.length];
    if (comparison) result.push(comparison);
    else result.push(...rest);
    index += taken;
  }
  return result;
}
