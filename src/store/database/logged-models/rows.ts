/** From rows to records: three queries for any number of models. */
import { LOGGED_MODEL_STATUSES, type LoggedModel, type Metric } from '../../records.js';
import type { Db, LoggedModelRow } from './lookup.js';

const given = <Value>(value: Value | null): Value | undefined => value ?? undefined;

export async function loggedModelsOf(db: Db, rows: readonly LoggedModelRow[]): Promise<LoggedModel[]> {
  if (rows.length === 0) return [];
  const ids = rows.map(({ model_id }) => model_id);
  const byModel = ({ model_id }: { readonly model_id: string }) => model_id;
  const tags = Map.groupBy(
    await db
      .selectFrom('logged_model_tags')
      .select(['model_id', 'tag_key as key', 'tag_value as value'])
      .where('model_id', 'in', ids)
      .orderBy('tag_key')
      .execute(),
    byModel,
  );
  const params = Map.groupBy(
    await db
      .selectFrom('logged_model_params')
      .select(['model_id', 'param_key as key', 'param_value as value'])
      .where('model_id', 'in', ids)
      .orderBy('param_key')
      .execute(),
    byModel,
  );
  const metrics = Map.groupBy(
    await db
      .selectFrom('logged_model_metrics')
      .selectAll()
      .where('model_id', 'in', ids)
      .orderBy('metric_name')
      .orderBy('metric_timestamp_ms')
      .orderBy('metric_step')
      .execute(),
    byModel,
  );
  return rows.map((row) => ({
    info: {
      model_id: row.model_id,
      experiment_id: String(row.experiment_id),
      name: row.name,
      creation_timestamp_ms: row.creation_timestamp_ms,
      last_updated_timestamp_ms: row.last_updated_timestamp_ms,
      artifact_uri: row.artifact_location,
      status: LOGGED_MODEL_STATUSES[row.status] ?? 'LOGGED_MODEL_STATUS_UNSPECIFIED',
      model_type: given(row.model_type),
      source_run_id: given(row.source_run_id),
      status_message: given(row.status_message),
      tags: (tags.get(row.model_id) ?? []).map(({ key, value }) => ({ key, value })),
    },
    data: {
      params: (params.get(row.model_id) ?? []).map(({ key, value }) => ({ key, value })),
      metrics: (metrics.get(row.model_id) ?? []).map(
        (metric): Metric => ({
          key: metric.metric_name,
          value: metric.metric_value ?? Number.NaN,
          timestamp: metric.metric_timestamp_ms,
          step: metric.metric_step,
          model_id: metric.model_id,
          run_id: metric.run_id,
          dataset_name: given(metric.dataset_name),
          dataset_digest: given(metric.dataset_digest),
        }),
      ),
    },
  }));
}
