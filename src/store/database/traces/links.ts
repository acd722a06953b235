/** What traces are linked to: runs, and versions of prompts. */
import { randomBytes } from 'node:crypto';
import { invalidParameter } from '../../errors.js';
import type { Traces } from '../../store.js';
import type { Context } from '../context.js';
import { insertRows } from '../statements.js';
import { traceRow } from './rows.js';
import { inOrder, LINK } from './shapes.js';

const MOST_TRACES = 100;

export function traceLinks(context: Context): Pick<Traces, 'linkToRun' | 'linkPrompts'> {
  const { pool, now } = context;
  const link = (traceId: string, to: string, id: string) =>
    inOrder(LINK, {
      association_id: randomBytes(16).toString('hex'),
      source_type: 'trace',
      source_id: traceId,
      destination_type: to,
      destination_id: id,
      created_time: now(),
    });
  return {
    linkToRun: async (traceIds, runId) => {
      if (traceIds.length > MOST_TRACES) {
        throw invalidParameter(
          `Cannot link more than ${MOST_TRACES} traces to a run in a single request. Provided ${traceIds.length} traces.`,
        );
      }
      const rows = [...new Set(traceIds)].map((id) => link(id, 'run', runId));
      await pool.write((db) => insertRows(context, db, LINK, rows));
    },
    linkPrompts: async (traceId, prompts) => {
      if (prompts.length === 0) return;
      const ids = new Set(prompts.map(({ name, version }) => `${name}/${version}`));
      const rows = [...ids].map((id) => link(traceId, 'prompt_version', id));
      await pool.write(async (db) => {
        await traceRow(context, db, traceId);
        await insertRows(context, db, LINK, rows);
      });
    },
  };
}
