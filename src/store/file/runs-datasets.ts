/** Which datasets were logged in experiments. */
import type { DatasetSummary } from '../records.js';
import type { Context } from './context.js';
import { neededExperiment } from './find.js';
import { readInputs, readRun } from './read-run.js';
import { readEach } from './reading.js';
import { runFolders } from './walk.js';

const MOST = 1000;
const CONTEXT = 'mlflow.data.context';

/** Each dataset once for each context, in any order; those of deleted runs, too. */
export async function searchDatasets(context: Context, ids: readonly string[]): Promise<readonly DatasetSummary[]> {
  const found = new Map<string, DatasetSummary>();
  for (const experiment_id of ids) {
    const folder = neededExperiment(context, experiment_id);
    const runs = await readEach(context, runFolders(context.files, folder), (run, report) =>
      readRun(context.files, run) ? readInputs(context.files, run, report).dataset_inputs : undefined,
    );
    for (const { dataset, tags } of runs.flat()) {
      const summary: DatasetSummary = {
        experiment_id,
        name: dataset.name,
        digest: dataset.digest,
        context: tags.find(({ key }) => key === CONTEXT)?.value,
      };
      found.set(JSON.stringify(summary), summary);
      if (found.size === MOST) return [...found.values()];
    }
  }
  return [...found.values()];
}
