/** A filter on traces as SQL. The trace is `t`. */
import { type RawBuilder, type SqlBool, sql } from 'kysely';
import type { QueryWords } from '../../../dialect/query-words.js';
import { invalidParameter } from '../../errors.js';
import { type Comparison, writeJson } from '../../search/index.js';
import { compare, equals } from '../search/compare.js';
import { analyticsCondition } from './analytics.js';
import { COST, LINKED_PROMPTS, SESSION, SOURCE_RUN, TOKEN_USAGE, TRACE_NAME } from './keys.js';

type Condition = RawBuilder<SqlBool>;

/** Spans may begin that much before their trace, by clocks that differ. */
const TOLERANCE_MS = 10_000;

const all = (conditions: readonly RawBuilder<unknown>[]) => sql<SqlBool>`${sql.join(conditions, sql` AND `)}`;
const exists = (table: string, alias: string, conditions: readonly RawBuilder<unknown>[]) =>
  sql<SqlBool>`EXISTS (SELECT 1 FROM ${sql.table(table)} AS ${sql.ref(alias)} WHERE ${all(conditions)})`;
const ofTrace = (column: string) => sql<SqlBool>`${sql.ref(column)} = ${sql.ref('t.request_id')}`;
const is = (column: string, value: string) => sql<SqlBool>`${sql.ref(column)} = ${value}`;

/** @param experimentIds that are searched; other traces of a session count only within these */
export function traceConditions(
  words: QueryWords,
  where: readonly Comparison[],
  experimentIds: readonly number[],
): Condition[] {
  const spans = where.filter(({ kind }) => kind === 'span');
  const others = where.filter(({ kind }) => kind !== 'span');
  return [
    ...others.map((comparison) => condition(words, comparison, experimentIds)),
    // All that is asked of spans is asked of one.
    ...(spans.length === 0 ? [] : [spanCondition(words, spans, where)]),
  ];
}

function condition(words: QueryWords, comparison: Comparison, experimentIds: readonly number[]): Condition {
  switch (comparison.kind) {
    case 'issue':
      return exists('assessments', 'a', [
        ofTrace('a.trace_id'),
        is('a.assessment_type', 'issue'),
        is('a.name', String(comparison.value)),
      ]);
    case 'attribute':
      return attribute(words, comparison);
    case 'tag':
      return tag(words, comparison);
    case 'request_metadata':
      return metadata(words, comparison);
    default:
      return assessment(words, comparison, experimentIds);
  }
}

function attribute(words: QueryWords, comparison: Comparison): Condition {
  const { key } = comparison;
  const column =
    key === 'end_time_ms'
      ? sql`(${sql.ref('t.timestamp_ms')} + COALESCE(${sql.ref('t.execution_time_ms')}, 0))`
      : sql.ref(`t.${key}`);
  return inColumn(words, column, comparison);
}

/** One column, which may be asked whether it is NULL. */
function inColumn(words: QueryWords, column: RawBuilder<unknown>, comparison: Comparison): Condition {
  if (comparison.comparator === 'IS NULL' || comparison.comparator === 'IS NOT NULL') {
    return sql`${column} ${sql.raw(comparison.comparator)}`;
  }
  return compare(words, column, comparison);
}

function tag(words: QueryWords, comparison: Comparison): Condition {
  const { key, value } = comparison;
  if (key === TRACE_NAME) return inColumn(words, sql.ref('t.trace_name'), comparison);
  if (key === LINKED_PROMPTS) return linked('prompt_version', String(value));
  return pair(words, 'trace_tags', comparison);
}

/** A link from the trace to something of this type. */
const linked = (type: string, id: string) =>
  exists('entity_associations', 'e', [
    ofTrace('e.source_id'),
    is('e.source_type', 'trace'),
    is('e.destination_type', type),
    is('e.destination_id', id),
  ]);

function metadata(words: QueryWords, comparison: Comparison): Condition {
  const { key, comparator, value } = comparison;
  if (key === SESSION) return inColumn(words, sql.ref('t.session_id'), comparison);
  if (key === TOKEN_USAGE || key === COST) return analyticsCondition(comparison);
  if (key === SOURCE_RUN && comparator === '=') {
    // A trace is of the run that it was made in, and of those that it was linked to.
    const made = exists('trace_request_metadata', 'x', [
      ofTrace('x.request_id'),
      is('x.key', SOURCE_RUN),
      is('x.value', String(value)),
    ]);
    return sql`(${linked('run', String(value))} OR ${made})`;
  }
  return pair(words, 'trace_request_metadata', comparison);
}

function pair(words: QueryWords, table: string, comparison: Comparison): Condition {
  const { key, comparator } = comparison;
  if (comparator === 'IS NULL' || comparator === 'IS NOT NULL') {
    const there = exists(table, 'x', [ofTrace('x.request_id'), is('x.key', key)]);
    return comparator === 'IS NULL' ? sql`NOT ${there}` : there;
  }
  return exists(table, 'x', [
    ofTrace('x.request_id'),
    equals(words, sql.ref('x.key'), key),
    compare(words, sql.ref('x.value'), comparison),
  ]);
}

function spanCondition(words: QueryWords, spans: readonly Comparison[], where: readonly Comparison[]): Condition {
  const since = where.flatMap(({ kind, key, comparator, value }) =>
    kind === 'attribute' && key === 'timestamp_ms' && typeof value === 'number' && ['>', '>='].includes(comparator)
      ? [value]
      : [],
  );
  // For the index on experiment and time.
  const near =
    since.length === 0
      ? []
      : [sql`${sql.ref('s.start_time_unix_nano')} >= ${nanoseconds(Math.max(...since) - TOLERANCE_MS)}`];
  return exists('spans', 's', [
    ofTrace('s.trace_id'),
    sql`${sql.ref('s.experiment_id')} = ${sql.ref('t.experiment_id')}`,
    ...near,
    ...spans.map((comparison) => span(words, comparison)),
  ]);
}

/** As digits, which a number would not hold. */
const nanoseconds = (milliseconds: number) => String(BigInt(Math.floor(milliseconds)) * 1_000_000n);

const ATTRIBUTES = 'attributes.';

function span(words: QueryWords, comparison: Comparison): Condition {
  const { key, comparator, value } = comparison;
  if (!key.startsWith(ATTRIBUTES)) return compare(words, sql.ref(`s.${key}`), comparison);
  if (typeof value !== 'string') throw invalidParameter(`${comparator} is not supported for attributes of spans.`);
  const name = key.slice(ATTRIBUTES.length).replace(/^`(.*)`$/s, '$1');
  const pattern = comparator === 'RLIKE' ? attributePattern(name, value) : `%"${name}"${value}%`;
  return compare(words, sql.ref('s.content'), { comparator, value: pattern });
}

/** In the JSON of a span an attribute is `"name": "\"value\""`: a text in a text. */
function attributePattern(name: string, value: string): string {
  const before = value.startsWith('^') ? '"\\\\"' : '"\\\\".*';
  const after = value.endsWith('$') ? '\\\\"' : '';
  return `"${name}": ${before}${value.replace(/^\^/, '').replace(/\$$/, '')}${after}`;
}

/** A trace has an assessment of its own, or one of its session has it that is about the session. */
function assessment(words: QueryWords, comparison: Comparison, experimentIds: readonly number[]): Condition {
  const { kind, key, comparator } = comparison;
  const asked = [
    is('a.assessment_type', kind),
    is('a.name', key),
    sql`${sql.ref('a.valid')} = ${sql.val(true)}`,
    ...(comparator === 'IS NULL' || comparator === 'IS NOT NULL' ? [] : [assessedAs(words, comparison)]),
  ];
  const own = exists('assessments', 'a', [ofTrace('a.trace_id'), ...asked]);
  const within = sql`${sql.ref('o.experiment_id')} IN (${sql.join(experimentIds.map((id) => sql.val(id)))})`;
  const aboutSession = sql`${sql.ref('a.assessment_metadata')} LIKE ${`%"${SESSION}":%`}`;
  const ofSession = sql<SqlBool>`${sql.ref('t.session_id')} IN (
    SELECT ${sql.ref('o.session_id')} FROM ${sql.table('trace_info')} AS o
    JOIN ${sql.table('assessments')} AS a ON ${sql.ref('a.trace_id')} = ${sql.ref('o.request_id')}
    WHERE ${all([within, sql`${sql.ref('o.session_id')} IS NOT NULL`, ...asked, aboutSession])})`;
  // Of a trace without a session the second is neither true nor false.
  const found = sql<SqlBool>`(${own} OR (${sql.ref('t.session_id')} IS NOT NULL AND ${ofSession}))`;
  return comparator === 'IS NULL' ? sql`NOT ${found}` : found;
}

/** Its value is JSON: a number or a word as it is, a text in quotes. */
function assessedAs(words: QueryWords, comparison: Comparison): Condition {
  const { comparator, value } = comparison;
  const column = sql.ref('a.value');
  if (typeof value === 'number') {
    return all([
      sql`${sql.ref('a.is_numeric_value')} = ${sql.val(true)}`,
      compare(words, sql.ref('a.aggregate_value'), comparison),
    ]);
  }
  if (comparator !== '=' && comparator !== '!=') return compare(words, column, comparison);
  const same = sql<SqlBool>`(${equals(words, column, String(value))} OR ${equals(words, column, writeJson(String(value)))})`;
  return comparator === '=' ? same : sql`NOT ${same}`;
}
