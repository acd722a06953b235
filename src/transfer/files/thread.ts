/** A thread of its own that reads runs of a file store; see threads.ts. */
import { parentPort, workerData } from 'node:worker_threads';
import { lineOf } from '../../rows/json.js';
import type { Damage } from '../../store/file/reader.js';
import { type FileReading, rowsOfRuns } from './read.js';
import type { ThreadData, Told } from './threads.js';

const { root, schema, credit } = workerData as ThreadData;

parentPort?.on('message', (folders: readonly string[]) => {
  const tell = (told: Told) => parentPort?.postMessage(told);
  const lacking = new Map<string, number>();
  const reading: FileReading = {
    ...{ root, schema, lacking },
    report: ({ fault, passing, slight }: Damage) => tell({ kind: 'damage', fault, passing, slight }),
    // Nothing is lost with a run but what is reported.
    lost: () => undefined,
    repeated: (table, lines) => tell({ kind: 'repeated', table, lines }),
  };
  for (const { table, rows } of rowsOfRuns(folders, reading)) {
    while (Atomics.load(credit, 0) <= 0) Atomics.wait(credit, 0, 0);
    Atomics.sub(credit, 0, 1);
    tell({ kind: 'rows', table: table.name, lines: rows.map(lineOf).join('\n') });
  }
  tell({ kind: 'end', lacking });
});
