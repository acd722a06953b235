/** Runs with all that belongs to them, from the rows of all tables. */
import type { Kysely } from 'kysely';
import type { DatasetInput, KeyValue, Metric, ModelInput, ModelOutput, Run } from '../../records.js';
import type { Context } from '../context.js';
import type { Tables } from '../entities/index.js';
import { type DatasetRow, rowsOfRuns } from './reading.js';
import { infoOf, type RunRow } from './rows.js';

export const RUN_NAME = 'mlflow.runName';

interface Children {
  readonly metrics: Metric[];
  readonly params: KeyValue[];
  readonly tags: KeyValue[];
  readonly datasets: DatasetInput[];
  readonly inputs: ModelInput[];
  readonly outputs: ModelOutput[];
}

/**
 * Those of the runs that there are, in no order.
 * @param with_model_inputs which a search leaves out, as MLflow's does
 */
export async function runsOf(
  context: Context,
  db: Kysely<Tables>,
  runIds: readonly string[],
  { modelInputs }: { readonly modelInputs: boolean },
): Promise<Run[]> {
  if (runIds.length === 0) return [];
  const rows = await rowsOfRuns(context, db, runIds, modelInputs);
  const children = new Map<string, Children>(
    rows.runs.map(({ run_uuid }) => [
      run_uuid,
      { metrics: [], params: [], tags: [], datasets: [], inputs: [], outputs: [] },
    ]),
  );
  const find = (runId: string) => children.get(runId);
  for (const { run_uuid, key, value, timestamp, step, is_nan } of rows.metrics) {
    find(run_uuid)?.metrics.push({ key, value: is_nan ? Number.NaN : value, timestamp: timestamp ?? 0, step });
  }
  for (const { run_uuid, key, value } of rows.params) find(run_uuid)?.params.push({ key, value: value ?? '' });
  for (const { run_uuid, key, value } of rows.tags) find(run_uuid)?.tags.push({ key, value: value ?? '' });
  addDatasets(rows.datasets, (runId) => find(runId)?.datasets);
  for (const { source_id, destination_type, destination_id, step } of rows.models) {
    if (destination_type === 'MODEL_OUTPUT') find(source_id)?.outputs.push({ model_id: destination_id, step });
    if (destination_type === 'MODEL_INPUT') find(source_id)?.inputs.push({ model_id: destination_id });
  }
  return rows.runs.map((row) => runOf(row, children.get(row.run_uuid)));
}

export function runOf(row: RunRow, children?: Children): Run {
  const { metrics = [], params = [], tags = [], datasets = [], inputs = [], outputs = [] } = children ?? {};
  const nameTag = row.name ? undefined : tags.find(({ key }) => key === RUN_NAME)?.value;
  return {
    info: infoOf(row, nameTag),
    data: { metrics, params, tags },
    inputs: { dataset_inputs: datasets, model_inputs: inputs },
    outputs: { model_outputs: outputs },
  };
}

/** A dataset comes once for each of its tags. */
function addDatasets(rows: readonly DatasetRow[], find: (runId: string) => DatasetInput[] | undefined): void {
  const known = new Map<string, KeyValue[]>();
  for (const row of rows) {
    const id = `${row.destination_id} ${row.dataset_uuid}`;
    const tags = known.get(id) ?? [];
    if (!known.has(id)) {
      known.set(id, tags);
      find(row.destination_id)?.push({ tags, dataset: datasetOf(row) });
    }
    if (row.tag !== null) tags.push({ key: row.tag, value: row.value ?? '' });
  }
}

function datasetOf(row: DatasetRow): DatasetInput['dataset'] {
  return {
    name: row.name,
    digest: row.digest,
    source_type: row.dataset_source_type,
    source: row.dataset_source,
    schema: row.dataset_schema ?? undefined,
    profile: row.dataset_profile ?? undefined,
  };
}
