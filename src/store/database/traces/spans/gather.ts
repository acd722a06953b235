/** What the spans of one batch say of their trace. */
import { StoreError } from '../../../errors.js';
import type { Json } from '../../../records.js';
import { writeJson } from '../../../search/index.js';
import { COSTS, finite, TOKENS, tokenCount } from '../analytics.js';
import { TRACE_NAME } from '../keys.js';
import type { TraceRow } from '../rows.js';
import { checkTraceName } from '../start.js';
import { traceTag } from '../tags.js';
import { costsOf, type Node, tokensOf } from './aggregate.js';
import type { Incoming } from './incoming.js';
import { textIn } from './json.js';
import { INPUTS, OUTPUTS } from './keys.js';
import { preview } from './preview.js';

/** Attributes of a root that are tags of the trace. */
const TAG = 'mlflow.traceTag.';

export interface Gathered {
  readonly traceId: string;
  /** Each once: the last one counts. */
  readonly spans: readonly Incoming[];
  /** Integer milliseconds since the epoch. */
  readonly start: number;
  readonly end: number | null;
  /** Of the root, where it is among these. */
  readonly state: 'OK' | 'ERROR' | undefined;
  readonly root: Incoming | undefined;
  readonly session: string | undefined;
  readonly user: string | undefined;
  readonly tags: Readonly<Record<string, string>>;
  readonly hasTokens: boolean;
  readonly hasCost: boolean;
}

/** @param batch spans of one trace, in the order in which they came. @param truncate whether values of tags may be cut */
export function gathered(batch: readonly Incoming[], truncate: boolean): Gathered {
  const roots = batch.filter(({ parent }) => parent === null);
  const ends = batch.flatMap(({ end }) => (end === null ? [] : [end]));
  const [root] = roots;
  return {
    traceId: batch[0]?.traceId ?? '',
    spans: [...new Map(batch.map((span) => [span.id, span])).values()],
    start: milliseconds(batch.map(({ start }) => start).reduce((a, b) => (b < a ? b : a))),
    end: ends.length === 0 ? null : milliseconds(ends.reduce((a, b) => (b > a ? b : a))),
    state: root && (root.failed ? 'ERROR' : 'OK'),
    root: roots.at(-1),
    session: batch.find(({ session }) => session !== undefined)?.session,
    user: batch.find(({ user }) => user !== undefined)?.user,
    tags: { ...resourceTags(batch, truncate), ...rootTags(roots, truncate) },
    hasTokens: tokensOf(batch.map(({ tokens }) => tokens)) !== undefined,
    hasCost: costsOf(batch.map(({ cost }) => cost)) !== undefined,
  };
}

const milliseconds = (nanoseconds: bigint) => Number(nanoseconds / 1_000_000n);

/** What made the spans, as `service.name`; names that are OpenTelemetry's own, or MLflow's, are not taken. */
function resourceTags(batch: readonly Incoming[], truncate: boolean): Record<string, string> {
  const resource = batch.find((span) => Object.keys(span.resource).length > 0)?.resource ?? {};
  const own = Object.entries(resource).filter(
    ([key]) => !key.startsWith('telemetry.sdk.') && !key.startsWith('mlflow.'),
  );
  return valid(own, truncate);
}

function rootTags(roots: readonly Incoming[], truncate: boolean): Record<string, string> {
  const tags = roots.flatMap(({ attributes }) =>
    Object.entries(attributes).flatMap(([key, value]): [string, Json][] =>
      key.startsWith(TAG) ? [[key.slice(TAG.length), textIn(value) ?? null]] : [],
    ),
  );
  const found = valid(tags, truncate);
  if (found[TRACE_NAME] !== undefined) checkTraceName(found[TRACE_NAME]);
  return found;
}

/** A tag that cannot be one is left out, and not worth losing spans for. */
function valid(tags: readonly (readonly [string, Json])[], truncate: boolean): Record<string, string> {
  return Object.fromEntries(
    tags.flatMap(([key, value]) => {
      try {
        return [[key, traceTag(key, typeof value === 'string' ? value : writeJson(value), truncate)]];
      } catch (error) {
        if (error instanceof StoreError) return [];
        throw error;
      }
    }),
  );
}

/** What is known of a trace beside its row, when spans of it come in. */
export interface Known {
  /** Whether a client has started it, and what it said counts. */
  readonly finalized: boolean;
  /** Spans that came before. */
  readonly tokens: readonly Node[];
  readonly cost: readonly Node[];
}

type Change = Partial<Record<keyof TraceRow, string | number | null>>;

/** Whether what a client said of tokens counts, or else of cost. */
export const isAuthoritative = (row: TraceRow, columns: typeof TOKENS | typeof COSTS, finalized: boolean) =>
  finalized && columns.some((column) => row[column] !== null);

/** Columns of the trace that the spans change. */
export function changeOf(row: TraceRow, trace: Gathered, known: Known): Change {
  const { root, state, session } = trace;
  return {
    ...(known.finalized ? {} : timesOf(row, trace)),
    ...(state !== undefined && ['IN_PROGRESS', 'STATE_UNSPECIFIED'].includes(row.status) && { status: state }),
    ...previewOf(row, 'request_preview', root?.attributes[INPUTS]),
    ...previewOf(row, 'response_preview', root?.attributes[OUTPUTS]),
    ...(trace.tags[TRACE_NAME] !== undefined && { trace_name: trace.tags[TRACE_NAME] }),
    ...(trace.hasTokens && !isAuthoritative(row, TOKENS, known.finalized) && tokenColumns(trace, known.tokens)),
    ...(trace.hasCost && !isAuthoritative(row, COSTS, known.finalized) && costColumns(trace, known.cost)),
    ...(session !== undefined && row.session_id === null && { session_id: session }),
  };
}

function timesOf(row: TraceRow, { start, end }: Gathered): Change {
  const timestamp_ms = Math.min(row.timestamp_ms, start);
  if (end === null) return { timestamp_ms };
  const before = row.execution_time_ms === null ? end : row.timestamp_ms + row.execution_time_ms;
  return { timestamp_ms, execution_time_ms: Math.max(before, end) - timestamp_ms };
}

function previewOf(row: TraceRow, column: 'request_preview' | 'response_preview', value: Json | undefined): Change {
  if (row[column] !== null || !value) return {};
  const text = preview(value, column === 'request_preview' ? 'user' : 'assistant');
  return text === undefined ? {} : { [column]: text };
}

function tokenColumns({ spans }: Gathered, earlier: readonly Node[]): Change {
  const totals = tokensOf([...spans.map(({ tokens }) => tokens), ...earlier]) ?? {};
  return counted(TOKENS, totals, tokenCount);
}

function costColumns({ spans }: Gathered, earlier: readonly Node[]): Change {
  const totals = costsOf([...spans.map(({ cost }) => cost), ...earlier]) ?? {};
  return counted(COSTS, totals, finite);
}

const counted = (
  columns: readonly string[],
  totals: Readonly<Record<string, bigint | number>>,
  read: (value: Json | undefined) => string | number | null,
): Change =>
  Object.fromEntries(
    columns.flatMap((column) => {
      const value = read(totals[column]);
      return value === null ? [] : [[column, value]];
    }),
  );
