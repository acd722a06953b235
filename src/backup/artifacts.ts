/**
 * Whether the artifacts are there that a restored backup refers to: those of logged models and of model versions that are
 * ready. A run without artifacts is nothing unusual, so that runs alone say nothing.
 */
import pLimit from 'p-limit';
import type { BackupContext } from '../dialect/backups.js';
import type { Database } from '../dialect/dialect.js';
import type { Session } from '../dialect/session.js';
import { interrupted } from '../dialect/tools.js';
import { MtrackError, messageOf } from '../errors.js';
import type { Schema } from '../schema/model.js';

export interface ArtifactsReport {
  /** Places that were looked at. */
  readonly looked: number;
  /** Places where nothing is. */
  readonly missing: readonly Place[];
  /** Places that nothing here leads to, or that did not answer, and why. */
  readonly unknown: readonly (Place & { readonly because: string })[];
}

export interface Place {
  /** The model or version whose it is. */
  readonly of: string;
  readonly uri: string;
}

export interface LookOptions extends BackupContext {
  /** What is directly at a place. */
  readonly list: (uri: string) => Promise<readonly unknown[]>;
  readonly patience: number;
}

const AT_ONCE = 8;

/** @throws {MtrackError} BACKUP_ARTIFACTS, INTERRUPTED */
export async function lookAtArtifacts(path: string, scratch: Database, options: LookOptions): Promise<ArtifactsReport> {
  const session = await scratch.reader(options.patience);
  const places = await placesIn(session, scratch).finally(() => session.close());
  const limit = pLimit(AT_ONCE);
  const missing: Place[] = [];
  const unknown: (Place & { because: string })[] = [];
  let done = 0;
  const look = async (place: Place) => {
    if (options.signal.aborted) throw interrupted(options.signal);
    try {
      if ((await options.list(place.uri)).length === 0) missing.push(place);
    } catch (error) {
      unknown.push({ ...place, because: messageOf(error) });
    }
    options.onProgress({ what: 'artifacts', done: ++done, total: places.length, unit: 'rows' });
  };
  await Promise.all(places.map((place) => limit(look, place)));
  const report = { looked: places.length, missing, unknown };
  if (missing.length > 0) throw gone(path, report);
  return report;
}

async function placesIn(session: Session, { dialect }: Database): Promise<Place[]> {
  const schema = await dialect.readCatalog(session);
  const id = dialect.words.id;
  const has = (table: string, ...columns: string[]) => hasColumns(schema, table, columns);
  const places = new Map<string, string>();
  if (has('logged_models', 'artifact_location', 'lifecycle_stage')) {
    const rows = await session.rows<{ k: string; uri: string; stage: string | null; status: number | string }>(
      `SELECT ${id('model_id')} AS k, ${id('artifact_location')} AS uri, ${id('lifecycle_stage')} AS stage, ${id('status')} AS status FROM ${id('logged_models')}`,
    );
    for (const { k, uri, stage, status } of rows)
      if (stage !== 'deleted' && Number(status) === READY) places.set(uri, `logged model ${k}`);
  }
  if (has('model_versions', 'source', 'current_stage')) {
    const stored = has('model_versions', 'storage_location') ? id('storage_location') : 'NULL';
    const rows = await session.rows<Version>(
      `SELECT ${id('name')} AS name, ${id('version')} AS version, ${id('source')} AS source, ${stored} AS stored, ${id('current_stage')} AS stage, ${id('status')} AS status FROM ${id('model_versions')}`,
    );
    for (const { name, version, source, stored: at, stage, status } of rows) {
      const uri = at ?? source;
      // What refers to a run or another model has its files there; a prompt has none.
      if (stage === DELETED || status !== 'READY' || uri === null || /^(?:models|runs):|^dummy-source$/.test(uri))
        continue;
      if (!places.has(uri)) places.set(uri, `version ${version} of ${name}`);
    }
  }
  return [...places].map(([uri, of]) => ({ of, uri }));
}

interface Version {
  readonly name: string;
  readonly version: number | string;
  readonly source: string | null;
  readonly stored: string | null;
  readonly stage: string | null;
  readonly status: string | null;
}

/** As MLflow numbers the states of a logged model, and as it calls the stage of a version that was deleted. */
const READY = 2;
const DELETED = 'Deleted_Internal';

const hasColumns = ({ tables }: Schema, table: string, columns: readonly string[]) =>
  columns.every((each) => tables.get(table)?.columns.some(({ name }) => name === each) ?? false);

const NAMED = 10;

function gone(path: string, report: ArtifactsReport): MtrackError {
  const { missing } = report;
  const named = missing.slice(0, NAMED).map(({ of, uri }) => `${of}: nothing is at ${uri}`);
  return new MtrackError('BACKUP_ARTIFACTS', {
    found: [
      `${missing.length} of ${report.looked} places that ${path} refers to have no artifacts:`,
      ...named,
      ...(missing.length > NAMED ? [`and ${missing.length - NAMED} more`] : []),
    ].join('\n'),
    expected: 'the artifacts of every model that is ready: a database alone brings them not back',
    fix: ['restore them from a backup of the artifacts', 'or leave out --artifacts, if they are known to be gone'],
    details: { artifacts: report },
  });
}
