/** The script that made the goldens (shared/fixtures/make/dump_schema.py), kept running: SQLAlchemy takes a while to load. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface, type Interface } from 'node:readline';
import { MAKE } from './fixtures.js';
import { comparable, type RawDump } from './golden.js';
import { PYTHON } from './mlflow.js';

const PROGRAM = `import sys, json, sqlalchemy as sa
sys.path.insert(0, sys.argv[1])
from dump_schema import dump
for line in sys.stdin:
    engine = sa.create_engine(line.strip(), poolclass=sa.pool.NullPool)
    with engine.connect() as c: print(json.dumps(dump(c)), flush=True)`;

export class GoldenReader implements AsyncDisposable {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #lines: Interface;

  constructor() {
    this.#process = spawn(PYTHON, ['-c', PROGRAM, MAKE]);
    this.#lines = createInterface(this.#process.stdout);
  }

  /** The schema of the database, in the form that goldens are compared in. */
  async read(uri: string): Promise<unknown> {
    const answered = new AbortController();
    const line = once(this.#lines, 'line', answered) as Promise<[string]>;
    const ended = once(this.#process, 'exit', answered).then(() => {
      throw new Error('the reader of goldens ended');
    });
    this.#process.stdin.write(`${uri}\n`);
    try {
      const [text] = await Promise.race([line, ended]);
      return comparable(JSON.parse(text) as RawDump);
    } finally {
      await Promise.allSettled([line, ended, answered.abort()]);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.stdin.end();
    await once(this.#process, 'exit');
  }
}
