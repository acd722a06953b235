/**
 * The same calls on mtrack's store and on MLflow's own, each on a database of its own: answers, refusals and rows have to be
 * the same. Both clocks stand still, and go on by a second from call to call.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { expect, vi } from 'vitest';
import { StoreError } from '../../src/store/errors.js';
import { readJsonText } from '../../src/store/search/index.js';
import type { Store } from '../../src/store/store.js';
import type { Implementation, TestStore } from '../store/implementations.js';
import { opened, type TestDatabase } from './databases.js';
import { ORACLE_HEAD } from './mlflow.js';
import { NumberedExperiments } from './numbered.js';
import type { Answer, Call, Oracle, Reference } from './oracle.js';

export const START = Date.UTC(2024, 1, 29, 12);
const SECOND = 1000;

interface Twins {
  /** Calls that MLflow makes before the database is copied for the two; references count them, too. */
  readonly before?: readonly Call[];
  /** Tables whose rows are compared at the end. */
  readonly tables?: readonly string[];
  /** Whether of two refusals only the codes have to be the same: MLflow's words are those of its driver. */
  readonly inOtherWords?: (call: Call) => boolean;
  /** Whether what comes back is not compared: MLflow says less than it has written. */
  readonly unsaid?: (call: Call) => boolean;
}

/** Scripts one after the other, each with references that count its own calls only. */
export function joined(...scripts: readonly (readonly Call[])[]): Call[] {
  const all: Call[] = [];
  for (const calls of scripts) {
    const offset = all.length;
    all.push(...calls.map(([method, args]): Call => [method, shifted(args, offset) as unknown[]]));
  }
  return all;
}

function shifted(value: unknown, by: number): unknown {
  if (Array.isArray(value)) return value.map((each) => shifted(each, by));
  if (value === null || typeof value !== 'object') return value;
  if (isReference(value)) return { ...value, of: value.of + by };
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, shifted(each, by)]));
}

/** Runs the calls on both stores. */
export async function twins(
  { fresh, copyOf }: Implementation,
  oracle: Oracle,
  calls: readonly Call[],
  { before = [], tables = [], inOtherWords = () => false, unsaid = () => false }: Twins = {},
): Promise<void> {
  await using mine = await fresh(ORACLE_HEAD);
  const numbered = mine.database === null ? new NumberedExperiments() : undefined;
  const made = await oracle.script(mine.uri, mine.artifactRoot, START, beforehand(before, numbered));
  failures(made);
  await using other = await copyOf(mine);
  const start = START + before.length * SECOND;
  const asked: Call[] = [];
  const answered = calls.map((call) => (isAnswered(mine, call) ? call : NOTHING));
  const ours = await script(mine, answered, { start, answers: made, numbered, asked });
  const theirs = await oracle.script(other.uri, other.artifactRoot, start, asked, made);
  const [one, two] = [naming(mine, mine), naming(mine, other)];
  // What was there before is the same for both.
  for (const { of } of [one, two]) plain(made, of);
  for (const [at, call] of calls.entries()) {
    if (unsaid(call)) continue;
    const words = (answer: Answer | undefined): Answer | undefined => {
      if (answer === undefined || !('error' in answer)) return answer;
      if (hasFailed(theirs[at])) return FAILED;
      return inOtherWords(call) ? { error: [answer.error[0], '…'] } : answer;
    };
    const [found, expected] = [comparable(call, words(ours[at]), one), comparable(call, words(theirs[at]), two)];
    expect({ call, ...found }).toEqual({ call, ...expected });
  }
  if (mine.database === null) expect(contentsOf(mine, one)).toEqual(contentsOf(other, two));
  for (const table of mine.database === null ? [] : tables) {
    expect({ table, rows: await rowsOf(mine, table, one) }).toEqual({ table, rows: await rowsOf(other, table, two) });
  }
}

/** Of what a file store has not, nothing is asked; and of several traces MLflow's does not tell. */
const isAnswered = ({ database }: TestStore, [method]: Call): boolean =>
  database !== null || !(/^registry\.|^traces\.spans\./.test(method) || method === 'traces.getInfos');
const NOTHING: Call = ['experiments.get', ['0']];

/** All of them are to succeed. */
function beforehand(calls: readonly Call[], numbered: NumberedExperiments | undefined): Call[] {
  return calls.map((call, at) => {
    const written = numbered?.in(call) ?? call;
    numbered?.note(call, at, { result: null });
    return written;
  });
}

/** MLflow was not prepared for it: we refuse it in our own way. */
const hasFailed = (answer: Answer | undefined): boolean =>
  answer !== undefined && 'error' in answer && answer.error[0] === null;
const FAILED: Answer = { error: ['…', '…'] };

function failures(answers: readonly Answer[]): void {
  expect(answers.filter((answer) => 'error' in answer)).toEqual([]);
}

function databaseOf({ database }: TestStore): TestDatabase {
  if (database === null) throw new Error('only a database has rows');
  return database;
}

interface Script {
  readonly start?: number;
  /** Of calls before these. */
  readonly answers?: readonly Answer[];
  readonly numbered?: NumberedExperiments | undefined;
  /** Takes the calls as they were made, with references. */
  readonly asked?: Call[];
}

/** The calls on mtrack's store. */
export async function script(
  test: TestStore,
  calls: readonly Call[],
  { start = START, answers = [], numbered, asked = [] }: Script = {},
): Promise<Answer[]> {
  vi.useFakeTimers({ toFake: ['Date'], now: start });
  try {
    const store = await test.open();
    const found: Answer[] = [];
    for (const [at, call] of calls.entries()) {
      vi.setSystemTime(start + at * SECOND);
      const [method, args] = numbered?.in(call) ?? call;
      asked.push([method, args]);
      const given = resolved(args, [...answers, ...found]) as unknown[];
      found.push(await attempt(() => methodOf(store, method)(...given)));
      numbered?.note(call, answers.length + at, found[at]);
    }
    return found;
  } finally {
    vi.useRealTimers();
  }
}

function methodOf(store: Store, path: string): (...args: unknown[]) => Promise<unknown> {
  const [method = '', ...nouns] = path.split('.').reverse();
  const noun = nouns.reduceRight<unknown>((of, name) => (of as Record<string, unknown>)[name], store);
  return (...args) =>
    (noun as Record<string, (...args: unknown[]) => Promise<unknown>>)[method]?.(...args) as Promise<unknown>;
}

async function attempt(call: () => Promise<unknown>): Promise<Answer> {
  try {
    return { result: (await call()) ?? null };
  } catch (error) {
    if (error instanceof StoreError) return { error: [error.code, error.message] };
    throw error;
  }
}

const isReference = (value: object): value is Reference => 'of' in value && 'path' in value;

const FLOATS = { nan: Number.NaN, inf: Infinity, '-inf': -Infinity } as const;
/** A number that JSON has not. */
const isFloat = (value: object): value is { readonly float: keyof typeof FLOATS } => 'float' in value;

/** JSON, in which an integer is not a float. */
const isJson = (value: object): value is { readonly json: string } => 'json' in value;

function resolved(value: unknown, answers: readonly Answer[]): unknown {
  if (Array.isArray(value)) return value.map((each) => resolved(each, answers));
  if (value === null || typeof value !== 'object') return value;
  if (isFloat(value)) return FLOATS[value.float];
  if (isJson(value)) return readJsonText(value.json);
  if (!isReference(value)) {
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, resolved(each, answers)]));
  }
  const answer = answers[value.of];
  const found = answer !== undefined && 'result' in answer ? answer.result : undefined;
  return value.path.reduce<unknown>((of, key) => (of as Record<string | number, unknown> | undefined)?.[key], found);
}

interface Naming {
  /** Ids that are made up get numbers, in the order in which they come; the place of artifacts gets a name. */
  of(text: string): string;
  /** The same for rows, which have no order: what has not come before is just an id. */
  known(text: string): string;
}

/** Those of experiments in files have 18 digits. */
const ID = /\b(?:(?:[ma]-|tr-)?[0-9a-f]{32}|[1-9]\d{17})\b/g;

function naming(...stores: readonly TestStore[]): Naming {
  const ids = new Map<string, string>();
  const placed = (text: string) =>
    stores.reduce((written, { artifactRoot }) => written.replaceAll(artifactRoot, '<root>'), text);
  return {
    of: (text) =>
      inOneOrder(placed(text)).replace(ID, (id) => {
        const name = ids.get(id) ?? `<id ${ids.size}>`;
        ids.set(id, name);
        return name;
      }),
    known: (text) => placed(text).replace(ID, (id) => ids.get(id) ?? '<another id>'),
  };
}

/** Python's sets, which have no order in a message. */
const inOneOrder = (text: string) =>
  text.replace(/\{('[^']*'(?:, '[^']*')+)\}/g, (_, members: string) => `{${members.split(', ').sort().join(', ')}}`);

/** Lists that have no order. */
const UNORDERED = [
  ...['latest_versions', 'tags', 'aliases', 'params', 'metrics', 'assessments'],
  ...['dataset_inputs', 'model_inputs', 'model_outputs'],
];

/** Tokens of histories have more in them than MLflow's. */
function withoutLastPoint(token: unknown): unknown {
  const { after, ...rest } = JSON.parse(Buffer.from(String(token), 'base64').toString('utf8')) as { after?: unknown };
  return after === undefined ? token : Buffer.from(JSON.stringify(rest).replace(':', ': ')).toString('base64');
}

/** What has no order is put in one, and what is undefined is not there. */
function plain(value: unknown, name: (text: string) => string): unknown {
  if (typeof value === 'string') return name(value);
  if (typeof value === 'bigint') return Number(value);
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
  if (Array.isArray(value)) return value.map((each) => plain(each, name));
  if (value === null || typeof value !== 'object') return value ?? null;
  const members = Object.entries(value)
    .filter(([, each]) => each !== undefined)
    .map(([key, each]) => [key, key === 'next_page_token' ? withoutLastPoint(each) : each] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(
    members.map(([key, each]) => {
      const item = plain(each, name);
      return [key, Array.isArray(item) && UNORDERED.includes(key) ? byText(item) : item];
    }),
  );
}

const byText = (items: readonly unknown[]) =>
  [...items].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));

const UNORDERED_ANSWERS = ['registry.models.latestVersions', 'runs.searchDatasets'];

/** @param method whose answer has no order, perhaps */
function comparable([method]: Call, answer: Answer | undefined, name: Naming): object {
  const said = plain(answer, name.of) as { result?: unknown };
  return UNORDERED_ANSWERS.includes(method) && Array.isArray(said.result) ? { result: byText(said.result) } : said;
}

/** Of tables whose times a number cannot hold: these are asked for in microseconds. */
const COLUMNS: Readonly<Record<string, string>> = {
  spans: [
    ...['trace_id', 'experiment_id', 'span_id', 'parent_span_id', 'name', 'type', 'status', 'content'],
    ...['input_cost', 'output_cost', 'total_cost', 'model_name', 'model_provider', 'duration_ns'],
    ...['start_time_unix_nano / 1000 AS start_us', 'end_time_unix_nano / 1000 AS end_us'],
  ].join(', '),
};

async function rowsOf(test: TestStore, table: string, name: Naming): Promise<unknown[]> {
  const session = await (await opened(databaseOf(test))).reader(10_000);
  try {
    const rows = await session.rows<Record<string, unknown>>(`SELECT ${COLUMNS[table] ?? '*'} FROM ${table}`);
    return rows.map((row) => JSON.stringify(plain(row, name.known))).sort();
  } finally {
    await session.close();
  }
}

/** Every file of a file store with its content, and every folder: to the byte, but for ids and places. */
function contentsOf({ uri }: TestStore, name: Naming): string[] {
  const entries = readdirSync(uri, { recursive: true, withFileTypes: true });
  const contents = entries.map((entry) => {
    const path = join(entry.parentPath, entry.name);
    const content = entry.isDirectory() ? '/' : `: ${readFileSync(path, 'utf8')}`;
    return name.known(`${relative(uri, path)}${content}`);
  });
  // MLflow makes it in advance.
  return contents.filter((each) => each !== '.trash/').sort();
}
