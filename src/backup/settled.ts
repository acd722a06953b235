/**
 * What MLflow does not change once it is written. A difference there is no work that went on after a backup was taken: the
 * backup is damaged, or of another database. Everything else a server that is in use may change at any time.
 */

/** Columns, beside those of the primary key; of a table that is not named here, the key alone. */
export const SETTLED: Readonly<Record<string, readonly string[]>> = {
  experiments: ['creation_time'],
  runs: ['start_time', 'source_type', 'user_id', 'experiment_id'],
  params: ['value'],
  datasets: ['experiment_id', 'name', 'digest', 'source_type', 'source', 'schema', 'profile'],
  inputs: ['source_type', 'source_id', 'destination_type', 'destination_id'],
  registered_models: ['creation_time'],
  model_versions: ['creation_time'],
  logged_models: ['experiment_id', 'creation_timestamp_ms', 'source_run_id'],
  logged_model_params: ['param_value'],
  logged_model_metrics: ['metric_value'],
  trace_info: ['experiment_id'],
};

/**
 * Tables whose rows belong to a run and are never removed without it. When the run had ended, what it logged was all there.
 */
export const OF_RUNS: readonly string[] = ['metrics', 'params'];

/** States of a run that logs no more. */
export const ENDED: readonly string[] = ['FINISHED', 'FAILED', 'KILLED'];
