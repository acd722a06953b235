/** What is thought of a trace: by a person, a model or a program. One can take the place of another. */
import { invalidParameter, StoreError } from '../../errors.js';
import type { Assessment } from '../../records.js';
import type { AssessmentChange, Traces } from '../../store.js';
import type { Context } from '../context.js';
import { DuplicateKey } from '../faults.js';
import { insertRows } from '../statements.js';
import { type AssessmentRow, assessmentOf, assessmentRow, contentColumns, metadataColumn } from './assessment-rows.js';
import { type Db, lockedTraceRows, noTrace, traceRows } from './rows.js';
import { ASSESSMENT, inOrder } from './shapes.js';

type Nouns = Pick<Traces, 'createAssessment' | 'getAssessment' | 'updateAssessment' | 'deleteAssessment'>;

export function assessments(context: Context): Nouns {
  const { pool, now } = context;
  return {
    createAssessment: async (assessment) => {
      const { trace_id, overrides } = assessment;
      try {
        return await pool.write(async (db) => {
          const [trace] = await lockedTraceRows(context, db, [trace_id]);
          if (trace === undefined) throw noTrace(trace_id);
          const row = assessmentRow(assessment, { ...trace, trace_id }, now());
          if (overrides) await invalidate(db, trace_id, overrides);
          await insertRows(context, db, ASSESSMENT, [inOrder(ASSESSMENT, { ...row })]);
          return assessmentOf(row);
        });
      } catch (error) {
        if (!(error instanceof DuplicateKey)) throw error;
        const message = `Failed to create assessment for trace '${trace_id}' due to a constraint violation.`;
        throw new StoreError('INTERNAL_ERROR', message, { cause: error });
      }
    },

    getAssessment: (traceId, assessmentId) =>
      pool.read(async (db) => assessmentOf(await rowOf(context, db, traceId, assessmentId))),

    updateAssessment: (traceId, assessmentId, change) =>
      pool.write(async (db) => {
        const row = await rowOf(context, db, traceId, assessmentId);
        const columns = changedColumns(assessmentOf(row), change, now());
        await db
          .updateTable('assessments')
          .set(columns)
          .where('trace_id', '=', traceId)
          .where('assessment_id', '=', assessmentId)
          .execute();
        return assessmentOf({ ...row, ...columns });
      }),

    deleteAssessment: (traceId, assessmentId) =>
      pool.write(async (db) => {
        const row = await find(db, traceId, assessmentId);
        if (row === undefined) return;
        if (row.overrides !== null) {
          await db.updateTable('assessments').set({ valid: true }).where('assessment_id', '=', row.overrides).execute();
        }
        await db.deleteFrom('assessments').where('assessment_id', '=', assessmentId).execute();
      }),
  };
}

const noAssessment = (traceId: string, assessmentId: string) =>
  new StoreError('RESOURCE_DOES_NOT_EXIST', `Assessment with ID '${assessmentId}' not found for trace '${traceId}'`);

async function invalidate(db: Db, traceId: string, assessmentId: string): Promise<void> {
  const { numUpdatedRows } = await db
    .updateTable('assessments')
    .set({ valid: false })
    .where('trace_id', '=', traceId)
    .where('assessment_id', '=', assessmentId)
    .executeTakeFirst();
  if (numUpdatedRows === 0n) throw noAssessment(traceId, assessmentId);
}

const find = (db: Db, traceId: string, assessmentId: string): Promise<AssessmentRow | undefined> =>
  db
    .selectFrom('assessments')
    .selectAll()
    .where('trace_id', '=', traceId)
    .where('assessment_id', '=', assessmentId)
    .executeTakeFirst();

async function rowOf(context: Context, db: Db, traceId: string, assessmentId: string): Promise<AssessmentRow> {
  const row = await find(db, traceId, assessmentId);
  if (row) return row;
  const [trace] = await traceRows(context, db, [traceId]);
  if (trace) throw noAssessment(traceId, assessmentId);
  throw new StoreError('RESOURCE_DOES_NOT_EXIST', `Trace with request_id '${traceId}' not found`);
}

/** What is given changes; metadata is added to what there is. */
function changedColumns(old: Assessment, change: AssessmentChange, now: number): Partial<AssessmentRow> {
  const { assessment_name, feedback, expectation, rationale, metadata } = change;
  if (feedback !== undefined && expectation !== undefined) {
    throw invalidParameter('Cannot specify both `expectation` and `feedback` parameters.');
  }
  if (expectation !== undefined && old.expectation === undefined) {
    throw invalidParameter('Cannot update expectation value on a Feedback assessment.');
  }
  if (feedback !== undefined && old.feedback === undefined) {
    throw invalidParameter('Cannot update feedback value on an Expectation assessment.');
  }
  if (old.issue !== undefined) throw invalidParameter('Cannot update an assessment that refers to an issue.');
  const content =
    old.expectation === undefined
      ? { feedback: feedback ?? old.feedback }
      : { expectation: expectation ?? old.expectation };
  return {
    ...contentColumns(content),
    name: assessment_name ?? old.assessment_name,
    last_updated_timestamp: now,
    // An expectation has none.
    rationale: old.expectation === undefined ? (rationale ?? old.rationale ?? null) : null,
    assessment_metadata: metadataColumn({ ...old.metadata, ...metadata }),
  };
}
