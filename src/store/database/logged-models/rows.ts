/** From rows to records: three queries for any number of models. */
import { sql } from 'kysely';
import type { Among } from '../../../dialect/query-words.js';
import { LOGGED_MODEL_STATUSES, type LoggedModel, type Metric } from '../../records.js';
import type { Context } from '../context.js';
import { rowsOf } from '../statements.js';
import type { Db, LoggedModelRow } from './lookup.js';

const given = <Value>(value: Value | null): Value | undefined => value ?? undefined;

export async function loggedModelsOf(
  context: Context,
  db: Db,
  rows: readonly LoggedModelRow[],
): Promise<LoggedModel[]> {
  if (rows.length === 0) return [];
  const ids = context.pool.words.among(rows.map(({ model_id }) => model_id));
  const [tags, params, metrics] = await Promise.all([
    tagsOf(context, db, ids),
    paramsOf(context, db, ids),
    metricsOf(context, db, ids),
  ]);
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

const byModel = ({ model_id }: { readonly model_id: string }) => model_id;

async function tagsOf(context: Context, db: Db, ids: Among) {
  const query = () =>
    db
      .selectFrom('logged_model_tags')
      .select(['model_id', 'tag_key as key', 'tag_value as value'])
      .where(ids.has(sql.ref('model_id')))
      .orderBy('tag_key');
  return Map.groupBy(await rowsOf(context, db, `tags of logged models ${ids.shape}`, query, ids.values), byModel);
}

async function paramsOf(context: Context, db: Db, ids: Among) {
  const query = () =>
    db
      .selectFrom('logged_model_params')
      .select(['model_id', 'param_key as key', 'param_value as value'])
      .where(ids.has(sql.ref('model_id')))
      .orderBy('param_key');
  return Map.groupBy(await rowsOf(context, db, `params of logged models ${ids.shape}`, query, ids.values), byModel);
}

async function metricsOf(context: Context, db: Db, ids: Among) {
  const query = () =>
    db
      .selectFrom('logged_model_metrics')
      .selectAll()
      .where(ids.has(sql.ref('model_id')))
      .orderBy('metric_name')
      .orderBy('metric_timestamp_ms')
      .orderBy('metric_step');
  return Map.groupBy(await rowsOf(context, db, `metrics of logged models ${ids.shape}`, query, ids.values), byModel);
}
