/** Assessments of traces: a file for each. */
import { rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { invalidParameter, StoreError } from '../errors.js';
import type { Assessment } from '../records.js';
import type { AssessmentChange, NewAssessment } from '../store.js';
import { Changes, codeOf } from './changes.js';
import type { Context } from './context.js';
import { notFound } from './find.js';
import { isName, newId, validatePathName } from './ids.js';
import { ASSESSMENTS } from './layout.js';
import { readAssessment } from './read-assessment.js';
import { readWhole } from './reading.js';
import { neededTraceFolder } from './traces-read.js';
import { writtenAssessment } from './write-assessment.js';
import { commit, removeFile } from './writing.js';

/** Ids and times that are given stay. The assessment that this one overrides is valid no more. */
export async function createAssessment(context: Context, given: NewAssessment): Promise<Assessment> {
  const folder = neededTraceFolder(context, given.trace_id);
  const time = context.now();
  const assessment: Assessment = {
    ...given,
    assessment_id: given.assessment_id ?? `a-${newId()}`,
    create_time: given.create_time ?? time,
    last_update_time: given.last_update_time ?? time,
    valid: given.valid ?? true,
  };
  validatePathName(assessment.assessment_id, 'assessment_id');
  if (assessment.overrides) {
    const overridden = await getAssessment(context, given.trace_id, assessment.overrides);
    await put(context, folder, { ...overridden, valid: false });
  }
  await put(context, folder, assessment);
  return assessment;
}

const pathOf = (folder: string, id: string): string => join(folder, ASSESSMENTS, `${id}.yaml`);

function put(context: Context, folder: string, assessment: Assessment): Promise<void> {
  const changes = new Changes(folder, context.syncsAll);
  changes.putMeta(pathOf(folder, assessment.assessment_id), writtenAssessment(assessment));
  return commit(changes);
}

export function getAssessment(context: Context, traceId: string, id: string): Promise<Assessment> {
  return readWhole(context, () => {
    const folder = neededTraceFolder(context, traceId);
    const found = isName(id) ? context.files.read(pathOf(folder, id), readAssessment) : undefined;
    if (found === undefined) throw notFound(`Assessment with ID '${id}' not found for trace '${traceId}'`);
    return found;
  });
}

/** What is not given stays; metadata is added to what there is. */
export async function updateAssessment(
  context: Context,
  traceId: string,
  id: string,
  change: AssessmentChange,
): Promise<Assessment> {
  const existing = await getAssessment(context, traceId, id);
  const { assessment_name, expectation, feedback, rationale, metadata } = change;
  if (expectation !== undefined && feedback !== undefined) {
    throw invalidParameter('Cannot specify both `expectation` and `feedback` parameters.');
  }
  if (expectation !== undefined && existing.expectation === undefined) {
    throw invalidParameter('Cannot update expectation value on a Feedback assessment.');
  }
  if (feedback !== undefined && existing.feedback === undefined) {
    throw invalidParameter('Cannot update feedback value on an Expectation assessment.');
  }
  const merged = { ...existing.metadata, ...metadata };
  const updated: Assessment = {
    ...existing,
    assessment_name: assessment_name ?? existing.assessment_name,
    ...(expectation && { expectation }),
    ...(feedback && { feedback }),
    rationale: rationale ?? existing.rationale,
    metadata: Object.keys(merged).length > 0 ? merged : undefined,
    last_update_time: context.now(),
  };
  await put(context, neededTraceFolder(context, traceId), updated);
  return updated;
}

/** The assessment that this one overrode is valid again. One that is not there is deleted. */
export async function deleteAssessment(context: Context, traceId: string, id: string): Promise<void> {
  const folder = neededTraceFolder(context, traceId);
  if (!isName(id)) return;
  const overridden = await overriddenBy(context, traceId, id);
  if (!removeFile(pathOf(folder, id))) return;
  removeIfEmpty(join(folder, ASSESSMENTS));
  if (overridden) await put(context, folder, { ...overridden, valid: true, last_update_time: context.now() });
}

/** What cannot be read can be deleted all the same. */
async function overriddenBy(context: Context, traceId: string, id: string): Promise<Assessment | undefined> {
  try {
    const { overrides } = await getAssessment(context, traceId, id);
    return overrides ? await getAssessment(context, traceId, overrides) : undefined;
  } catch (error) {
    if (error instanceof StoreError) return undefined;
    throw error;
  }
}

function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch (error) {
    if (!['ENOTEMPTY', 'EEXIST', 'ENOENT'].includes(codeOf(error) ?? '')) throw error;
  }
}
