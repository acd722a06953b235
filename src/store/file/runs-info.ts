/** What of a run's meta.yaml changes while it is active. */
import { join } from 'node:path';
import type { RunInfo } from '../records.js';
import type { Runs } from '../store.js';
import { Changes } from './changes.js';
import type { Context } from './context.js';
import { META } from './layout.js';
import type { StoredRun } from './read-run.js';
import { rewrittenRun } from './write-meta.js';
import { commit } from './writing.js';

/** What is empty changes nothing. */
export async function changeInfo(
  context: Context,
  stored: StoredRun,
  { status, end_time, run_name }: Parameters<Runs['update']>[1],
): Promise<RunInfo> {
  const { info, folder } = stored;
  const changed: RunInfo = {
    ...info,
    status: status ?? info.status,
    end_time: end_time || info.end_time,
    run_name: run_name || (info.run_name ?? ''),
  };
  const changes = new Changes(folder, context.syncsAll);
  changes.putMeta(join(folder, META), rewrittenRun(stored, changed));
  await commit(changes);
  return changed;
}
