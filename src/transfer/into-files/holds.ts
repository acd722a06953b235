/** What a file store has a place for, and what it has none for: tables, and rows of the tables that it has. */
import type { Row, Value } from '../../rows/values.js';
import type { Table } from '../../schema/model.js';
import { StoreError } from '../../store/errors.js';
import { isName, NO_RUNS } from '../../store/file/writer.js';
import { LOGGED_MODEL_STATUSES, MODEL_STAGES, RUN_STATUSES } from '../../store/records.js';
import { readJsonText } from '../../store/search/index.js';
import { validateName, validateRunId } from '../../store/validate.js';
import { type Named, namer } from '../named.js';

/** Says why a file store cannot hold a row; null where it can. */
type Refusal = (row: Named) => string | null;

/** Bytes of a name in a folder: what file systems take. */
const LONGEST_NAME = 255;

/** The path of a file that is called by a key. */
function keyRefusal(column: string): Refusal {
  return (row) => {
    const key = String(row[column]);
    try {
      validateName(key, column);
    } catch (error) {
      if (error instanceof StoreError) return `${column} is no name that a file can have`;
      throw error;
    }
    const isLong = key.split('/').some((part) => Buffer.byteLength(part) > LONGEST_NAME);
    return isLong ? `${column} is longer than the name of a file` : null;
  };
}

const nameRefusal =
  (column: string): Refusal =>
  (row) => {
    const name = String(row[column]);
    if (!isName(name)) return `${column} is no name that a folder can have`;
    return Buffer.byteLength(name) > LONGEST_NAME ? `${column} is longer than the name of a folder` : null;
  };

const oneOf = (column: string, words: readonly Value[]): Refusal => {
  const known = new Set<Value>([...words, null]);
  return (row) =>
    known.has(row[column] ?? null) ? null : `${column} is ${String(row[column])}, which files do not know`;
};

const all =
  (...refusals: readonly Refusal[]): Refusal =>
  (row) => {
    for (const refusal of refusals) {
      const reason = refusal(row);
      if (reason !== null) return reason;
    }
    return null;
  };

const oneWorkspace: Refusal = ({ workspace }) =>
  workspace === undefined || workspace === 'default'
    ? null
    : `is of workspace ${String(workspace)}: files have but one`;

const runRefusal: Refusal = ({ run_uuid }) => {
  const id = String(run_uuid);
  try {
    validateRunId(id);
  } catch (error) {
    if (error instanceof StoreError) return 'run_uuid is no id that a run of a file store can have';
    throw error;
  }
  return NO_RUNS.includes(id) ? 'run_uuid is the name of a folder that is no run' : null;
};

const experimentRefusal: Refusal = ({ experiment_id }) =>
  /^\d{1,64}$/.test(String(experiment_id)) ? null : 'experiment_id is none that a file store can have';

/** Links of which files know both ends. */
const LINKS = ['DATASET RUN', 'RUN_INPUT MODEL_INPUT', 'RUN_OUTPUT MODEL_OUTPUT'];
const linkRefusal: Refusal = ({ source_type, destination_type }) =>
  LINKS.includes(`${source_type} ${destination_type}`)
    ? null
    : `files have no links of ${source_type} to ${destination_type}`;

/** MLflow takes its lines apart at blanks. */
const measuredOn: Refusal = ({ dataset_name, dataset_digest }) => {
  if ((dataset_name === null) !== (dataset_digest === null)) return 'has a dataset by half';
  const parts = [dataset_name, dataset_digest];
  return parts.some((part) => part === '' || /\s/u.test(String(part)))
    ? 'dataset_name or dataset_digest is empty or has a blank, which lines of metrics cannot hold'
    : null;
};

const LAST_TIME = 8.64e15;
const timeRefusal = (column: string): Refusal => {
  return (row) => (Math.abs(Number(row[column])) <= LAST_TIME ? null : `${column} is beyond what a date can be`);
};

const STATES = ['STATE_UNSPECIFIED', 'OK', 'ERROR', 'IN_PROGRESS'];
const VERSION_STATUSES = ['READY', 'PENDING_REGISTRATION', 'FAILED_REGISTRATION'];

const modelName = all(nameRefusal('name'), ({ name }) =>
  /[%:]/.test(String(name)) ? 'name has a character that a registered model of a file store cannot have' : null,
);

/** The tables that files hold, and which of their rows they do not. */
const HELD: Readonly<Record<string, Refusal>> = {
  experiments: all(oneWorkspace, experimentRefusal),
  experiment_tags: keyRefusal('key'),
  datasets: () => null,
  runs: all(runRefusal, oneOf('status', RUN_STATUSES)),
  params: keyRefusal('key'),
  tags: keyRefusal('key'),
  metrics: keyRefusal('key'),
  latest_metrics: keyRefusal('key'),
  inputs: all(linkRefusal, (row) => (row.source_type === 'DATASET' ? null : nameRefusal('destination_id')(row))),
  input_tags: () => null,
  logged_models: all(
    nameRefusal('model_id'),
    oneOf(
      'status',
      LOGGED_MODEL_STATUSES.map((_, at) => at),
    ),
  ),
  logged_model_params: keyRefusal('param_key'),
  logged_model_tags: keyRefusal('tag_key'),
  logged_model_metrics: all(keyRefusal('metric_name'), measuredOn),
  trace_info: all(nameRefusal('request_id'), oneOf('status', STATES), timeRefusal('timestamp_ms')),
  trace_tags: keyRefusal('key'),
  trace_request_metadata: keyRefusal('key'),
  spans: ({ content }) => (readJsonText(String(content)) === undefined ? 'content is no JSON' : null),
  assessments: all(
    nameRefusal('assessment_id'),
    timeRefusal('created_timestamp'),
    timeRefusal('last_updated_timestamp'),
  ),
  registered_models: all(oneWorkspace, modelName),
  registered_model_tags: all(oneWorkspace, keyRefusal('key')),
  registered_model_aliases: all(oneWorkspace, keyRefusal('alias')),
  model_versions: all(
    oneWorkspace,
    oneOf('status', VERSION_STATUSES),
    oneOf('current_stage', [...MODEL_STAGES, 'Deleted_Internal']),
  ),
  model_version_tags: all(oneWorkspace, keyRefusal('key')),
};

export const isHeld = (table: string): boolean => Object.hasOwn(HELD, table);

/** For a Sieve: why files cannot hold a row. */
export function fileRefusals(): (table: Table, row: Row) => string | null {
  const namers = new Map<string, (row: Row) => Named>();
  return (table, row) => {
    const refusal = HELD[table.name];
    if (!refusal) return null;
    let named = namers.get(table.name);
    if (!named) {
      named = namer(table);
      namers.set(table.name, named);
    }
    return refusal(named(row));
  };
}
