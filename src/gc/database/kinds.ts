/**
 * What belongs to a run, a logged model, a trace, an experiment and a job: every table and column that refers to one, at any
 * revision, in the order in which rows go. Foreign keys are not asked: they were added late, lack their cascade, or were
 * dropped by hand, and some references never had one. A test holds the list against the keys of the head.
 */
import type { Kind } from '../source.js';

/** Rows of a table, found by a column that refers to something else. */
export interface Rows {
  readonly table: string;
  /** Holds the id of the thing, or the key of a row of `through`. */
  readonly column: string;
  /** The column refers to several kinds, and another one says to which. */
  readonly when?: { readonly column: string; readonly is: readonly string[] };
  readonly through?: Rows & { readonly key: string };
  /** What else a row of this table goes with. */
  readonly owners?: readonly Owner[];
}

export interface Owner {
  readonly kind: Kind;
  readonly column: string;
  readonly when?: Rows['when'];
}

export interface Reference extends Rows {
  /** The row goes, or stays and refers to nothing any more. */
  readonly does: 'delete' | 'clear';
}

export interface KindOfThing {
  readonly table: string;
  readonly key: string;
  readonly references: readonly Reference[];
}

const when = (column: string, ...is: string[]) => ({ column, is });

// ------------------------------------------------ references without a key, to things of several kinds

const RUN_ENDS = [
  { kind: 'run', column: 'destination_id', when: when('destination_type', 'RUN') },
  { kind: 'run', column: 'source_id', when: when('source_type', 'RUN', 'RUN_INPUT', 'RUN_OUTPUT') },
] as const satisfies readonly Owner[];
const MODEL_END = {
  kind: 'model',
  column: 'destination_id',
  when: when('destination_type', 'MODEL', 'MODEL_INPUT', 'MODEL_OUTPUT'),
} as const satisfies Owner;
const INPUT_OWNERS: readonly Owner[] = [...RUN_ENDS, MODEL_END];

/** Rows of `inputs`, which are also outputs, with their tags. */
function inputs(end: Pick<Rows, 'column' | 'when' | 'through'>): readonly Reference[] {
  const rows = { table: 'inputs', owners: INPUT_OWNERS, ...end };
  return [
    { table: 'input_tags', column: 'input_uuid', through: { ...rows, key: 'input_uuid' }, does: 'delete' },
    { ...rows, does: 'delete' },
  ];
}

const ASSOCIATED = ['run', 'model', 'trace', 'experiment'] as const;
const ASSOCIATION_OWNERS: readonly Owner[] = ASSOCIATED.flatMap((kind) => [
  { kind, column: 'source_id', when: when('source_type', kind) },
  { kind, column: 'destination_id', when: when('destination_type', kind) },
]);

const associations = (kind: (typeof ASSOCIATED)[number]): readonly Reference[] =>
  ASSOCIATION_OWNERS.filter((owner) => owner.kind === kind).map((owner) => ({
    table: 'entity_associations',
    column: owner.column,
    ...(owner.when && { when: owner.when }),
    owners: ASSOCIATION_OWNERS,
    does: 'delete',
  }));

const own = (column: string, ...tables: readonly string[]): readonly Reference[] =>
  tables.map((table) => ({ table, column, does: 'delete' }));

const under = (table: string, key: string) => ({ table, column: 'experiment_id', key });

// ------------------------------------------------ the kinds

export const KINDS: Readonly<Record<Kind, KindOfThing>> = {
  run: {
    table: 'runs',
    key: 'run_uuid',
    references: [
      ...RUN_ENDS.flatMap(({ column, when }) => inputs({ column, when })),
      ...associations('run'),
      {
        table: 'logged_model_metrics',
        column: 'run_id',
        owners: [{ kind: 'model', column: 'model_id' }],
        does: 'delete',
      },
      { table: 'assessments', column: 'run_id', owners: [{ kind: 'trace', column: 'trace_id' }], does: 'delete' },
      { table: 'issues', column: 'source_run_id', does: 'clear' },
      ...own('run_uuid', 'latest_metrics', 'metrics', 'params', 'tags'),
    ],
  },
  model: {
    table: 'logged_models',
    key: 'model_id',
    references: [
      ...inputs({ column: MODEL_END.column, when: MODEL_END.when }),
      ...associations('model'),
      {
        table: 'logged_model_metrics',
        column: 'model_id',
        owners: [{ kind: 'run', column: 'run_id' }],
        does: 'delete',
      },
      ...own('model_id', 'logged_model_params', 'logged_model_tags'),
    ],
  },
  trace: {
    table: 'trace_info',
    key: 'request_id',
    references: [
      ...associations('trace'),
      { table: 'review_queue_items', column: 'item_id', when: when('item_type', 'trace'), does: 'delete' },
      { table: 'assessments', column: 'trace_id', owners: [{ kind: 'run', column: 'run_id' }], does: 'delete' },
      ...own('trace_id', 'span_metrics', 'spans'),
      ...own('request_id', 'trace_metrics', 'trace_request_metadata', 'trace_tags'),
    ],
  },
  experiment: {
    table: 'experiments',
    key: 'experiment_id',
    references: [
      ...inputs({
        column: 'source_id',
        when: when('source_type', 'DATASET'),
        through: under('datasets', 'dataset_uuid'),
      }),
      ...associations('experiment'),
      {
        table: 'endpoint_bindings',
        column: 'resource_id',
        when: when('resource_type', 'scorer'),
        through: under('scorers', 'scorer_id'),
        does: 'delete',
      },
      { table: 'scorer_versions', column: 'scorer_id', through: under('scorers', 'scorer_id'), does: 'delete' },
      { table: 'issue_categories', column: 'issue_id', through: under('issues', 'issue_id'), does: 'delete' },
      ...['review_queue_items', 'review_queue_label_schemas', 'review_queue_users'].map(
        (table): Reference => ({
          table,
          column: 'queue_id',
          through: under('review_queues', 'queue_id'),
          ...(table === 'review_queue_items' && {
            owners: [{ kind: 'trace', column: 'item_id', when: when('item_type', 'trace') }],
          }),
          does: 'delete',
        }),
      ),
      { table: 'endpoints', column: 'experiment_id', does: 'clear' },
      ...own(
        'experiment_id',
        'online_scoring_configs',
        'scorers',
        'issues',
        'review_queues',
        'label_schemas',
        'datasets',
        'experiment_tags',
        // Without a key, and an id may be given again: what was summed up for this experiment would be another's.
        'sql_assessment_daily_rollups',
        'sql_span_cost_daily_rollups',
        'sql_trace_metric_daily_rollups',
        'sql_trace_rollup_rebuild_queue',
      ),
    ],
  },
  job: { table: 'jobs', key: 'id', references: own('job_id', 'job_locks') },
};
