/** Datasets and models that a run has taken in, and models that it has made. */
import { type Kysely, type SqlBool, sql } from 'kysely';
import type { InsertShape } from '../../../dialect/query-words.js';
import type { DatasetInput, DatasetSummary } from '../../records.js';
import type { Runs } from '../../store.js';
import { validateDatasets, validateRunId } from '../../validate.js';
import type { Context } from '../context.js';
import type { Tables } from '../entities/index.js';
import { columnIds } from '../experiments/rows.js';
import { insertRows } from '../statements.js';
import { newId } from './create.js';
import { again } from './log.js';
import { activeRunRow } from './rows.js';

const DATASETS: InsertShape = {
  name: 'datasets',
  table: 'datasets',
  columns: {
    dataset_uuid: 'text',
    experiment_id: 'integer',
    name: 'text',
    digest: 'text',
    dataset_source_type: 'text',
    dataset_source: 'text',
    dataset_schema: 'text',
    dataset_profile: 'text',
  },
  key: ['experiment_id', 'name', 'digest'],
  conflict: 'refuse',
};
const INPUTS: InsertShape = {
  name: 'inputs',
  table: 'inputs',
  columns: {
    input_uuid: 'text',
    source_type: 'text',
    source_id: 'text',
    destination_type: 'text',
    destination_id: 'text',
    step: 'bigint',
  },
  key: ['source_type', 'source_id', 'destination_type', 'destination_id'],
  conflict: 'refuse',
};
const MODEL_INPUTS: InsertShape = { ...INPUTS, name: 'model inputs', conflict: { update: ['input_uuid'] } };
const INPUT_TAGS: InsertShape = {
  name: 'input tags',
  table: 'input_tags',
  columns: { input_uuid: 'text', name: 'text', value: 'text' },
  key: ['input_uuid', 'name'],
  conflict: 'refuse',
};
const CONTEXT = 'mlflow.data.context';
const MOST_SUMMARIES = 1000;

export function inputs(context: Context): Pick<Runs, 'logInputs' | 'logOutputs' | 'searchDatasets'> {
  const { pool } = context;
  return {
    logInputs: async (runId, datasets, models) => {
      validateRunId(runId);
      validateDatasets(datasets);
      await again(() =>
        pool.write(
          async (db) => {
            const { run_uuid, experiment_id } = await activeRunRow(context, db, runId);
            if (experiment_id !== null) await addDatasets(context, db, run_uuid, experiment_id, datasets);
            const ids = new Set(models.map(({ model_id }) => model_id));
            const rows = [...ids].map((id) => [newId(), 'RUN_INPUT', run_uuid, 'MODEL_INPUT', id, 0]);
            await insertRows(context, db, MODEL_INPUTS, rows);
          },
          { repeatable: true },
        ),
      );
    },
    logOutputs: (runId, models) =>
      pool.write(async (db) => {
        const { run_uuid } = await activeRunRow(context, db, runId);
        const rows = models.map(({ model_id, step }) => [
          newId(),
          'RUN_OUTPUT',
          run_uuid,
          'MODEL_OUTPUT',
          model_id,
          step,
        ]);
        await insertRows(context, db, INPUTS, rows);
      }),
    searchDatasets: (experimentIds) => searchDatasets(context, experimentIds),
  };
}

const idOf = ({ name, digest }: { readonly name: string; readonly digest: string }) => `${name}\0${digest}`;

/** A dataset is in an experiment once, and in a run once; what is there stays as it is, with its tags. */
async function addDatasets(
  context: Context,
  db: Kysely<Tables>,
  runId: string,
  experimentId: number,
  given: readonly DatasetInput[],
): Promise<void> {
  if (given.length === 0) return;
  const distinct = new Map([...given].reverse().map((input) => [idOf(input.dataset), input]));
  const wanted = given.filter((input) => distinct.get(idOf(input.dataset)) === input);
  const known = await db
    .selectFrom('datasets')
    .select(['dataset_uuid', 'name', 'digest'])
    .where('experiment_id', '=', experimentId)
    .where(
      'name',
      'in',
      wanted.map(({ dataset }) => dataset.name),
    )
    .where(
      'digest',
      'in',
      wanted.map(({ dataset }) => dataset.digest),
    )
    .execute();
  const uuids = new Map(known.map((row) => [idOf(row), row.dataset_uuid]));
  const fresh = wanted.filter(({ dataset }) => !uuids.has(idOf(dataset)));
  for (const { dataset } of fresh) uuids.set(idOf(dataset), newId());
  const uuidOf = ({ dataset }: DatasetInput) => uuids.get(idOf(dataset)) ?? '';
  await insertRows(
    context,
    db,
    DATASETS,
    fresh.map((input) => {
      const { name, digest, source_type, source, schema, profile } = input.dataset;
      return [uuidOf(input), experimentId, name, digest, source_type, source, schema ?? null, profile ?? null];
    }),
  );
  const taken = await db
    .selectFrom('inputs')
    .select('source_id')
    .where('source_type', '=', 'DATASET')
    .where('source_id', 'in', wanted.map(uuidOf))
    .where('destination_type', '=', 'RUN')
    .where('destination_id', '=', runId)
    .execute();
  const linked = new Set(taken.map(({ source_id }) => source_id));
  const links = wanted
    .filter((input) => !linked.has(uuidOf(input)))
    .map((input) => ({ id: newId(), uuid: uuidOf(input), tags: input.tags }));
  await insertRows(
    context,
    db,
    INPUTS,
    links.map(({ id, uuid }) => [id, 'DATASET', uuid, 'RUN', runId, 0]),
  );
  await insertRows(
    context,
    db,
    INPUT_TAGS,
    links.flatMap(({ id, tags }) => tags.map(({ key, value }) => [id, key, value])),
  );
}

async function searchDatasets({ pool }: Context, experimentIds: readonly string[]): Promise<readonly DatasetSummary[]> {
  const ids = columnIds(experimentIds);
  if (ids.length === 0) return [];
  const rows = await pool.read((db) =>
    db
      .selectFrom('datasets as d')
      .innerJoin('inputs as i', 'i.source_id', 'd.dataset_uuid')
      .leftJoin('input_tags as t', (join) => join.onRef('t.input_uuid', '=', 'i.input_uuid').on('t.name', '=', CONTEXT))
      .select(['d.experiment_id', 'd.name', 'd.digest', 't.value'])
      .distinct()
      .where('d.experiment_id', 'in', ids)
      .modifyEnd(
        sql<SqlBool>`ORDER BY ${sql.ref('d.experiment_id')}, ${sql.ref('d.name')} ${pool.words.page(MOST_SUMMARIES)}`,
      )
      .execute(),
  );
  return rows.map(({ experiment_id, name, digest, value }) => ({
    experiment_id: String(experiment_id),
    name,
    digest,
    context: value ?? undefined,
  }));
}
