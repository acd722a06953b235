/** What only traces have: keys that stand for tags and metadata, spans, assessments and issues. */
import { invalidParameter } from '../errors.js';
import type { Column } from './ast.js';
import type { Node } from './node.js';
import { reprSet } from './python.js';
import { isNumber, isText } from './values.js';

export const TRACE_NAME = 'mlflow.traceName';
export const LINKED_PROMPTS = 'mlflow.linkedPrompts';
export const SOURCE_RUN = 'mlflow.sourceRun';
/** Metadata that a database keeps in several columns each. */
export const TRACE_ANALYTICS: readonly string[] = ['mlflow.trace.tokenUsage', 'mlflow.trace.cost'];

/** Keys that are kept elsewhere. They are so under any scope but `span.`: `tags.name` is the trace's name as well. */
const ELSEWHERE: ReadonlyMap<string, Column> = new Map([
  ['name', { kind: 'tag', key: TRACE_NAME }],
  ['prompt', { kind: 'tag', key: LINKED_PROMPTS }],
  ['run_id', { kind: 'request_metadata', key: SOURCE_RUN }],
  ['text', { kind: 'span', key: 'content' }],
]);
const ALIASES: ReadonlyMap<string, string> = new Map([
  ['timestamp', 'timestamp_ms'],
  ['execution_time', 'execution_time_ms'],
  ['end_time', 'end_time_ms'],
]);

export function resolveTraceColumn({ kind, key }: Column): Column {
  if (kind === 'span') return { kind, key };
  return ELSEWHERE.get(key.toLowerCase()) ?? { kind, key: ALIASES.get(key.toLowerCase()) ?? key };
}

const TEXTUAL = ['!=', '=', 'IN', 'NOT IN', 'LIKE', 'ILIKE', 'RLIKE'];
const CONTENT = ['LIKE', 'ILIKE'];
const RANGE = ['>', '>=', '<', '<='];
const SPAN_KEYS = ['name', 'status', 'type'];

/** @throws StoreError where a span has no such key, or it cannot be compared so */
export function checkTraceClause({ kind, key }: Column, comparator: string): void {
  if (kind !== 'span') return;
  const attribute = key.startsWith('attributes.');
  if (!attribute && !SPAN_KEYS.includes(key) && key !== 'content') {
    throw invalidParameter(
      `Invalid span attribute '${key}'. Supported attributes: ${SPAN_KEYS.join(', ')}, attributes.<attribute_name>.`,
    );
  }
  if (key === 'attributes.') throw invalidParameter("Span attribute name cannot be empty after 'attributes.'");
  const comparators = key === 'content' ? CONTENT : TEXTUAL;
  if (comparators.includes(comparator)) return;
  throw invalidParameter(`span.${key} comparator '${comparator}' not one of '${reprSet(comparators)}'`);
}

/** Whether the value of an assessment goes with its comparator: numbers have an order, texts are equal or alike. */
export function checkTraceValue({ kind }: Column, comparator: string, value: Node): void {
  if (kind !== 'feedback' && kind !== 'expectation') return;
  const range = RANGE.includes(comparator);
  if (range ? isNumber(value) : isText(value)) return;
  throw invalidParameter(
    range
      ? `Expected a numeric value for ${kind} when using comparator '${comparator}'. Got value ${value.text}`
      : `Expected a quoted string value for ${kind} (e.g. 'my-value'). Got value ${value.text}`,
  );
}
