/** Records, and questions about them, for the file store's way of searching. */
import fc from 'fast-check';
import type { Entity, Searchable } from '../../../src/store/search/index.js';

/** A record as JSON: columns by name, and maps of what has keys. A metric is written as Python's float reads it. */
export interface Written {
  readonly [column: string]: string | number | null | Readonly<Record<string, string>> | readonly Dataset[];
}
interface Dataset {
  readonly name: string;
  readonly digest: string;
  readonly context: string;
}

const MAPS: Readonly<Record<string, string>> = {
  metric: 'metrics',
  parameter: 'params',
  tag: 'tags',
  request_metadata: 'metadata',
};

export function searchable(written: Written): Searchable {
  return {
    find(kind, key) {
      if (kind === 'attribute') return written[key] as string | number | null;
      const found = (written[MAPS[kind] ?? ''] as Readonly<Record<string, string>>)[key];
      return kind === 'metric' && found !== undefined ? Number(found) : found;
    },
    findEach: (_, key) => (written.datasets as readonly Dataset[]).map((each) => each[key as keyof Dataset]),
  };
}

export const text = fc.constantFrom(
  '',
  'a',
  'A',
  'b',
  'ab',
  'aB',
  'a_b',
  'a%b',
  'a.b',
  'é',
  'É',
  '日本',
  '😀',
  '\uffee',
  'a\nb',
  'a\n',
  '1',
);
const time = fc.constantFrom(0, 1, 2, 3, 1700000000000);
const mapOf = (values: fc.Arbitrary<string>) => fc.dictionary(fc.constantFrom('a', 'b c'), values);
const number = fc.constantFrom('0', '1', '-1', '1.5', 'NaN', 'Infinity', '-Infinity', '1e300');
const nullable = <Value>(values: fc.Arbitrary<Value>) => fc.option(values, { nil: null, freq: 3 });

export type Kinds = 'runs' | 'experiments' | 'traces' | 'loggedModelFiles';

export const RECORDS: Readonly<Record<Kinds, { readonly id: string; readonly record: fc.Arbitrary<Written> }>> = {
  runs: {
    id: 'run_id',
    record: fc.record({
      ...{ run_id: fc.uuid(), run_name: text, user_id: text, artifact_uri: text },
      status: fc.constantFrom('FINISHED', 'RUNNING', 'FAILED'),
      ...{ start_time: time, end_time: nullable(time) },
      ...{ metrics: mapOf(number), params: mapOf(text), tags: mapOf(text) },
      datasets: fc.array(fc.record({ name: text, digest: text, context: text }), { maxLength: 2 }),
    }),
  },
  experiments: {
    id: 'experiment_id',
    record: fc.record({
      ...{ experiment_id: fc.nat(99_999).map(String), name: text },
      ...{ creation_time: time, last_update_time: nullable(time), tags: mapOf(text) },
    }),
  },
  traces: {
    id: 'request_id',
    record: fc.record({
      ...{ request_id: fc.uuid(), timestamp_ms: time, execution_time_ms: time, client_request_id: nullable(text) },
      status: fc.constantFrom('OK', 'ERROR', 'IN_PROGRESS'),
      tags: fc.dictionary(fc.constantFrom('a', 'mlflow.traceName'), text),
      metadata: fc.dictionary(fc.constantFrom('a', 'mlflow.sourceRun'), text),
    }),
  },
  loggedModelFiles: {
    id: 'model_id',
    record: fc.record({
      ...{ model_id: fc.uuid(), name: text, model_type: nullable(text), source_run_id: nullable(text) },
      status: fc.constantFrom('READY', 'PENDING', 'FAILED'),
      ...{ creation_timestamp: time, last_updated_timestamp: time },
      ...{ metrics: mapOf(number), params: mapOf(text), tags: mapOf(text) },
    }),
  },
};

const COMPARED: Readonly<
  Record<
    Kinds,
    { readonly numbers: string[]; readonly texts: string[]; readonly lists: string[]; readonly nulls: string[] }
  >
> = {
  runs: {
    numbers: ['metrics.a', 'metrics.`b c`', 'start_time', 'end_time', 'attributes.created'],
    texts: ['params.a', 'tags."b c"', 'run_name', 'status', 'dataset.name', 'dataset.context', '`run name`'],
    lists: ['run_id', 'dataset.name', 'dataset.context', 'dataset.digest'],
    nulls: ['params.a', 'tags.a'],
  },
  experiments: {
    numbers: ['creation_time', 'last_update_time'],
    texts: ['name', 'tags.a', 'tag.`b c`'],
    lists: ['experiment_id'],
    nulls: ['tags.a'],
  },
  traces: {
    numbers: ['timestamp_ms', 'attributes.timestamp', 'execution_time', 'trace.execution_time_ms'],
    texts: ['name', 'tags.a', 'metadata.a', 'run_id', 'client_request_id', 'status'],
    lists: ['status', 'client_request_id'],
    nulls: ['tags.a', 'name', 'metadata.a'],
  },
  loggedModelFiles: {
    numbers: ['metrics.a', 'creation_timestamp', 'last_updated_timestamp'],
    texts: ['name', 'params.a', 'tags.a', 'model_type', 'source_run_id', 'dataset.name'],
    lists: ['name', 'model_type'],
    nulls: [],
  },
};

const quoted = (value: string) => (value.includes("'") ? `"${value}"` : `'${value}'`);
export const pattern = fc
  .array(fc.constantFrom('%', '_', 'a', 'A', 'b', '.', 'é', '日', '\n', '😀'), { maxLength: 4 })
  .map((parts) => parts.join(''));

export function questions(entity: Kinds) {
  const { numbers, texts, lists, nulls } = COMPARED[entity];
  const clause = fc.oneof(
    fc.tuple(
      fc.constantFrom(...numbers),
      fc.constantFrom('=', '!=', '<', '<=', '>', '>='),
      fc.constantFrom('0', '1', '2', '1.5', '-1'),
    ),
    fc.tuple(fc.constantFrom(...texts), fc.constantFrom('=', '!='), text.map(quoted)),
    fc.tuple(fc.constantFrom(...texts), fc.constantFrom('LIKE', 'ILIKE', 'like'), pattern.map(quoted)),
    fc.tuple(
      fc.constantFrom(...lists),
      fc.constantFrom('IN', 'NOT IN'),
      fc.constantFrom("('a', 'b')", "('FINISHED', 'OK', 'A')"),
    ),
    ...(nulls.length
      ? [fc.tuple(fc.constantFrom(...nulls), fc.constantFrom('IS NULL', 'IS NOT NULL'), fc.constant(''))]
      : []),
  );
  const filter = fc
    .array(clause, { maxLength: 2 })
    .map((clauses) => clauses.map((parts) => parts.join(' ')).join(' AND '));
  return fc.tuple(
    fc.constant(entity),
    fc.uniqueArray(RECORDS[entity].record, { selector: (record) => record[RECORDS[entity].id], maxLength: 8 }),
    filter,
    ordering(entity),
  );
}

const ORDERS: Readonly<Record<Exclude<Kinds, 'loggedModelFiles'>, readonly string[]>> = {
  runs: ['metrics.a', 'metrics.`b c`', 'params.a', 'tags.a', 'start_time', 'end_time', 'run_name', 'created', 'run_id'],
  experiments: ['name', 'creation_time', 'last_update_time', 'experiment_id'],
  traces: ['timestamp_ms', 'execution_time', 'status', 'request_id', 'timestamp'],
};

function ordering(entity: Kinds): fc.Arbitrary<never[]> {
  if (entity !== 'loggedModelFiles') {
    const one = fc
      .tuple(fc.constantFrom(...ORDERS[entity]), fc.constantFrom('', ' ASC', ' DESC'))
      .map((parts) => parts.join(''));
    return fc.array(one, { maxLength: 3 }) as fc.Arbitrary<never[]>;
  }
  const names = ['name', 'creation_time', 'creation_timestamp', 'last_updated_timestamp', 'model_id', 'metrics.a'];
  return fc.array(fc.record({ field_name: fc.constantFrom(...names), ascending: fc.boolean() }), {
    maxLength: 2,
  }) as fc.Arbitrary<never[]>;
}

/** MLflow's sort gives no order where NaN takes part, but among runs. */
export const unordered = (entity: Entity, records: readonly Written[]) =>
  entity === 'loggedModelFiles' && records.some(({ metrics }) => Object.values(metrics as object).includes('NaN'));
