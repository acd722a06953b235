/** Whether a file store holds every row that was to be put into it: all of it is read back. */
import type { Database } from '../../dialect/dialect.js';
import type { Session } from '../../dialect/session.js';
import { Checksum, digestTable } from '../../rows/checksum.js';
import { canonicalWriter } from '../../rows/json.js';
import { inForeignKeyOrder } from '../../rows/order.js';
import { readRows } from '../../rows/read.js';
import { columnsOf } from '../../rows/values.js';
import type { Schema, Table } from '../../schema/model.js';
import { sorted } from '../merge.js';
import { type Problem, Problems } from '../problems.js';
import { Meter } from '../progress.js';
import { filled } from '../scratch.js';
import { Sieve } from '../sieve.js';
import type { Source } from '../source.js';
import { differenceOf, missingRow } from '../told.js';
import { isHeld } from './holds.js';
import type { FilesOptions } from './index.js';

interface Expected {
  readonly session: Session;
  readonly database: Database;
  readonly schema: Schema;
}

/** Each row that the files do not hold as it should be. */
export async function proof(files: Source, expected: Expected, options: FilesOptions): Promise<readonly Problem[]> {
  const { session, database, schema } = expected;
  const { signal, onProgress } = options;
  const { dialect } = database;
  const meter = new Meter('verify', onProgress);
  const sieve = new Sieve(dialect, false);
  const sums = new Map<string, { readonly sum: Checksum; readonly line: ReturnType<typeof canonicalWriter> }>();
  const ignored = new Problems();
  for await (const batch of files.batches(signal, ignored)) {
    const { table } = batch;
    let found = sums.get(table.name);
    if (!found) {
      found = { sum: new Checksum(), line: canonicalWriter(columnsOf(table)) };
      sums.set(table.name, found);
    }
    const rows = sieve.pass(batch, ignored);
    for (const row of rows) found.sum.add(found.line(row));
    meter.add(table.name, rows.length, 0);
  }
  const unlike: Table[] = [];
  for (const table of inForeignKeyOrder(schema)) {
    // Spans are among the artifacts: see place.ts.
    if (!isHeld(table.name) || table.name === 'spans') continue;
    const whole = await digestTable(session, dialect, table, { signal });
    const read = sums.get(table.name)?.sum.digest ?? { rows: 0, checksum: '0'.repeat(32) };
    if (whole.rows > 0 && (whole.rows !== read.rows || whole.checksum !== read.checksum)) unlike.push(table);
  }
  return unlike.length === 0 ? [] : rowByRow(files, unlike, expected, options);
}

/** Others who write to the store add rows, which are of no account. */
async function rowByRow(
  files: Source,
  tables: readonly Table[],
  { session, database }: Expected,
  options: FilesOptions,
): Promise<readonly Problem[]> {
  const scratch = await options.openScratch();
  try {
    await filled(scratch.database, files, options);
    const there = await scratch.database.reader(0);
    try {
      const problems: Problem[] = [];
      for (const table of tables) {
        for await (const rows of readRows(session, database.dialect, table, { signal: options.signal })) {
          const found = await sorted({ table, rows }, there, scratch.database.dialect);
          problems.push(...[...found.fresh, ...found.taken.map(({ row }) => row)].map((row) => missingRow(table, row)));
          problems.push(...found.different.map((each) => differenceOf(table, each)));
        }
      }
      return problems.map(derived);
    } finally {
      await there.close();
    }
  } finally {
    scratch.remove();
  }
}

/** Files do not say which point of a metric is the latest: that is worked out from all of them. */
function derived(problem: Problem): Problem {
  if (!problem.where.startsWith('latest_metrics,')) return problem;
  return {
    ...problem,
    kind: 'not-held',
    reason: ': files have the latest value of a metric from its points, which say another one',
    rows: {},
  };
}
