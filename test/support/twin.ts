/**
 * The same calls on mtrack's store and on MLflow's own, each on a database of its own: answers, refusals and rows have to be
 * the same. Both clocks stand still, and go on by a second from call to call.
 */
import { expect, vi } from 'vitest';
import { StoreError } from '../../src/store/errors.js';
import type { Store } from '../../src/store/store.js';
import type { Implementation, TestStore } from '../store/implementations.js';
import { opened } from './databases.js';
import type { Answer, Call, Oracle, Reference } from './oracle.js';

export const START = Date.UTC(2024, 1, 29, 12);
const SECOND = 1000;

/** Runs the calls on both. @param tables whose rows are compared when all are done */
export async function twins(
  { fresh }: Implementation,
  oracle: Oracle,
  calls: readonly Call[],
  { tables = [] }: { tables?: readonly string[] } = {},
): Promise<{ ours: Answer[]; theirs: Answer[] }> {
  await using mine = await fresh();
  await using other = await fresh();
  const ours = await script(mine, calls);
  const theirs = await oracle.script(other.uri, other.artifactRoot, START, calls);
  const one = naming(mine);
  const two = naming(other);
  for (const [at, call] of calls.entries()) {
    expect({ call, ...comparable(call, ours[at], one) }).toEqual({ call, ...comparable(call, theirs[at], two) });
  }
  for (const table of tables) {
    expect({ table, rows: await rowsOf(mine, table, one) }).toEqual({ table, rows: await rowsOf(other, table, two) });
  }
  return { ours, theirs };
}

/** The calls on mtrack's store. */
export async function script(test: TestStore, calls: readonly Call[], start = START): Promise<Answer[]> {
  vi.useFakeTimers({ toFake: ['Date'], now: start });
  try {
    const store = await test.open();
    const answers: Answer[] = [];
    for (const [at, [method, args]] of calls.entries()) {
      vi.setSystemTime(start + at * SECOND);
      answers.push(await attempt(() => methodOf(store, method)(...(resolved(args, answers) as unknown[]))));
    }
    return answers;
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

function resolved(value: unknown, answers: readonly Answer[]): unknown {
  if (Array.isArray(value)) return value.map((each) => resolved(each, answers));
  if (value === null || typeof value !== 'object') return value;
  if (!isReference(value)) {
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, resolved(each, answers)]));
  }
  const answer = answers[value.of];
  const found = answer !== undefined && 'result' in answer ? answer.result : undefined;
  return value.path.reduce<unknown>((of, key) => (of as Record<string | number, unknown>)[key], found);
}

interface Naming {
  /** Ids that are made up get numbers, in the order in which they come; the place of artifacts gets a name. */
  of(text: string): string;
  /** The same for rows, which have no order: what has not come before is just an id. */
  known(text: string): string;
}

const ID = /\b(?:[ma]-|tr-)?[0-9a-f]{32}\b/g;

function naming({ artifactRoot }: TestStore): Naming {
  const ids = new Map<string, string>();
  const placed = (text: string) => text.replaceAll(artifactRoot, '<root>');
  return {
    of: (text) =>
      placed(text).replace(ID, (id) => {
        const name = ids.get(id) ?? `<id ${ids.size}>`;
        ids.set(id, name);
        return name;
      }),
    known: (text) => placed(text).replace(ID, (id) => ids.get(id) ?? '<another id>'),
  };
}

/** Lists that have no order. */
const UNORDERED = ['latest_versions', 'tags', 'aliases', 'params', 'metrics', 'assessments'];

/** What has no order is put in one, and what is undefined is not there. */
function plain(value: unknown, name: (text: string) => string): unknown {
  if (typeof value === 'string') return name(value);
  if (typeof value === 'bigint') return Number(value);
  if (Array.isArray(value)) return value.map((each) => plain(each, name));
  if (value === null || typeof value !== 'object') return value ?? null;
  const members = Object.entries(value).filter(([, each]) => each !== undefined);
  return Object.fromEntries(
    members.map(([key, each]) => {
      const item = plain(each, name);
      return [key, Array.isArray(item) && UNORDERED.includes(key) ? byText(item) : item];
    }),
  );
}

const byText = (items: readonly unknown[]) =>
  [...items].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));

/** @param method whose answer has no order, perhaps */
function comparable([method]: Call, answer: Answer | undefined, name: Naming): object {
  const said = plain(answer, name.of) as { result?: unknown };
  return method.endsWith('.latestVersions') && Array.isArray(said.result) ? { result: byText(said.result) } : said;
}

async function rowsOf(test: TestStore, table: string, name: Naming): Promise<unknown[]> {
  if (test.database === null) throw new Error('only a database has rows');
  const session = await (await opened(test.database)).reader(10_000);
  try {
    const rows = await session.rows<Record<string, unknown>>(`SELECT * FROM ${table}`);
    return rows.map((row) => JSON.stringify(plain(row, name.known))).sort();
  } finally {
    await session.close();
  }
}
