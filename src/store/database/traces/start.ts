/** Traces that begin, in a client's own words; spans can have made them before. */
import { randomBytes } from 'node:crypto';
import { type Insertable, sql } from 'kysely';
import { appendToUri } from '../../artifact-uri.js';
import { StoreError } from '../../errors.js';
import type { TraceInfo } from '../../records.js';
import type { Traces } from '../../store.js';
import { withinLength } from '../../validate.js';
import { activeExperiment } from '../active-experiment.js';
import type { Context } from '../context.js';
import { analyticsOf } from './analytics.js';
import { type AssessmentRow, assessmentRow } from './assessment-rows.js';
import { ARTIFACT_LOCATION, FINALIZED, IN_STORE, PROMOTED, SPANS_LOCATION, TRACE_NAME } from './keys.js';
import { type Db, findTrace, lockTraces, traceOf, traceRow, type TraceRow } from './rows.js';
