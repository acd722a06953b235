/** The filter on logged models as the database store reads it: a grammar of its own, laxer about quotes. */
import { invalidParameter } from '../errors.js';
import type { Clause, Column, Kind, Value } from './ast.js';
import { type Grammar, LOGGED_MODEL_ALIASES } from './grammars.js';
import { GroupingError, parse } from './grouping.js';
import { joinComparisons } from './joins.js';
import { readList } from './literal.js';
import type { Node } from './node.js';
import { float, reprString } from './python.js';

const NUMERIC = ['<', '<=', '>', '>=', '=', '!='];
const TEXTUAL = ['=', '!=', 'LIKE', 'ILIKE', 'IN', 'NOT IN'];

const unticked = (text: string) => text.replace(/^`+|`+$/g, '');

/** Values are read when all clauses are known to be clauses: a list that is none is the last thing to be refused. */
export function parseLoggedModelFilter(grammar: Grammar, text: string): Clause[] {
  const clauses: Unread[] = [];
  for (const node of joinComparisons(statementOf(text).children)) {
    if (node.group === 'comparison') clauses.push(clauseOf(grammar, node));
    else if (node.text.trim().toUpperCase() !== 'AND') {
      throw invalidParameter(
        `Invalid filter string: ${reprString(text)}. Expected a list of comparisons separated by 'AND' ` +
          "(e.g. 'metrics.loss > 0.1 AND params.lr = 0.01').",
      );
    }
  }
  return clauses.map(({ numeric, ...clause }) => ({
    ...clause,
    value: numeric ? numberOf(clause.key, clause.value) : textOf(clause.value),
  }));
}

interface Unread extends Column {
  readonly comparator: string;
  readonly value: string;
  readonly numeric: boolean;
}

function statementOf(text: string): Node {
  let statements: Node[];
  try {
    statements = parse(text);
  } catch (error) {
    if (!(error instanceof GroupingError)) throw error;
    throw invalidParameter(`Invalid filter string: ${reprString(text)}. SQLParseError('${error.message}')`);
  }
  const [only] = statements;
  if (only !== undefined && statements.length === 1) return only;
  throw invalidParameter(`Invalid filter string: ${reprString(text)}. Expected a single SQL expression.`);
}

function clauseOf(grammar: Grammar, comparison: Node): Unread {
  const nodes = comparison.children.filter(({ blank }) => !blank);
  if (nodes.length !== 3) {
    throw invalidParameter(`Invalid comparison: ${comparison.text}. Expected a comparison with 3 tokens.`);
  }
  const [name, operator, value] = nodes.map(({ text }) => text) as [string, string, string];
  const column = columnOf(grammar, name);
  const comparator = operator.toUpperCase();
  const numeric = column.kind === 'metric' || (column.kind === 'attribute' && grammar.numeric.includes(column.key));
  const comparators = numeric ? NUMERIC : TEXTUAL;
  if (!comparators.includes(comparator)) {
    const [scope] = Object.entries(grammar.scopes).find(([, kind]) => kind === column.kind) ?? [column.kind];
    const expected = comparators.map(reprString).join(', ');
    throw invalidParameter(
      `Invalid comparison operator for ${scope}.${column.key}: ${reprString(comparator)}. Expected one of (${expected}).`,
    );
  }
  return { ...column, comparator, value, numeric };
}

function columnOf(grammar: Grammar, name: string): Column {
  const [, scope, key] = /^([a-z]+)\.([^\n]+)\n?$/.exec(name) ?? [];
  if (scope === undefined || key === undefined) {
    return { kind: 'attribute', key: unticked(LOGGED_MODEL_ALIASES.get(name) ?? name) };
  }
  const kind: Kind | undefined = Object.hasOwn(grammar.scopes, scope) ? grammar.scopes[scope] : undefined;
  if (kind !== undefined) return { kind, key: unticked(key) };
  throw invalidParameter(`Invalid entity type: ${reprString(scope)}. Expected one of ${grammar.scopesWritten}.`);
}

function numberOf(key: string, text: string): number {
  const value = float(text);
  if (value === undefined) throw invalidParameter(`Expected a number for ${key}. Found ${text}`);
  return value;
}

const textOf = (text: string): Value =>
  text.startsWith('(') && text.endsWith(')') ? readList(text, 'lists too') : text.replace(/^'+|'+$/g, '');
