/** Real MLflow as a process that stays: importing it takes seconds, and a test run asks it hundreds of times. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { MAKE } from './fixtures.js';
import { NEWEST, NEWEST_CODE, ORACLE, PYTHON } from './mlflow.js';

/** Python's int (of any size) and float, exactly. */
export type Exact = { readonly int: string } | { readonly float: string };
export type Plain = null | boolean | string | Exact | readonly Plain[] | { readonly [key: string]: Plain };

/** An upgrade by MLflow that was to be killed. */
export interface Cut {
  readonly ended: 'killed' | 'done' | 'failed';
  /** That changed something, in order, the last one it was killed after. */
  readonly statements: readonly { readonly n: number; readonly sql: string }[];
  readonly said: string;
}

/** A method of a store, as `registry.models.create`, and its arguments, in which a Reference stands for what it refers to. */
export type Call = readonly [method: string, args: readonly unknown[]];
/** What an earlier call of the script gave, or a part of that. */
export interface Reference {
  readonly of: number;
  readonly path: readonly (string | number)[];
}
export type Answer = { readonly result: unknown } | { readonly error: readonly [code: string | null, message: string] };

export class Oracle implements AsyncDisposable {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #lines: Interface;
  readonly #iterator: AsyncIterator<string>;
  #last: Promise<unknown> = Promise.resolve();
  #stderr = '';

  constructor(release: typeof ORACLE | typeof NEWEST = ORACLE) {
    const path = release === NEWEST ? { PYTHONPATH: NEWEST_CODE } : {};
    this.#process = spawn(PYTHON, [join(import.meta.dirname, 'oracle.py'), MAKE], {
      env: { ...process.env, PYTHONWARNINGS: 'ignore', PYTHONDONTWRITEBYTECODE: '1', ...path },
    });
    this.#process.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-4000);
    });
    this.#lines = createInterface(this.#process.stdout);
    this.#iterator = this.#lines[Symbol.asyncIterator]();
  }

  /** One request after the other. @throws with Python's traceback */
  #ask(request: object): Promise<{ result: unknown; said: string }> {
    const answer = this.#last.then(async () => {
      this.#process.stdin.write(`${JSON.stringify(request)}\n`);
      const { value, done } = await this.#iterator.next();
      if (done) throw new Error(`the oracle ended:\n${this.#stderr}`);
      const line = JSON.parse(value) as { file?: string; error?: string };
      if (line.file === undefined) throw new Error(`the oracle: ${line.error}\n${this.#stderr}`);
      const read = JSON.parse(readFileSync(line.file, 'utf8')) as { result?: unknown; error?: string; said: string };
      rmSync(line.file);
      if (read.error !== undefined) throw new Error(`the oracle failed:\n${read.error}\n${read.said}`);
      return { result: read.result, said: read.said };
    });
    this.#last = answer.catch(() => undefined);
    return answer;
  }

  /** Everything that MLflow's own client reads from a store, in the form of the fixtures' `expected`. */
  async read(uri: string): Promise<Record<string, unknown>> {
    return (await this.#ask({ do: 'read', with: [uri], as: 'json' })).result as Record<string, unknown>;
  }

  /** The names of all experiments, as the application behind `mlflow server` has them. */
  async serves(uri: string): Promise<string[]> {
    return (await this.#ask({ do: 'serves', with: [uri], as: 'json' })).result as string[];
  }

  /** `mlflow db upgrade`. */
  async upgrade(uri: string): Promise<{ code: number; said: string }> {
    const { result, said } = await this.#ask({ do: 'db_upgrade', with: [uri], as: 'json' });
    return { code: (result as { code: number }).code, said };
  }

  /**
   * `mlflow db upgrade` as far as a revision, by a process that is killed when so many statements that change something
   * have run. What is not committed by then is lost with it.
   * @param at null to let it end
   */
  async upgradeKilled(uri: string, revision: string, at: number | null): Promise<Cut> {
    return this.#cut({ do: 'db_upgrade_killed', with: [uri, revision, at] });
  }

  /**
   * `mlflow db upgrade` to its head, which waits before each statement, at random, for up to so many milliseconds: it can
   * meet others at any of them.
   */
  async upgradeSlowly(uri: string, seed: number, most: number): Promise<Cut> {
    return this.#cut({ do: 'db_upgrade_slow', with: [uri, null, seed, most] });
  }

  async #cut(request: object): Promise<Cut> {
    const { result } = await this.#ask({ ...request, as: 'json' });
    const { status, statements, said } = result as { status: number; statements: Cut['statements']; said: string };
    const SIGKILL = 9;
    return { ended: status === SIGKILL ? 'killed' : status === 0 ? 'done' : 'failed', statements, said };
  }

  /** A new experiment, by MLflow's own client. */
  async makeExperiment(uri: string, name: string): Promise<string> {
    return (await this.#ask({ do: 'make_experiment', with: [uri, name], as: 'json' })).result as string;
  }

  /** Makes the database of MLflow's authentication, whose lineage is another one. */
  async authDatabase(uri: string, revision: string): Promise<void> {
    await this.#ask({ do: 'auth_database', with: [uri, revision], as: 'json' });
  }

  /**
   * Calls of methods of a store, on MLflow's own store of a database, with answers in the contract's records. The clock
   * stands at `start` (integer milliseconds) for the first, and a second later for each one after.
   * @param answers of calls before these
   */
  async script(
    uri: string,
    root: string,
    start: number,
    calls: readonly Call[],
    answers: readonly Answer[] = [],
  ): Promise<Answer[]> {
    const request = { do: 'store_script', with: [uri, root, start, calls, answers], as: 'json' };
    return (await this.#ask(request)).result as Answer[];
  }

  /** One of the functions of oracle.py on a list of inputs, its results to the last bit. */
  async call<Result = Plain>(
    what:
      | 'trace_values'
      | 'assessments'
      | 'dimensions'
      | 'categories'
      | 'strip_lower'
      | 'search_filters'
      | 'search_orders'
      | 'search_stores'
      | 'search_records'
      | 'search_tokens'
      | 'search_model_tokens'
      | 'search_likes'
      | 'search_words'
      | 'span_attributes'
      | 'span_contents'
      | 'yaml_dumps'
      | 'yaml_loads'
      | 'metric_lines'
      | 'latest_metrics'
      | 'older_than',
    inputs: readonly unknown[],
  ): Promise<Result[]> {
    return (await this.#ask({ do: what, with: [inputs] })).result as Result[];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#process, 'exit');
    this.#process.stdin.end();
    await ended;
  }
}
