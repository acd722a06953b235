/** Tags and metadata of traces that MLflow itself reads and writes. */

/** Kept in a column, and shown as a tag. */
export const TRACE_NAME = 'mlflow.traceName';
/** Of versions of prompts: what the trace is linked to. */
export const LINKED_PROMPTS = 'mlflow.linkedPrompts';
/** Where spans are kept; a trace without it has none yet. */
export const SPANS_LOCATION = 'mlflow.trace.spansLocation';
export const IN_STORE = 'TRACKING_STORE';
export const IN_ARCHIVE = 'ARCHIVE_REPO';
export const ARTIFACT_LOCATION = 'mlflow.artifactLocation';

/** Kept in columns, and shown as metadata. */
export const SESSION = 'mlflow.trace.session';
export const TOKEN_USAGE = 'mlflow.trace.tokenUsage';
export const COST = 'mlflow.trace.cost';
export const PROMOTED: readonly string[] = [SESSION, TOKEN_USAGE, COST];
/** Says that what the trace was started with counts, and spans add nothing to it. */
export const FINALIZED = 'mlflow.trace.infoFinalized';
export const SOURCE_RUN = 'mlflow.sourceRun';
export const SIZE_STATS = 'mlflow.trace.sizeStats';
export const USER = 'mlflow.trace.user';

/** Of an assessment: the run that made it. */
export const ASSESSED_BY_RUN = 'mlflow.assessment.sourceRunId';
