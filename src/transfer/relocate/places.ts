/** Where MLflow keeps URIs of artifacts: columns of its tables up to 3.18. */
import { columnsOf } from '../../rows/values.js';
import type { Table } from '../../schema/model.js';

export interface Place {
  readonly table: string;
  readonly column: string;
  /** Only in rows of these keys. */
  readonly keys?: readonly string[];
  /**
   * What lies there is the row's own. A root is where things to come will lie, and a folder of experiments of a file store
   * holds more than artifacts.
   */
  readonly isOwn: boolean;
}

/** Tags of traces: where their spans are files, and where they were put when they were archived. */
export const TRACE_LOCATION_TAGS: readonly string[] = ['mlflow.artifactLocation', 'mlflow.trace.archiveLocation'];

export const PLACES: readonly Place[] = [
  { table: 'workspaces', column: 'default_artifact_root', isOwn: false },
  { table: 'workspaces', column: 'trace_archival_location', isOwn: false },
  { table: 'experiments', column: 'artifact_location', isOwn: false },
  { table: 'runs', column: 'artifact_uri', isOwn: true },
  { table: 'logged_models', column: 'artifact_location', isOwn: true },
  { table: 'model_versions', column: 'source', isOwn: true },
  { table: 'model_versions', column: 'storage_location', isOwn: true },
  { table: 'trace_tags', column: 'value', keys: TRACE_LOCATION_TAGS, isOwn: true },
];

/** A place in the rows of a table. */
export interface PlaceInRows {
  readonly place: Place;
  /** `table.column`, and of tags the keys. */
  readonly name: string;
  readonly at: number;
  /** Where the key is; -1 where rows have none. */
  readonly keyAt: number;
}

export function placesIn(table: Table): readonly PlaceInRows[] {
  const columns = columnsOf(table).map(({ name }) => name);
  return PLACES.filter((place) => place.table === table.name && columns.includes(place.column)).map((place) => ({
    place,
    name: nameOf(place),
    at: columns.indexOf(place.column),
    keyAt: place.keys ? columns.indexOf('key') : -1,
  }));
}

const nameOf = ({ table, column, keys }: Place) =>
  keys ? `${table}.${column} of ${keys.join(', ')}` : `${table}.${column}`;
