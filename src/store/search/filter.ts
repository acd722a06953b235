/** MLflow's filter language: text in, clauses out. */
import { invalidParameter } from '../errors.js';
import type { Clause, Column, Entity, Value } from './ast.js';
import { columnOf } from './columns.js';
import { GRAMMARS, type Grammar } from './grammars.js';
import { GroupingError, parse } from './grouping.js';
import { isIdentifier, isTimestamp, joinComparisons } from './joins.js';
import { parseLoggedModelFilter } from './logged-models.js';
import type { Node } from './node.js';
import { reprString } from './python.js';
import { checkTraceClause, checkTraceValue, resolveTraceColumn } from './traces.js';
import { valueIn } from './values.js';

/**
 * The clauses of a filter, all of which must hold. No filter, no clauses. What a clause may compare is the store's to check:
 * see checkFilter.
 * @throws StoreError (INVALID_PARAMETER_VALUE) in MLflow's words
 */
export function parseFilter(entity: Entity, text: string | null | undefined): readonly Clause[] {
  if (!text) return [];
  if (text.length > REMEMBERED_LENGTH) return clausesOf(entity, text);
  const key = `${entity} ${text}`;
  const clauses = remembered.get(key) ?? clausesOf(entity, text);
  // The one that was used last is forgotten last.
  remembered.delete(key);
  remembered.set(key, clauses);
  if (remembered.size > REMEMBERED) remembered.delete(remembered.keys().next().value ?? '');
  return clauses;
}

/** Filters that were read, since clients send the same ones again and again, and reading takes longer than a query. */
const remembered = new Map<string, readonly Clause[]>();
const REMEMBERED = 256;
const REMEMBERED_LENGTH = 4096;

function clausesOf(entity: Entity, text: string): readonly Clause[] {
  const grammar = GRAMMARS[entity];
  if (grammar.columns === 'loggedModels') return parseLoggedModelFilter(grammar, text);
  const traces = grammar.values === 'traces';
  const nodes = joinComparisons(statementOf(text).children, traces);
  const invalid = nodes.filter((node) => node.group !== 'comparison' && !node.is('keyword', 'AND'));
  if (invalid.length > 0) {
    const written = invalid.map((node) => (grammar.quotesClauses ? `'${node.text}'` : node.text));
    throw invalidParameter(`Invalid clause(s) in filter string: ${written.join(', ')}`);
  }
  const clauses = nodes.filter(({ group }) => group === 'comparison').map((node) => clauseOf(grammar, node));
  return traces ? clauses.map((clause) => ({ ...clause, ...resolveTraceColumn(clause) })) : clauses;
}

function statementOf(text: string): Node {
  const [first, second] = statementsOf(text);
  if (first === undefined) throw invalidParameter(`Invalid filter '${text}'. Could not be parsed.`);
  if (second === undefined) return first;
  throw invalidParameter(
    `Search filter contained multiple expression ${reprString(text)}. Provide AND-ed expression list.`,
  );
}

function statementsOf(text: string): Node[] {
  try {
    return parse(text);
  } catch (error) {
    if (error instanceof GroupingError) throw invalidParameter(`Error on parsing filter '${text}'`);
    throw error;
  }
}

function clauseOf(grammar: Grammar, comparison: Node): Clause {
  const nodes = comparison.children.filter(({ blank }) => !blank);
  const [left, operator, right] = nodes as [Node, Node, Node?];
  validate(grammar, nodes);
  const column = columnOf(grammar, left.text);
  if (right === undefined) return nullClause(grammar, column, operator.word);
  const comparator = grammar.values === 'registry' ? operator.text.toUpperCase() : operator.text;
  if (grammar.values === 'traces') checkTraceValue(column, comparator, right);
  const value = valueIn(grammar, column, right);
  if (grammar.columns === 'datasets') onlyIn(value, comparator);
  if (grammar.values === 'traces') checkTraceClause(column, comparator);
  const float = column.kind === 'attribute' && right.is('number.float');
  return { ...column, comparator, value, ...(float && { float }) };
}

function validate(grammar: Grammar, nodes: readonly Node[]): void {
  const [left] = nodes;
  const isNull = nodes.length === 2 && ['IS NULL', 'IS NOT NULL'].includes(nodes[1]?.word ?? '');
  if (!isNull && nodes.length !== 3) {
    throw invalidParameter(`Invalid comparison clause. Expected 3 tokens found ${nodes.length}`);
  }
  if (isIdentifier(left) || (grammar.values === 'traces' && !isNull && isTimestamp(left))) return;
  throw invalidParameter(`Invalid comparison clause. Expected 'Identifier' found '${left?.text}'`);
}

function nullClause({ nulls }: Grammar, column: Column, comparator: string): Clause {
  if (nulls.kinds !== null && !nulls.kinds.includes(column.kind)) {
    throw invalidParameter(nulls.refusal(column.kind, column.key));
  }
  return { ...column, comparator, value: null };
}

function onlyIn(value: Value, comparator: string): void {
  if (!Array.isArray(value) || comparator === 'IN') return;
  throw invalidParameter("List values for 'name' are only supported with the IN comparator.");
}
