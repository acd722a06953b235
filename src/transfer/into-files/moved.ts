/** A file store that was moved: the tags by which its traces name the folders of their spans say where those were. */
import { join } from 'node:path';
import { sql } from 'kysely';
import type { Database } from '../../dialect/dialect.js';
import type { Value } from '../../rows/values.js';
import { ARTIFACTS, TRACES } from '../../store/file/reader.js';

/** Where MLflow looks for the artifacts of a trace. */
export const ARTIFACT_LOCATION = 'mlflow.artifactLocation';

/** The folder of a trace's artifacts, of which its spans are one. */
export const traceArtifacts = (root: string, experiment: string, trace: string): string =>
  join(root, experiment, TRACES, trace, ARTIFACTS);

/**
 * Makes the rows of a target say where the folders are now, so that they are not taken for different from what is to be put
 * there; files that say otherwise are then written anew.
 * @param traces whose spans an import puts there
 */
export async function movedHere(database: Database, root: string, traces: ReadonlySet<Value>): Promise<void> {
  if (traces.size === 0) return;
  const key = sql.raw(database.dialect.words.id('key'));
  const session = await database.worker();
  try {
    const tags = await session.rows<{ trace: string; experiment: number; value: string }>(
      sql`SELECT t.request_id AS trace, i.experiment_id AS experiment, t.value AS value
        FROM trace_tags t JOIN trace_info i ON i.request_id = t.request_id WHERE t.${key} = ${ARTIFACT_LOCATION}`,
    );
    for (const { trace, experiment, value } of tags) {
      const [here, there] = [root, ''].map((folder) => traceArtifacts(folder, String(experiment), trace));
      if (!traces.has(trace) || value === here || !value.endsWith(`/${there}`)) continue;
      await session.run(
        sql`UPDATE trace_tags SET value = ${here} WHERE request_id = ${trace} AND ${key} = ${ARTIFACT_LOCATION}`,
      );
    }
  } finally {
    await session.close();
  }
}
