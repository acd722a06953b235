/** Rows of one record as the files that hold them, in the forms that MLflow writes; see store/file/layout.ts. */
import { join } from 'node:path';
import type { Row, Value } from '../../rows/values.js';
import type { Table } from '../../schema/model.js';
import { ARTIFACTS, META, METRICS, PARAMS, TAGS, TRACE_INFO } from '../../store/file/reader.js';
import {
  ASSESSMENTS,
  DATASETS,
  formatModelLine,
  formatRunLine,
  formatTimestamp,
  INPUTS,
  linkId,
  OUTPUTS,
  statusNumber,
  TRACE_METADATA,
  type Writable,
  writtenAssessment,
} from '../../store/file/writer.js';
import { type KeyValue, RUN_STATUSES } from '../../store/records.js';
import { assessmentOf, textsOf } from '../files/traces.js';
import { type Named, namer } from '../named.js';
import { infinite } from './held.js';

/** A row with the values of its columns by their names. */
export interface Held {
  readonly table: Table;
  readonly row: Row;
  readonly named: Named;
}

/** A file of a record, and the rows that it holds. */
export type Entry = { /** From the folder of the record. */ readonly path: string } & (
  | {
      /** YAML, of which what others have put there stays. */
      readonly kind: 'meta';
      /** What MLflow writes where it knows nothing better. */
      readonly usual: Readonly<Record<string, Writable>>;
      readonly fields: Readonly<Record<string, Writable>>;
      readonly rows: readonly Held[];
    }
  | { readonly kind: 'text'; readonly text: string; readonly rows: readonly Held[] }
  | {
      /** Of a trace: the JSON of each. */
      readonly kind: 'spans';
      readonly lines: readonly { readonly text: string; readonly held: Held }[];
    }
  | { readonly kind: 'lines'; readonly lines: readonly { readonly text: string; readonly held: Held }[] }
);

/** Rows of a record, by their tables. */
export class RecordRows {
  readonly #rows = new Map<string, Held[]>();

  add(table: Table, rows: readonly Row[]): void {
    const named = namer(table);
    const known = this.#rows.get(table.name) ?? [];
    for (const row of rows) known.push({ table, row, named: named(row) });
    this.#rows.set(table.name, known);
  }

  get byTable(): ReadonlyMap<string, readonly Held[]> {
    return this.#rows;
  }

  of(table: string): readonly Held[] {
    return this.#rows.get(table) ?? [];
  }
}

const text = (value: Value | undefined): string | null =>
  value === null || value === undefined ? null : String(value);
const whole = (value: Value | undefined): number | bigint | null =>
  typeof value === 'number' || typeof value === 'bigint' ? value : null;

const values = (folder: string, rows: readonly Held[], key: string, value: string): Entry[] =>
  rows.map((held) => ({
    path: join(folder, String(held.named[key])),
    kind: 'text',
    text: String(held.named[value] ?? ''),
    rows: [held],
  }));

export function experimentEntries(rows: RecordRows): Entry[] {
  return [
    ...rows.of('experiments').map((held): Entry => {
      const { named } = held;
      return {
        path: META,
        kind: 'meta',
        usual: { effective_trace_archival_retention: null, trace_location: null, workspace: 'default' },
        fields: {
          artifact_location: text(named.artifact_location),
          creation_time: whole(named.creation_time),
          experiment_id: String(named.experiment_id),
          last_update_time: whole(named.last_update_time),
          lifecycle_stage: text(named.lifecycle_stage),
          name: text(named.name),
        },
        rows: [held],
      };
    }),
    ...values(TAGS, rows.of('experiment_tags'), 'key', 'value'),
    ...rows.of('datasets').map((held): Entry => {
      const { named } = held;
      return {
        path: join(DATASETS, datasetFolder(named), META),
        kind: 'meta',
        usual: {},
        fields: {
          name: text(named.name),
          digest: text(named.digest),
          source_type: text(named.dataset_source_type),
          source: text(named.dataset_source),
          schema: text(named.dataset_schema),
          profile: text(named.dataset_profile),
        },
        rows: [held],
      };
    }),
  ];
}

const datasetFolder = ({ name, digest }: Named) => linkId(String(name), String(digest));

// ---------------------------------------------------------------- runs

/** MLflow knows where a run came from by a number. */
const SOURCE_TYPES = ['NOTEBOOK', 'JOB', 'PROJECT', 'LOCAL', 'UNKNOWN'];

export function runEntries(rows: RecordRows): Entry[] {
  return [
    ...rows.of('runs').map(runMeta),
    ...values(PARAMS, rows.of('params'), 'key', 'value'),
    ...values(TAGS, rows.of('tags'), 'key', 'value'),
    ...rows.of('inputs').flatMap((held) => linkEntry(held, rows)),
  ];
}

function runMeta(held: Held): Entry {
  const { named } = held;
  const status = RUN_STATUSES.find((each) => each === named.status) ?? 'RUNNING';
  return {
    path: META,
    kind: 'meta',
    usual: { tags: [] },
    fields: {
      artifact_uri: text(named.artifact_uri),
      deleted_time: whole(named.deleted_time) ?? undefined,
      end_time: whole(named.end_time),
      entry_point_name: text(named.entry_point_name),
      experiment_id: String(named.experiment_id),
      lifecycle_stage: text(named.lifecycle_stage),
      run_id: String(named.run_uuid),
      run_name: text(named.name),
      source_name: text(named.source_name),
      source_type: SOURCE_TYPES.indexOf(String(named.source_type)) + 1,
      source_version: text(named.source_version),
      start_time: whole(named.start_time),
      status: statusNumber(status),
      user_id: text(named.user_id),
    },
    rows: [held],
  };
}

/** Of which dataset an input is: the rows of the datasets are beside those of the run. */
function linkEntry(held: Held, rows: RecordRows): Entry[] {
  const { source_type, source_id, destination_id, step, input_uuid } = held.named;
  const usual = {};
  if (source_type === 'RUN_OUTPUT') {
    const model = String(destination_id);
    const fields = {
      ...{ source_type, source_id: model, destination_type: 'MODEL_OUTPUT', destination_id: model },
      ...{ step: whole(step), tags: {} },
    };
    return [{ path: join(OUTPUTS, model, META), kind: 'meta', usual, fields, rows: [held] }];
  }
  if (source_type === 'RUN_INPUT') {
    const model = String(destination_id);
    const path = join(INPUTS, linkId(model, String(source_id)), META);
    const fields = {
      ...{ source_type: 'MODEL', source_id: model, destination_type: 'RUN', destination_id: model },
      tags: {},
    };
    return [{ path, kind: 'meta', usual, fields, rows: [held] }];
  }
  const dataset = rows.of('datasets').find(({ named }) => named.dataset_uuid === source_id);
  if (!dataset) return [];
  const id = datasetFolder(dataset.named);
  const tags = rows.of('input_tags').filter(({ named }) => named.input_uuid === input_uuid);
  const fields = {
    ...{ source_type: 'DATASET', source_id: id, destination_type: 'RUN', destination_id: id },
    tags: Object.fromEntries(tags.map(({ named }) => [String(named.name), String(named.value)])),
  };
  const path = join(INPUTS, linkId(id, String(destination_id)), META);
  return [{ path, kind: 'meta', usual, fields, rows: [held, ...tags] }];
}

/** Points of a run's metrics, a file for each. */
export function pointEntries(table: Table, rows: readonly Row[]): Entry[] {
  const named = namer(table);
  const held = rows.map((row): Held => ({ table, row, named: named(row) }));
  return [...Map.groupBy(held, (each) => String(each.named.key))].map(
    ([key, points]): Entry => ({
      path: join(METRICS, key),
      kind: 'lines',
      lines: points.map((each) => ({ text: runLine(each.named), held: each })),
    }),
  );
}

function runLine({ timestamp, step, value, is_nan }: Named): string {
  const number = is_nan === true || is_nan === 1 ? Number.NaN : Number(infinite(value ?? null));
  return formatRunLine({ timestamp: whole(timestamp) ?? 0, step: whole(step) ?? 0, value: number });
}

// ---------------------------------------------------------------- logged models

export function modelEntries(rows: RecordRows): Entry[] {
  return [
    ...rows.of('logged_models').map((held): Entry => {
      const { named } = held;
      return {
        path: META,
        kind: 'meta',
        usual: {},
        fields: {
          artifact_location: text(named.artifact_location),
          creation_timestamp: whole(named.creation_timestamp_ms),
          experiment_id: String(named.experiment_id),
          last_updated_timestamp: whole(named.last_updated_timestamp_ms),
          lifecycle_stage: text(named.lifecycle_stage),
          model_id: String(named.model_id),
          model_type: text(named.model_type),
          name: text(named.name),
          source_run_id: text(named.source_run_id),
          status: whole(named.status),
          status_message: text(named.status_message),
        },
        rows: [held],
      };
    }),
    ...values(PARAMS, rows.of('logged_model_params'), 'param_key', 'param_value'),
    ...values(TAGS, rows.of('logged_model_tags'), 'tag_key', 'tag_value'),
  ];
}

/** Points of a logged model's metrics. */
export function modelPointEntries(table: Table, rows: readonly Row[]): Entry[] {
  const named = namer(table);
  const held = rows.map((row): Held => ({ table, row, named: named(row) }));
  return [...Map.groupBy(held, (each) => String(each.named.metric_name))].map(
    ([key, points]): Entry => ({
      path: join(METRICS, key),
      kind: 'lines',
      lines: points.map((each) => ({ text: modelLine(each.named), held: each })),
    }),
  );
}

function modelLine(named: Named): string {
  const point = {
    timestamp: whole(named.metric_timestamp_ms) ?? 0,
    step: whole(named.metric_step) ?? 0,
    value: Number(named.metric_value ?? Number.NaN),
    dataset_name: text(named.dataset_name) ?? undefined,
    dataset_digest: text(named.dataset_digest) ?? undefined,
  };
  return formatModelLine(point, String(named.run_id));
}

// ---------------------------------------------------------------- traces

export function traceEntries(rows: RecordRows): Entry[] {
  return [
    ...rows.of('trace_info').flatMap(traceInfo),
    ...values(TRACE_METADATA, rows.of('trace_request_metadata'), 'key', 'value'),
    ...values(TAGS, rows.of('trace_tags'), 'key', 'value'),
    ...spanEntries(rows.of('spans')),
    ...rows.of('assessments').map(
      (held): Entry => ({
        path: join(ASSESSMENTS, `${String(held.named.assessment_id)}.yaml`),
        kind: 'text',
        text: writtenAssessment(assessmentOf(held.named)),
        rows: [held],
      }),
    ),
  ];
}

function spanEntries(spans: readonly Held[]): Entry[] {
  if (spans.length === 0) return [];
  const began = ({ named }: Held) => BigInt(whole(named.start_time_unix_nano) ?? 0);
  const inOrder = spans.toSorted((a, b) => (began(a) < began(b) ? -1 : began(a) > began(b) ? 1 : 0));
  const lines = inOrder.map((held) => ({ text: String(held.named.content), held }));
  return [{ path: join(ARTIFACTS, TRACE_DATA), kind: 'spans', lines }];
}

/** The artifact that MLflow keeps a trace's spans in. */
export const TRACE_DATA = 'traces.json';

export const traceData = (spans: readonly string[]): string => `{"spans": [${spans.join(', ')}]}`;

function traceInfo(held: Held): Entry[] {
  const { named } = held;
  const { tags, metadata } = textsOf(named);
  const said = (folder: string, { key, value }: KeyValue): Entry => ({
    path: join(folder, key),
    kind: 'text',
    text: value,
    rows: [held],
  });
  const present = Object.entries({
    client_request_id: text(named.client_request_id),
    request_preview: text(named.request_preview),
    response_preview: text(named.response_preview),
    execution_duration_ms: whole(named.execution_time_ms),
  }).filter(([, value]) => value !== null);
  const fields = {
    trace_id: String(named.request_id),
    trace_location: {
      type: 'MLFLOW_EXPERIMENT',
      mlflow_experiment: { experiment_id: String(named.experiment_id) },
    },
    request_time: formatTimestamp(Number(named.timestamp_ms)),
    state: text(named.status),
    ...Object.fromEntries(present),
  };
  return [
    { path: TRACE_INFO, kind: 'meta', usual: {}, fields, rows: [held] },
    ...tags.map((each) => said(TAGS, each)),
    ...metadata.map((each) => said(TRACE_METADATA, each)),
  ];
}

// ---------------------------------------------------------------- registry

const ALIASES = 'aliases';

/** A registered model with its versions. */
export function registeredEntries(rows: RecordRows): Entry[] {
  const aliases = rows.of('registered_model_aliases');
  return [
    ...rows.of('registered_models').map((held): Entry => {
      const { named } = held;
      return {
        path: META,
        kind: 'meta',
        usual: {
          aliases: Object.fromEntries(aliases.map((each) => [String(each.named.alias), String(each.named.version)])),
          ...{ deployment_job_id: null, deployment_job_state: null, workspace: 'default' },
        },
        fields: {
          creation_timestamp: whole(named.creation_time),
          description: text(named.description),
          last_updated_timestamp: whole(named.last_updated_time),
          name: text(named.name),
        },
        rows: [held],
      };
    }),
    ...values(TAGS, rows.of('registered_model_tags'), 'key', 'value'),
    ...values(ALIASES, aliases, 'alias', 'version'),
    ...rows.of('model_versions').map(versionMeta),
    ...rows
      .of('model_version_tags')
      .flatMap((held) => values(join(versionFolder(held.named), TAGS), [held], 'key', 'value')),
  ];
}

const versionFolder = ({ version }: Named) => `version-${String(version)}`;

function versionMeta(held: Held): Entry {
  const { named } = held;
  return {
    path: join(versionFolder(named), META),
    kind: 'meta',
    usual: { deployment_job_state: null, model_id: null, workspace: 'default' },
    fields: {
      creation_timestamp: whole(named.creation_time),
      current_stage: text(named.current_stage),
      description: text(named.description),
      last_updated_timestamp: whole(named.last_updated_time),
      name: text(named.name),
      run_id: text(named.run_id),
      run_link: text(named.run_link),
      source: text(named.source),
      status: text(named.status),
      status_message: text(named.status_message),
      storage_location: text(named.storage_location),
      user_id: text(named.user_id),
      version: whole(named.version),
    },
    rows: [held],
  };
}
