/**
 * Grouping, as sqlparse does it: pass after pass over the tree, each of which joins neighbours. What a filter means hangs on
 * it: `a = 1` is a comparison because the passes made `a` an identifier and then joined it with its neighbours, and a stray
 * word behind it becomes an alias. The order of the passes is part of the grammar, and so are their oddities.
 */
import { type Group, Node } from './node.js';
import { statements } from './statements.js';
import type { Token, Type } from './tokens.js';

/** Text that is too deep, or too much, to be grouped. */
export class GroupingError extends Error {}

/** sqlparse's own limits. */
const MAX_DEPTH = 100;
const MAX_TOKENS = 10_000;

const OPERANDS: readonly Type[] = [
  'number.integer',
  'number.float',
  'string.single',
  'string.symbol',
  'name',
  'name.placeholder',
];
const NAMES: readonly Type[] = ['name', 'string.symbol'];
const DELIMITED: readonly Group[] = ['parenthesis', 'brackets', 'case', 'if', 'for', 'begin'];

const typed = (node: Node | undefined, types: readonly Type[]) =>
  node !== undefined && node.type !== null && types.includes(node.type);

function guard(parent: Node, depth: number): void {
  if (depth > MAX_DEPTH) throw new GroupingError(`Maximum grouping depth exceeded (${MAX_DEPTH}).`);
  if (parent.children.length > MAX_TOKENS) {
    throw new GroupingError(`Maximum number of tokens exceeded (${MAX_TOKENS}).`);
  }
}

/** Everything from an opening to its closing, the innermost first. */
function delimited(
  group: Group,
  type: Type,
  opening: readonly string[],
  closing: string,
): (parent: Node, depth?: number) => void {
  return function pass(parent, depth = 0) {
    guard(parent, depth);
    const opened: number[] = [];
    let gone = 0;
    for (const [position, child] of [...parent.children].entries()) {
      const index = position - gone;
      if (child.group !== null && child.group !== group) pass(child, depth + 1);
      else if (child.is(type, ...opening)) opened.push(index);
      else if (child.is(type, closing)) {
        const start = opened.pop();
        if (start === undefined) continue;
        parent.join(group, start, index);
        gone += index - start;
      }
    }
  };
}

interface Joining {
  readonly group: Group;
  /** The middle of the three. */
  readonly at: (node: Node) => boolean;
  readonly before?: (node: Node) => boolean;
  readonly after?: (node: Node | undefined) => boolean;
  /** First and last to be joined, by default the node before and the node after. */
  readonly span?: (parent: Node, before: number, at: number, after: number) => readonly [number, number];
  readonly grows?: boolean;
  readonly recurses?: boolean;
}

/** Three neighbours that the middle one joins, as in `x < y`. */
function infix(joining: Joining): (parent: Node, depth?: number) => void {
  const { group, at, before = () => true, after = () => true, grows = true, recurses = true } = joining;
  const span = joining.span ?? ((_, first, __, last) => [first, last] as const);
  return function pass(parent, depth = 0) {
    guard(parent, depth);
    // What delimits a group is never an operand inside it.
    const closes = (node: Node | undefined) =>
      node !== undefined && parent.in(DELIMITED) && (node === parent.children[0] || node === parent.children.at(-1));
    let gone = 0;
    let previous = -1;
    let operand: Node | undefined;
    for (const [position, child] of [...parent.children].entries()) {
      const index = position - gone;
      if (index < 0 || child.blank) continue;
      if (recurses && child.group !== null && child.group !== group) pass(child, depth + 1);
      if (at(child)) {
        const next = parent.next(index);
        const other = parent.children[next];
        if (operand && before(operand) && after(other) && !closes(operand) && !closes(other)) {
          const [from, to] = span(parent, previous, index, next);
          operand = parent.join(group, from, to, grows ? 'grows' : 'wraps');
          previous = from;
          gone += to - from;
          continue;
        }
      }
      previous = index;
      operand = child;
    }
  };
}

/** A pass over a group's children, after the same pass over the groups among them. */
function inward(not: Group | null, pass: (parent: Node) => void): (parent: Node) => void {
  return function both(parent) {
    for (const child of parent.children) if (child.group !== null && child.group !== not) both(child);
    pass(parent);
  };
}

/** Calls with the index of each child that matches, looking on behind the last one found. */
function each(parent: Node, match: (node: Node) => boolean, visit: (index: number) => number | undefined): void {
  for (let from = 0; ; ) {
    const index = parent.children.findIndex((child, at) => at >= from && match(child));
    if (index === -1) return;
    from = (visit(index) ?? index) + 1;
  }
}

function comments(parent: Node): void {
  let over = false;
  each(
    parent,
    (node) => !over && node.under('comment'),
    (index) => {
      const end = parent.children.findIndex(
        (node, at) => at >= index && !node.under('comment') && node.type !== 'newline',
      );
      if (end === -1) over = true;
      else parent.join('comment', index, end - 1);
      return index;
    },
  );
}

const over = inward('over', (parent) =>
  each(
    parent,
    (node) => node.is('keyword', 'OVER'),
    (index) => {
      const next = parent.next(index);
      const node = parent.children[next];
      if (node?.group === 'parenthesis' || node?.under('name')) parent.join('over', index, next);
      return index;
    },
  ),
);

const functions = inward('function', (parent) => {
  const words = new Set(parent.children.map(({ text }) => text.toUpperCase()));
  if (words.has('CREATE') && words.has('TABLE') && !words.has('AS')) return;
  each(
    parent,
    (node) => node.under('name'),
    (index) => {
      const next = parent.next(index);
      if (parent.children[next]?.group !== 'parenthesis') return index;
      const window = parent.next(next);
      parent.join('function', index, parent.children[window]?.group === 'over' ? window : next);
      return index;
    },
  );
});

const WHERE_ENDS = 'ORDER BY,GROUP BY,LIMIT,UNION,UNION ALL,EXCEPT,INTERSECT,HAVING,RETURNING,INTO'.split(',');

const where = inward('where', (parent) =>
  each(
    parent,
    (node) => node.is('keyword', 'WHERE'),
    (index) => {
      const end = parent.children.findIndex((node, at) => at > index && node.is('keyword', ...WHERE_ENDS));
      const closes = parent.group === 'parenthesis' || parent.group === 'brackets' ? 2 : 1;
      parent.join('where', index, end === -1 ? parent.children.length - closes : end - 1);
      return index;
    },
  ),
);

const identifiers = inward('identifier', (parent) => {
  for (const [index, child] of parent.children.entries()) {
    if (typed(child, NAMES)) parent.join('identifier', index, index);
  }
});

const order = inward('identifier', (parent) =>
  each(
    parent,
    (node) => node.under('keyword.order'),
    (index) => {
      const previous = parent.previous(index);
      const node = parent.children[previous];
      if (node?.group !== 'identifier' && !node?.under('number')) return index;
      parent.join('identifier', previous, index);
      return previous;
    },
  ),
);

const ALIASED: readonly Group[] = ['parenthesis', 'function', 'case', 'identifier', 'operation', 'comparison'];

const aliases = inward(null, (parent) =>
  each(
    parent,
    (node) => node.in(ALIASED) || node.under('number'),
    (index) => {
      const next = parent.next(index);
      if (parent.children[next]?.group === 'identifier') parent.join('identifier', index, next, 'grows');
      return index;
    },
  ),
);

const trailingComments = inward(null, (parent) =>
  each(
    parent,
    (node) => node.group === 'comment',
    (index) => {
      const previous = parent.previous(index);
      if (parent.children[previous]?.group == null) return index;
      parent.append(previous, index);
      return previous;
    },
  ),
);

function values(parent: Node): void {
  const start = parent.children.findIndex((node) => node.is('keyword', 'VALUES'));
  if (start === -1) return;
  const end = parent.children.findLastIndex((node, at) => at >= start && node.group === 'parenthesis');
  if (end !== -1) parent.join('values', start, end, 'grows');
}

const OPERATED: readonly Group[] = ['brackets', 'parenthesis', 'function', 'identifier', 'operation', 'typed-literal'];
const COMPARED: readonly Group[] = ['parenthesis', 'function', 'identifier', 'operation', 'typed-literal'];
const LISTED: readonly Group[] = ['function', 'case', 'identifier', 'comparison', 'list', 'operation'];
const UNITS = ['DAY', 'HOUR', 'MINUTE', 'MONTH', 'SECOND', 'YEAR'];

const operates = (node: Node | undefined) =>
  typed(node, OPERANDS) ||
  (node?.in(OPERATED) ?? false) ||
  (node?.is('keyword', 'CURRENT_DATE', 'CURRENT_TIME', 'CURRENT_TIMESTAMP') ?? false);
const compares = (node: Node | undefined) =>
  typed(node, OPERANDS) || (node?.in(COMPARED) ?? false) || (node?.isKeyword === true && node.word === 'NULL');
const listed = (node: Node | undefined) =>
  typed(node, OPERANDS) || typed(node, ['keyword', 'wildcard']) || (node?.in(LISTED) ?? false);

const PASSES: readonly ((statement: Node) => void)[] = [
  comments,
  delimited('brackets', 'punctuation', ['['], ']'),
  delimited('parenthesis', 'punctuation', ['('], ')'),
  delimited('case', 'keyword', ['CASE'], 'END'),
  delimited('if', 'keyword', ['IF'], 'END IF'),
  delimited('for', 'keyword', ['FOR', 'FOREACH'], 'END LOOP'),
  delimited('begin', 'keyword', ['BEGIN'], 'END'),
  over,
  functions,
  where,
  infix({
    group: 'identifier',
    at: (node) => node.is('punctuation', '.') || node.is('operator', '->', '->>'),
    before: (node) => typed(node, NAMES) || node.in(['brackets', 'identifier']),
    // What follows a dot and is no name stays outside: `a.` is an identifier.
    span: (parent, first, at, last) => {
      const next = parent.children[last];
      const joins = typed(next, [...NAMES, 'wildcard', 'string.single']) || next?.in(['brackets', 'function']);
      return [first, joins ? last : at];
    },
  }),
  infix({
    group: 'identifier',
    at: (node) => node.group === 'brackets',
    before: (node) => typed(node, NAMES) || node.in(['brackets', 'identifier', 'function']),
    span: (_, first, at) => [first, at],
    recurses: false,
  }),
  identifiers,
  order,
  infix({ group: 'identifier', at: (node) => node.is('punctuation', '::'), after: (node) => node !== undefined }),
  infix({
    group: 'identifier',
    at: (node) => node.is('keyword.tzcast'),
    after: (node) => node !== undefined && (node.is('keyword', 'AS') || node.is('string.single')),
  }),
  infix({
    group: 'typed-literal',
    at: (node) => node.is('name.builtin') || node.is('keyword', 'TIMESTAMP'),
    after: (node) => node?.is('string.single') ?? false,
    span: (_, __, at, last) => [at, last],
    grows: false,
  }),
  infix({
    group: 'typed-literal',
    at: (node) => node.group === 'typed-literal',
    after: (node) => node?.is('keyword', ...UNITS) ?? false,
    span: (_, __, at, last) => [at, last],
  }),
  infix({
    group: 'operation',
    at: (node) => node.is('operator') || node.is('wildcard'),
    before: operates,
    after: operates,
    span: (parent, first, at, last) => {
      (parent.children[at] as Node).type = 'operator';
      return [first, last];
    },
    grows: false,
  }),
  infix({
    group: 'comparison',
    at: (node) => node.is('operator.comparison'),
    before: compares,
    after: compares,
    grows: false,
  }),
  infix({
    group: 'identifier',
    at: (node) => node.isKeyword && node.word === 'AS',
    before: (node) => node.word === 'NULL' || !node.isKeyword,
    after: (node) => node !== undefined && !typed(node, ['keyword.dml', 'keyword.ddl', 'keyword.cte']),
  }),
  aliases,
  infix({
    group: 'assignment',
    at: (node) => node.is('assignment'),
    before: (node) => !node.is('keyword'),
    after: (node) => node !== undefined && !node.is('keyword'),
    span: (parent, first, _, last) => {
      const semicolon = parent.children.findIndex((node, at) => at > last && node.is('punctuation', ';'));
      return [first, semicolon === -1 ? last : semicolon];
    },
  }),
  trailingComments,
  infix({ group: 'list', at: (node) => node.is('punctuation', ','), before: listed, after: listed }),
  values,
];

function grouped(tokens: readonly Token[]): Node {
  const statement = Node.group('statement', tokens.map(Node.of));
  for (const pass of PASSES) pass(statement);
  return statement;
}

/** @throws GroupingError */
export function parse(text: string): Node[] {
  return statements(text).map(grouped);
}
