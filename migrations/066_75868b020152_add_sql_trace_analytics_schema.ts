import {
  addColumn,
  addIndex,
  alterColumn,
  alterTable,
  backfill,
  bigint,
  boolean,
  createTable,
  date,
  deriveValues,
  double,
  dropColumn,
  index,
  integer,
  type Literal,
  optional,
  primaryKey,
  python,
  required,
  requireThat,
  revision,
  rowsIn,
  type SqlWords,
  type TablePart,
  varchar,
} from '../src/schema/operations.js';
import { undo } from './066_75868b020152_back.js';
import {
  COST_KEY,
  COSTS,
  GATEWAY_KEY,
  MODEL,
  MODEL_ATTRIBUTE,
  NAME_TAG,
  oneOf,
  PROVIDER_ATTRIBUTE,
  SESSION,
  SESSION_KEY,
  TOKEN_USAGE_KEY,
  TOKENS,
  TRACE_NAME,
} from './066_75868b020152_names.js';

const METADATA = [SESSION_KEY, TOKEN_USAGE_KEY, COST_KEY];
/** Rows that are copied into columns here, and deleted once they are. */
const legacy = {
  trace_tags: (sql: SqlWords) => oneOf(sql, sql.id('key'), [NAME_TAG]),
  trace_request_metadata: (sql: SqlWords) => oneOf(sql, sql.id('key'), METADATA),
  trace_metrics: (sql: SqlWords) => oneOf(sql, sql.id('key'), TOKENS),
  span_metrics: (sql: SqlWords) => oneOf(sql, sql.id('key'), COSTS),
};

/** `column = value, …` of an UPDATE. */
const assign = (sql: SqlWords, values: [column: string, value: string][]) =>
  values.map(([column, value]) => `  ${sql.id(column)} = ${value}`).join(',\n');

const noOrphans = (table: string) =>
  requireThat({
    title: `every row of ${table} has its trace`,
    reads: [table, 'trace_info'],
    offending: ({ id }) =>
      `SELECT c.${id('trace_id')} AS a FROM ${id(table)} c LEFT JOIN ${id('trace_info')} t ON t.${id('request_id')} = c.${id('trace_id')} WHERE t.${id('request_id')} IS NULL`,
    explain: ({ a }) => `${table} has rows of trace ${JSON.stringify(a)}, which trace_info does not have`,
    fix: `delete the rows of ${table} whose trace_id is not in trace_info (they are not reachable in MLflow), or restore the traces`,
  });

function traceColumns(sql: SqlWords): string {
  const { id, literal } = sql;
  const trace = `${id('trace_info')}.${id('request_id')}`;
  const value = (table: string, key: string, read: (value: string) => string) =>
    `(SELECT ${read(`v.${id('value')}`)} FROM ${id(table)} v WHERE v.${id('request_id')} = ${trace} AND v.${id('key')} = ${literal(key)})`;
  const has = (table: string, condition: (sql: SqlWords) => string) =>
    `EXISTS (SELECT 1 FROM ${id(table)} WHERE ${id(table)}.${id('request_id')} = ${trace} AND ${condition(sql)})`;
  const hasKey = (table: string, key: string) => has(table, () => `${id('key')} = ${literal(key)}`);

  // A count in trace_metrics wins over the one in the metadata, even where it is not a whole number and so gives NULL.
  const tokens = TOKENS.map((key): [string, string] => [
    key,
    `CASE WHEN ${hasKey('trace_metrics', key)}
    THEN ${value('trace_metrics', key, sql.wholeNumber)}
    ELSE ${value('trace_request_metadata', TOKEN_USAGE_KEY, (text) => sql.jsonWholeNumber(text, key))} END`,
  ]);
  const costs = COSTS.map((key): [string, string] => [
    key,
    value('trace_request_metadata', COST_KEY, (text) => sql.jsonNumber(text, key)),
  ]);
  const columns = ['trace_name', 'session_id', ...TOKENS, ...COSTS];
  // Rows that have nothing to take and hold nothing (MLflow can fill the columns beforehand) are not rewritten.
  return `UPDATE ${id('trace_info')} SET
${assign(sql, [
  ['trace_name', value('trace_tags', NAME_TAG, (text) => sql.left(text, TRACE_NAME))],
  ['session_id', value('trace_request_metadata', SESSION_KEY, (text) => sql.left(text, SESSION))],
  ...tokens,
  ...costs,
])}
WHERE ${sql.range('request_id')} AND (
  ${has('trace_tags', legacy.trace_tags)}
  OR ${has('trace_request_metadata', legacy.trace_request_metadata)}
  OR ${has('trace_metrics', legacy.trace_metrics)}
  OR ${columns.map((column) => `${id(column)} IS NOT NULL`).join(' OR ')})`;
}

/** Traces of the gateway have no cost of their own: theirs is the sum of their spans'. */
function gatewayCosts({ id, literal, range }: SqlWords): string {
  const spans = `FROM ${id('spans')} s WHERE s.${id('trace_id')} = ${id('trace_info')}.${id('request_id')}`;
  return `UPDATE ${id('trace_info')} SET ${id('total_cost')} = (SELECT SUM(s.${id('total_cost')}) ${spans})
WHERE ${range('request_id')} AND ${id('total_cost')} IS NULL
  AND EXISTS (SELECT 1 FROM ${id('trace_request_metadata')} m WHERE m.${id('request_id')} = ${id('trace_info')}.${id('request_id')} AND m.${id('key')} = ${literal(GATEWAY_KEY)})
  AND EXISTS (SELECT 1 ${spans} AND s.${id('total_cost')} IS NOT NULL)`;
}

/** Whether the attributes of a span hold a text more than so many times. */
function timesIn({ id, literal, characters, jsonText }: SqlWords, found: string, most: number): string {
  const text = jsonText(id('dimension_attributes'));
  return `${characters(text)} - ${characters(`REPLACE(${text}, ${literal(found)}, ${literal('')})`)} > ${most * found.length}`;
}

function spanColumns(sql: SqlWords): string {
  const { id, literal } = sql;
  const ofSpan = `m.${id('trace_id')} = ${id('spans')}.${id('trace_id')} AND m.${id('span_id')} = ${id('spans')}.${id('span_id')}`;
  const cost = (key: string) =>
    `(SELECT ${sql.finite(`m.${id('value')}`)} FROM ${id('span_metrics')} m WHERE ${ofSpan} AND m.${id('key')} = ${literal(key)})`;
  // Half a character of UTF-16, which an escape can write, is an error to some databases: escapes are read below.
  const attribute = (key: string) =>
    `CASE WHEN NOT (${timesIn(sql, '\\', 0)}) THEN ${sql.left(sql.jsonString(id('dimension_attributes'), key), MODEL)} END`;
  const columns = [...COSTS, 'model_name', 'model_provider'];
  return `UPDATE ${id('spans')} SET
${assign(sql, [
  ...COSTS.map((key): [string, string] => [key, cost(key)]),
  ['model_name', attribute(MODEL_ATTRIBUTE)],
  ['model_provider', attribute(PROVIDER_ATTRIBUTE)],
])}
WHERE ${sql.range('trace_id')} AND (
  ${id('dimension_attributes')} IS NOT NULL
  OR EXISTS (SELECT 1 FROM ${id('span_metrics')} m WHERE ${ofSpan} AND ${oneOf(sql, `m.${id('key')}`, COSTS)})
  OR ${columns.map((column) => `${id(column)} IS NOT NULL`).join(' OR ')})`;
}

/** Traces whose token counts or costs are not written as plain as MLflow's clients write them. */
function awkwardTraces(sql: SqlWords): string {
  const { id, literal } = sql;
  const trace = `${id('trace_info')}.${id('request_id')}`;
  const text = (key: string) =>
    `(SELECT v.${id('value')} FROM ${id('trace_request_metadata')} v WHERE v.${id('request_id')} = ${trace} AND v.${id('key')} = ${literal(key)})`;
  const metric = (key: string, read: string) =>
    `(SELECT ${read} FROM ${id('trace_metrics')} v WHERE v.${id('request_id')} = ${trace} AND v.${id('key')} = ${literal(key)})`;
  const some = (table: string, condition: string) =>
    `EXISTS (SELECT 1 FROM ${id(table)} v WHERE v.${id('request_id')} = ${trace} AND ${condition})`;
  const keyIs = (key: string) => `v.${id('key')} = ${literal(key)}`;
  const value = `v.${id('value')}`;
  const columns = [
    id('request_id'),
    `${text(TOKEN_USAGE_KEY)} AS ${id('usage')}`,
    `${text(COST_KEY)} AS ${id('cost')}`,
    ...TOKENS.flatMap((key) => [`${metric(key, value)} AS ${id(key)}`, `${metric(key, '1')} AS ${id(`has_${key}`)}`]),
  ];
  // Above 2^53, Python rounds a double to the digits that it shows.
  return `SELECT ${columns.join(', ')}
FROM ${id('trace_info')}
WHERE ${sql.range('request_id')} AND (
  ${some('trace_request_metadata', `${keyIs(TOKEN_USAGE_KEY)} AND NOT (${sql.isPlainJson(value, TOKENS, 'whole')})`)}
  OR ${some('trace_request_metadata', `${keyIs(COST_KEY)} AND NOT (${sql.isPlainJson(value, COSTS, 'any')})`)}
  OR ${some('trace_metrics', `${oneOf(sql, `v.${id('key')}`, TOKENS)} AND (${value} >= 9007199254740992 OR ${value} <= -9007199254740992)`)})`;
}

type Row = Readonly<Record<string, unknown>>;

/** The members of a JSON object; none where it is something else, or no JSON. */
function membersOf(text: unknown): ReadonlyMap<string, python.Value> {
  const value = typeof text === 'string' ? python.loads(text) : null;
  return value instanceof Map ? value : new Map();
}

function tokensAndCosts(row: Row): Record<string, Literal> {
  const [usage, cost] = [membersOf(row.usage), membersOf(row.cost)];
  const tokens = TOKENS.map((key): [string, Literal] => {
    const metric = row[key] === null ? null : Number(row[key]);
    const count = python.wholeNumber(row[`has_${key}`] === null ? (usage.get(key) ?? null) : metric);
    return [key, count === null ? null : String(count)];
  });
  const costs = COSTS.map((key): [string, Literal] => [key, python.finiteFloat(cost.get(key) ?? null)]);
  return Object.fromEntries([...tokens, ...costs]);
}

/** Spans whose model or provider is written with escapes, as JSON of Python's writes all that is not ASCII, or twice. */
function awkwardSpans(sql: SqlWords): string {
  const { id } = sql;
  const twice = [MODEL_ATTRIBUTE, PROVIDER_ATTRIBUTE].map((key) => timesIn(sql, `"${key}"`, 1));
  return `SELECT ${id('trace_id')}, ${id('span_id')}, ${sql.jsonText(id('dimension_attributes'))} AS ${id('attributes')}
FROM ${id('spans')}
WHERE ${sql.range('trace_id')} AND (${[timesIn(sql, '\\', 0), ...twice].join(' OR ')})`;
}

function dimensions({ attributes }: Row): Record<string, Literal> {
  const members = membersOf(attributes);
  const of = (key: string) => {
    const value = members.get(key);
    // Half a character of UTF-16, which only an escape can write, cannot be stored.
    return typeof value === 'string' ? python.firstOf(value, MODEL).toWellFormed() : null;
  };
  return { model_name: of(MODEL_ATTRIBUTE), model_provider: of(PROVIDER_ATTRIBUTE) };
}

/** Assessments that are no plain number, word, object or list. */
function awkwardAssessments(sql: SqlWords): string {
  const { id } = sql;
  const value = id('value');
  return `SELECT ${id('assessment_id')}, ${value}
FROM ${id('assessments')}
WHERE ${sql.range('assessment_id')} AND NOT (${isPlain(sql, value)})`;
}

const YES = ['true', '"yes"'];
const NO = ['false', '"no"'];
const NEITHER = ['null', '""'];

function isPlain(sql: SqlWords, value: string): string {
  const words = oneOf(sql, sql.exactly(value), [...YES, ...NO, ...NEITHER]);
  return `${words} OR ${oneOf(sql, sql.left(value, 1), ['{', '['])} OR (${sql.isPlainJson(value, [], 'any')})`;
}

function aggregate({ value }: Row): Record<string, Literal> {
  const text = String(value);
  const read = python.loads(text) ?? text;
  const number = typeof read === 'string' ? null : python.finiteFloat(read);
  const word = typeof read === 'string' ? python.strip(read).toLowerCase() : read;
  const yes = word === 'yes' || word === true ? 1 : word === 'no' || word === false ? 0 : null;
  return { aggregate_value: number ?? yes, is_numeric_value: number !== null };
}

/** What an assessment counts for in an average: numbers as they are, true and yes 1, false and no 0. */
function assessmentColumns(sql: SqlWords): string {
  const { id, literal } = sql;
  const value = id('value');
  const trace = (column: string) =>
    `(SELECT t.${id(column)} FROM ${id('trace_info')} t WHERE t.${id('request_id')} = ${id('assessments')}.${id('trace_id')})`;
  const number = `CASE WHEN ${sql.isPlainJson(value, [], 'any')} THEN ${sql.jsonScalarNumber(value)} END`;
  const word = sql.exactly(value);
  return `UPDATE ${id('assessments')} SET
${assign(sql, [
  ['experiment_id', trace('experiment_id')],
  ['trace_timestamp_ms', trace('timestamp_ms')],
  [
    'aggregate_value',
    `CASE
    WHEN ${oneOf(sql, word, YES)} THEN 1.0
    WHEN ${oneOf(sql, word, NO)} THEN 0.0
    ELSE ${number} END`,
  ],
  ['is_numeric_value', `CASE WHEN ${number} IS NULL THEN ${literal(false)} ELSE ${literal(true)} END`],
])}
WHERE ${sql.range('assessment_id')}`;
}

const removeLegacy = (table: keyof typeof legacy, key: string) =>
  backfill({
    title: `delete the rows of ${table} that are columns now`,
    over: { table, key },
    writes: [table],
    removes: [table],
    statements: (sql) => [`DELETE FROM ${sql.id(table)} WHERE ${sql.range(key)} AND ${legacy[table](sql)}`],
  });

const rollup = (table: string, index: TablePart, dimensions: TablePart[], statistics: string[]) =>
  createTable(
    table,
    required('id', bigint(), { numbered: 'identity' }),
    required('experiment_id', integer()),
    required('rollup_day', date()),
    required('metric_name', varchar(250)),
    required('grouping_set', varchar(50)),
    ...dimensions,
    required('sample_count', bigint()),
    ...statistics.map((name) => optional(name, double())),
    primaryKey(`${table}_pk`, 'id'),
    index,
  );
const BASIC = ['sum_value', 'min_value', 'max_value'];
const lookup = ['experiment_id', 'rollup_day', 'metric_name', 'grouping_set'];

const covering = {
  include: [...COSTS, 'model_name', 'model_provider'],
  where: '((input_cost IS NOT NULL) OR (output_cost IS NOT NULL) OR (total_cost IS NOT NULL))',
};

const longer = (table: string, key: string, length: number) =>
  rowsIn(
    table,
    `values of ${key} longer than ${length} characters, which are cut`,
    (sql) => `${sql.id('key')} = ${sql.literal(key)} AND ${sql.characters(sql.id('value'))} > ${length}`,
  );

export default revision('75868b020152', {
  parent: 'b7e2c1a4d9f3',
  title: 'traces, spans, assessments: names, sessions, tokens, costs and models become columns',
  irreversible: {
    because:
      'the rows that are copied into columns are deleted, long values are cut, costs and token counts that are no finite numbers are not kept, and spans.dimension_attributes goes',
    counts: [
      rowsIn('trace_tags', 'trace names that leave trace_tags', legacy.trace_tags),
      rowsIn('trace_request_metadata', 'rows that leave trace_request_metadata', legacy.trace_request_metadata),
      rowsIn('trace_metrics', 'rows that leave trace_metrics', legacy.trace_metrics),
      rowsIn('span_metrics', 'rows that leave span_metrics', legacy.span_metrics),
      longer('trace_tags', NAME_TAG, TRACE_NAME),
      longer('trace_request_metadata', SESSION_KEY, SESSION),
    ],
  },
  undo,
  notes: ['MLflow 3.17 and later read these values from the columns only; older ones only from the rows.'],
  operations: [
    noOrphans('spans'),
    noOrphans('assessments'),
    requireThat({
      title: 'spans.dimension_attributes holds model and provider only',
      reads: ['spans'],
      offending: (sql) =>
        `SELECT ${sql.id('trace_id')} AS a, ${sql.id('span_id')} AS b FROM ${sql.id('spans')} WHERE ${sql.jsonHasMoreThan(sql.id('dimension_attributes'), [MODEL_ATTRIBUTE, PROVIDER_ATTRIBUTE])}`,
      explain: ({ a, b }) =>
        `spans.dimension_attributes of span ${JSON.stringify(b)} in trace ${JSON.stringify(a)} holds more than the strings ${MODEL_ATTRIBUTE} and ${PROVIDER_ATTRIBUTE}, and the column is dropped`,
      fix: 'keep what is needed of spans.dimension_attributes elsewhere, and reduce it to these two keys',
    }),

    alterTable(
      'trace_info',
      addColumn(optional('trace_name', varchar(TRACE_NAME))),
      addColumn(optional('session_id', varchar(SESSION))),
      ...TOKENS.map((name) => addColumn(optional(name, bigint()))),
      ...COSTS.map((name) => addColumn(optional(name, double()))),
    ),
    alterTable(
      'assessments',
      addColumn(optional('experiment_id', integer())),
      addColumn(optional('trace_timestamp_ms', bigint())),
      addColumn(optional('aggregate_value', double())),
      addColumn(optional('is_numeric_value', boolean(), { default: false })),
    ),
    alterTable(
      'spans',
      ...COSTS.map((name) => addColumn(optional(name, double()))),
      addColumn(optional('model_name', varchar(MODEL))),
      addColumn(optional('model_provider', varchar(MODEL))),
    ),

    backfill({
      title: 'fill the new columns of trace_info',
      over: { table: 'trace_info', key: 'request_id' },
      reads: ['trace_tags', 'trace_request_metadata', 'trace_metrics'],
      writes: ['trace_info'],
      statements: (sql) => [traceColumns(sql)],
    }),
    deriveValues({
      title: 'read the token counts and costs that are not written plainly',
      over: { table: 'trace_info', key: 'request_id' },
      identity: ['request_id'],
      reads: ['trace_request_metadata', 'trace_metrics'],
      source: awkwardTraces,
      derive: tokensAndCosts,
    }),
    backfill({
      title: 'fill the new columns of spans',
      over: { table: 'spans', key: 'trace_id' },
      reads: ['span_metrics'],
      writes: ['spans'],
      statements: (sql) => [spanColumns(sql)],
    }),
    deriveValues({
      title: 'read the models and providers that are not written plainly',
      over: { table: 'spans', key: 'trace_id' },
      identity: ['trace_id', 'span_id'],
      reads: ['spans'],
      source: awkwardSpans,
      derive: dimensions,
    }),
    backfill({
      title: 'sum up the costs of gateway traces',
      over: { table: 'trace_info', key: 'request_id' },
      reads: ['spans', 'trace_request_metadata'],
      writes: ['trace_info'],
      statements: (sql) => [gatewayCosts(sql)],
    }),
    backfill({
      title: 'fill the new columns of assessments',
      over: { table: 'assessments', key: 'assessment_id' },
      reads: ['trace_info'],
      writes: ['assessments'],
      statements: (sql) => [assessmentColumns(sql)],
    }),
    deriveValues({
      title: 'read the assessments that are not written plainly',
      over: { table: 'assessments', key: 'assessment_id' },
      identity: ['assessment_id'],
      reads: ['assessments'],
      source: awkwardAssessments,
      derive: aggregate,
    }),
    alterTable('assessments', alterColumn('is_numeric_value', { nullable: false })),

    rollup(
      'sql_trace_metric_daily_rollups',
      index('idx_trace_rollups_lookup', [...lookup, 'trace_status']),
      [optional('trace_status', varchar(50))],
      [...BASIC, 'p50_value', 'p90_value', 'p99_value'],
    ),
    rollup(
      'sql_span_cost_daily_rollups',
      index('idx_span_cost_rollups_lookup', [...lookup, 'model_name', 'model_provider'], {
        prefix: { model_name: 64, model_provider: 64 },
      }),
      [optional('model_name', varchar(MODEL)), optional('model_provider', varchar(MODEL))],
      BASIC,
    ),
    rollup('sql_assessment_daily_rollups', index('idx_assessment_rollups_lookup', lookup), [], BASIC),
    createTable(
      'sql_trace_rollup_rebuild_queue',
      required('experiment_id', integer()),
      required('rollup_day', date()),
      required('rollup_family', varchar(50)),
      primaryKey('sql_trace_rollup_rebuild_queue_pk', 'experiment_id', 'rollup_day', 'rollup_family'),
    ),

    removeLegacy('trace_tags', 'request_id'),
    removeLegacy('trace_request_metadata', 'request_id'),
    removeLegacy('trace_metrics', 'request_id'),
    removeLegacy('span_metrics', 'trace_id'),

    alterTable(
      'spans',
      dropColumn('dimension_attributes'),
      addIndex('idx_spans_cost_trace_time_cover', ['trace_id', 'start_time_unix_nano'], covering),
      addIndex('idx_spans_cost_exp_time_cover', ['experiment_id', 'start_time_unix_nano'], covering),
    ),
    alterTable('trace_info', addIndex('index_trace_info_experiment_id_session_id', ['experiment_id', 'session_id'])),
    alterTable(
      'assessments',
      addIndex('idx_assessments_exp_trace_ts', ['experiment_id', 'trace_timestamp_ms']),
      addIndex('idx_assessments_exp_trace_ts_name', ['experiment_id', 'trace_timestamp_ms', 'name']),
      addIndex('idx_assessments_exp_name_valid', ['experiment_id', 'name', 'valid']),
    ),
  ],
});
