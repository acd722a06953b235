/** The way back from revision 75868b020152: what became columns is written as rows again, as MLflow before 3.17 reads it. */
import {
  backfill,
  deriveRows,
  deriveValues,
  type Literal,
  type SqlWords,
  type Undo,
} from '../src/schema/operations.js';
import {
  COST_KEY,
  COSTS,
  MODEL_ATTRIBUTE,
  NAME_TAG,
  oneOf,
  PROVIDER_ATTRIBUTE,
  SESSION_KEY,
  TOKEN_USAGE_KEY,
  TOKENS,
} from './066_75868b020152_names.js';

type Row = Readonly<Record<string, unknown>>;

const JSON_KEYS = [TOKEN_USAGE_KEY, COST_KEY];

/** Rows of a key take the values of a column, in place of any that are there. */
const columnToRows = (from: Side, into: Side, values: readonly (readonly [key: string, column: string])[]) =>
  backfill({
    title: `write ${values.map(([, column]) => column).join(', ')} as rows of ${into.table}`,
    over: { table: from.table, key: from.owner[0] ?? '' },
    reads: [from.table],
    writes: [into.table],
    statements: (sql) => {
      const { id, literal, range } = sql;
      const table = id(into.table);
      const list = (names: readonly string[]) => names.map(id).join(', ');
      const [owner = ''] = into.owner;
      const keys = values.map(([key]) => key);
      return [
        `DELETE FROM ${table} WHERE ${range(owner)} AND ${oneOf(sql, id('key'), keys)}`,
        ...values.map(
          ([key, column]) => `INSERT INTO ${table} (${list(into.owner)}, ${id('key')}, ${id('value')})
SELECT ${list(from.owner)}, ${literal(key)}, ${id(column)} FROM ${id(from.table)}
WHERE ${range(from.owner[0] ?? '')} AND ${id(column)} IS NOT NULL`,
        ),
      ];
    },
  });

interface Side {
  readonly table: string;
  /** The columns that say whose the value is. */
  readonly owner: readonly string[];
}

const traces: Side = { table: 'trace_info', owner: ['request_id'] };
const spans: Side = { table: 'spans', owner: ['trace_id', 'span_id'] };

/** Members of a JSON object, those that have a value. */
function json(members: readonly (readonly [key: string, text: string | null])[]): string | null {
  const some = members.flatMap(([key, text]) => (text === null ? [] : [`${JSON.stringify(key)}: ${text}`]));
  return some.length === 0 ? null : `{${some.join(', ')}}`;
}

/** An integer of 64 bits comes as text from some drivers; its digits are what counts. */
const integer = (value: unknown) => (value === null ? null : String(value));
const double = (value: unknown) => (value === null ? null : JSON.stringify(Number(value)));
const text = (value: unknown) => (value === null ? null : JSON.stringify(value));

function usageAndCost(row: Row): Readonly<Record<string, Literal>>[] {
  const usage = json(TOKENS.map((key) => [key, integer(row[key])]));
  const cost = json(COSTS.map((key) => [key, double(row[key])]));
  return [
    [TOKEN_USAGE_KEY, usage],
    [COST_KEY, cost],
  ].flatMap(([key, value]) =>
    key == null || value == null ? [] : [{ request_id: String(row.request_id), key, value }],
  );
}

/** Spans with a model or a provider. */
const namedSpans = ({ id, range }: SqlWords) =>
  `SELECT ${['trace_id', 'span_id', 'model_name', 'model_provider'].map(id).join(', ')} FROM ${id('spans')}
WHERE ${range('trace_id')} AND (${id('model_name')} IS NOT NULL OR ${id('model_provider')} IS NOT NULL)`;

export const undo: Undo = {
  operations: [
    columnToRows(traces, { table: 'trace_tags', owner: ['request_id'] }, [[NAME_TAG, 'trace_name']]),
    columnToRows(traces, { table: 'trace_request_metadata', owner: ['request_id'] }, [[SESSION_KEY, 'session_id']]),
    columnToRows(
      traces,
      { table: 'trace_metrics', owner: ['request_id'] },
      TOKENS.map((key) => [key, key]),
    ),
    deriveRows({
      title: 'write token counts and costs as metadata of traces',
      over: { table: 'trace_info', key: 'request_id' },
      read: [...TOKENS, ...COSTS],
      present: 'request_id',
      into: 'trace_request_metadata',
      owner: 'request_id',
      only: (sql) => oneOf(sql, sql.id('key'), JSON_KEYS),
      derive: usageAndCost,
    }),
    columnToRows(
      spans,
      { table: 'span_metrics', owner: ['trace_id', 'span_id'] },
      COSTS.map((key) => [key, key]),
    ),
    deriveValues({
      title: 'write models and providers as attributes of spans',
      over: { table: 'spans', key: 'trace_id' },
      identity: ['trace_id', 'span_id'],
      reads: ['spans'],
      source: namedSpans,
      derive: ({ model_name, model_provider }) => ({
        dimension_attributes: json([
          [MODEL_ATTRIBUTE, text(model_name)],
          [PROVIDER_ATTRIBUTE, text(model_provider)],
        ]),
      }),
    }),
  ],
  comesBack: [
    // Sums over traces, spans and assessments that MLflow works out anew where they are missing.
    'sql_trace_metric_daily_rollups',
    'sql_span_cost_daily_rollups',
    'sql_assessment_daily_rollups',
    'sql_trace_rollup_rebuild_queue',
    ...['trace_name', 'session_id', ...TOKENS, ...COSTS].map((column) => `trace_info.${column}`),
    ...[...COSTS, 'model_name', 'model_provider'].map((column) => `spans.${column}`),
    ...['experiment_id', 'trace_timestamp_ms', 'aggregate_value', 'is_numeric_value'].map(
      (column) => `assessments.${column}`,
    ),
  ],
};
