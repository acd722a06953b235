/** What each entity can be searched by, as data: names, aliases and types as MLflow 3.17 has them. */
import type { Entity, Kind } from './ast.js';
import { reprList, reprSet, reprString } from './python.js';

export interface Grammar {
  /** How a name becomes a column; see columns.ts. */
  readonly columns: 'scoped' | 'experiments' | 'registry' | 'datasets' | 'loggedModels';
  /** What may stand before the first dot. */
  readonly scopes: Readonly<Record<string, Kind>>;
  /** How a message lists them. */
  readonly scopesWritten: string;
  readonly attributes: readonly string[];
  /** Attributes that are numbers, under every name they may have. */
  readonly numeric: readonly string[];
  /** Attributes that IN may be asked of; `null` for all of them. */
  readonly listed: readonly string[] | null;
  readonly orderable: readonly string[];
  /** What may be asked to be, or not to be, NULL; with the words of the refusal. */
  readonly nulls: { readonly kinds: readonly Kind[] | null; readonly refusal: (kind: Kind, key: string) => string };
  /** How values are read; see values.ts. */
  readonly values: 'byType' | 'registry' | 'traces';
  /** Whether a message quotes each clause that it refuses. */
  readonly quotesClauses: boolean;
}

const RUN_SCOPES = {
  metric: 'metric',
  parameter: 'parameter',
  tag: 'tag',
  attribute: 'attribute',
  dataset: 'dataset',
  metrics: 'metric',
  parameters: 'parameter',
  param: 'parameter',
  params: 'parameter',
  tags: 'tag',
  attr: 'attribute',
  attributes: 'attribute',
  run: 'attribute',
  datasets: 'dataset',
} as const;
const RUN_SCOPES_WRITTEN = reprList(['metric', 'parameter', 'tag', 'attribute', 'dataset'].map(reprString));

const TRACE_SCOPES = {
  tag: 'tag',
  request_metadata: 'request_metadata',
  attribute: 'attribute',
  span: 'span',
  feedback: 'feedback',
  expectation: 'expectation',
  issue: 'issue',
  tags: 'tag',
  attributes: 'attribute',
  trace: 'attribute',
  metadata: 'request_metadata',
} as const;

/** Experiments, and what the registry holds, know these only. */
const FEW_SCOPES = { attribute: 'attribute', tag: 'tag', tags: 'tag' } as const;
const FEW_SCOPES_WRITTEN = `(${Object.keys(FEW_SCOPES).map(reprString).join(', ')})`;

const TAGS_AND_PARAMS: Grammar['nulls'] = {
  kinds: ['tag', 'parameter'],
  refusal: (kind, key) => `IS NULL / IS NOT NULL is only supported for tags and params, not for '${kind}' '${key}'`,
};
/** MLflow has no words for it: it fails. */
const NOTHING: Grammar['nulls'] = {
  kinds: [],
  refusal: (_, key) => `IS NULL / IS NOT NULL is not supported here, found for '${key}'`,
};

const LOGGED_MODEL_NUMBERS = ['creation_timestamp', 'creation_time', 'last_updated_timestamp', 'last_updated_time'];
const LOGGED_MODEL_ATTRIBUTES = ['name', 'model_id', 'model_type', 'status', 'source_run_id', ...LOGGED_MODEL_NUMBERS];

export const GRAMMARS: Readonly<Record<Entity, Grammar>> = {
  runs: {
    columns: 'scoped',
    scopes: RUN_SCOPES,
    scopesWritten: RUN_SCOPES_WRITTEN,
    attributes: [
      ...['artifact_uri', 'end_time', 'run_id', 'run_name', 'start_time', 'status', 'user_id'],
      ...['created', 'Created', 'run name', 'Run name', 'Run Name'],
    ],
    numeric: ['start_time', 'end_time', 'created', 'Created'],
    listed: ['run_id'],
    orderable: [
      ...['artifact_uri', 'end_time', 'run_id', 'run_name', 'start_time', 'status', 'user_id'],
      ...['created', 'Created'],
    ],
    nulls: TAGS_AND_PARAMS,
    values: 'byType',
    quotesClauses: true,
  },
  experiments: {
    columns: 'experiments',
    scopes: FEW_SCOPES,
    scopesWritten: FEW_SCOPES_WRITTEN,
    attributes: ['name', 'experiment_id', 'creation_time', 'last_update_time'],
    numeric: ['creation_time', 'last_update_time'],
    listed: ['experiment_id'],
    orderable: ['name', 'experiment_id', 'creation_time', 'last_update_time'],
    nulls: {
      kinds: ['tag'],
      refusal: (_, key) => `IS NULL / IS NOT NULL is only supported for tags, not for attribute '${key}'`,
    },
    values: 'byType',
    quotesClauses: false,
  },
  traces: {
    columns: 'scoped',
    scopes: TRACE_SCOPES,
    scopesWritten: reprSet(Object.keys(TRACE_SCOPES)),
    attributes: [
      ...['request_id', 'timestamp', 'timestamp_ms', 'execution_time', 'execution_time_ms', 'end_time'],
      ...['end_time_ms', 'status', 'client_request_id', 'name', 'run_id', 'prompt', 'text'],
    ],
    numeric: ['timestamp_ms', 'timestamp', 'execution_time_ms', 'execution_time', 'end_time_ms', 'end_time'],
    listed: ['name', 'status', 'request_id', 'run_id', 'client_request_id'],
    orderable: [
      ...['experiment_id', 'timestamp', 'timestamp_ms', 'execution_time', 'execution_time_ms', 'end_time'],
      ...['end_time_ms', 'status', 'request_id', 'name', 'run_id'],
    ],
    nulls: { kinds: null, refusal: NOTHING.refusal },
    values: 'traces',
    quotesClauses: true,
  },
  loggedModels: {
    columns: 'loggedModels',
    scopes: { attributes: 'attribute', metrics: 'metric', params: 'parameter', tags: 'tag' },
    scopesWritten: reprList(['attributes', 'metrics', 'params', 'tags'].map(reprString)),
    // MLflow asks the table for any other name, and fails. These are the table's columns, and their aliases.
    attributes: [
      ...['name', 'model_id', 'model_type', 'status', 'source_run_id', 'experiment_id', 'artifact_location'],
      ...['creation_timestamp_ms', 'last_updated_timestamp_ms', 'lifecycle_stage', 'status_message'],
    ],
    numeric: [
      ...['creation_timestamp_ms', 'creation_timestamp', 'creation_time'],
      ...['last_updated_timestamp_ms', 'last_updated_timestamp'],
    ],
    listed: null,
    orderable: [],
    nulls: NOTHING,
    values: 'byType',
    quotesClauses: false,
  },
  loggedModelFiles: {
    columns: 'scoped',
    scopes: RUN_SCOPES,
    scopesWritten: RUN_SCOPES_WRITTEN,
    attributes: LOGGED_MODEL_ATTRIBUTES,
    numeric: LOGGED_MODEL_NUMBERS,
    listed: null,
    orderable: LOGGED_MODEL_ATTRIBUTES,
    nulls: TAGS_AND_PARAMS,
    values: 'byType',
    quotesClauses: true,
  },
  registeredModels: {
    columns: 'registry',
    scopes: FEW_SCOPES,
    scopesWritten: FEW_SCOPES_WRITTEN,
    attributes: ['name'],
    numeric: [],
    listed: ['name'],
    orderable: ['timestamp', 'last_updated_timestamp', 'name'],
    nulls: NOTHING,
    values: 'registry',
    quotesClauses: false,
  },
  modelVersions: {
    columns: 'registry',
    scopes: FEW_SCOPES,
    scopesWritten: FEW_SCOPES_WRITTEN,
    attributes: ['name', 'version_number', 'run_id', 'source_path'],
    numeric: ['version_number', 'creation_timestamp', 'last_updated_timestamp'],
    listed: ['name', 'run_id'],
    orderable: ['name', 'version_number', 'creation_timestamp', 'last_updated_timestamp'],
    nulls: NOTHING,
    values: 'registry',
    quotesClauses: false,
  },
  datasets: {
    columns: 'datasets',
    scopes: { tags: 'tag' },
    scopesWritten: '',
    attributes: ['name', 'created_time', 'last_update_time', 'created_by', 'last_updated_by'],
    numeric: ['created_time', 'last_update_time'],
    listed: ['name'],
    orderable: ['name', 'created_time', 'last_update_time'],
    nulls: TAGS_AND_PARAMS,
    values: 'byType',
    quotesClauses: false,
  },
};

/** What a dataset of a run can be searched by. */
export const DATASET_KEYS = ['name', 'digest', 'context'];

/** Other names of a run's attributes. Stores take them for such whatever the kind: `metrics.created` is the metric start_time. */
export const RUN_ALIASES: ReadonlyMap<string, string> = new Map([
  ['created', 'start_time'],
  ['Created', 'start_time'],
  ['run name', 'run_name'],
  ['Run name', 'run_name'],
  ['Run Name', 'run_name'],
]);

/** Other names of what the table of logged models calls so. */
export const LOGGED_MODEL_ALIASES: ReadonlyMap<string, string> = new Map([
  ['creation_time', 'creation_timestamp_ms'],
  ['creation_timestamp', 'creation_timestamp_ms'],
  ['last_updated_timestamp', 'last_updated_timestamp_ms'],
]);
