/** A sequence of requests, made to both: what an answer gives, such as an id, is a name in the steps behind it. */
import { isDeepStrictEqual } from 'node:util';
import { expect } from 'vitest';
import { undescribed } from './described.js';
import type { Peer, Received, Sent, StoreKind } from './peers.js';

export interface Step {
  readonly method: Sent['method'];
  /** `$name` stands for what an earlier answer gave. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | readonly string[]>>;
  readonly json?: unknown;
  readonly body?: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
  /** Names for what the answer gives, by the place in it. */
  readonly save?: Readonly<Record<string, string>>;
  /** Also compared. */
  readonly compareHeaders?: readonly string[];
  /** A difference that is meant, with its reason; what mtrack answers instead. */
  readonly differs?: {
    readonly because: string;
    readonly status: number;
    readonly says?: string | RegExp;
    /** Where it does; everywhere, when not said. */
    readonly on?: StoreKind;
  };
  /** Only the status counts: why. */
  readonly statusOnly?: string;
  /** A value of a wrong type is refused, also where MLflow goes on with half of the request, or fails. */
  readonly mayRefuse?: boolean;
}

type Extra = Omit<Step, 'method' | 'path' | 'json' | 'query'>;

const API = '/api/2.0/mlflow';
export const API3 = '/api/3.0/mlflow';

const pathOf = (path: string) => (path.startsWith('/') ? path : `${API}/${path}`);

export const get = (path: string, query: Step['query'] = {}, more: Extra = {}): Step => ({
  method: 'GET',
  path: pathOf(path),
  query,
  ...more,
});
export const post = (path: string, json: unknown = {}, more: Extra = {}): Step => ({
  method: 'POST',
  path: pathOf(path),
  json,
  ...more,
});
export const patch = (path: string, json: unknown = {}, more: Extra = {}): Step => ({
  method: 'PATCH',
  path: pathOf(path),
  json,
  ...more,
});
export const remove = (path: string, json: unknown = {}, more: Extra = {}): Step => ({
  method: 'DELETE',
  path: pathOf(path),
  json,
  ...more,
});

/** One of the two, with what it has answered so far. */
class Side {
  readonly peer: Peer;
  readonly names = new Map<string, string>();

  constructor(peer: Peer) {
    this.peer = peer;
  }

  async take(step: Step): Promise<{ status: number; answer: unknown; sent: Sent; received: Received }> {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(step.query ?? {})) {
      for (const each of Array.isArray(value) ? value : [value]) query.append(name, this.#filled(String(each)));
    }
    const target = this.#filled(step.path) + (query.size > 0 ? `?${query}` : '');
    const json = step.json === undefined ? undefined : this.#filled(JSON.stringify(step.json));
    const body = Buffer.isBuffer(step.body) ? step.body : Buffer.from(json ?? this.#filled(step.body ?? ''));
    const sent = {
      method: step.method,
      target,
      headers: {
        host: 'localhost',
        ...(json !== undefined && { 'content-type': 'application/json' }),
        ...(body.length > 0 && { 'content-length': String(body.length) }),
        ...step.headers,
      },
      body,
    };
    const received = await this.peer.ask(sent);
    const answer = parsed(received);
    for (const [name, place] of Object.entries(step.save ?? {})) {
      const value = place.split('.').reduce<unknown>((at, part) => (at as Record<string, unknown>)?.[part], answer);
      if (typeof value !== 'string')
        throw new Error(`${this.peer.name} gives no ${place} at ${step.path}: ${received.body}`);
      this.names.set(name, value);
    }
    return { status: received.status, answer: this.#alike(answer), sent, received };
  }

  #filled(text: string): string {
    return text.replace(/\$(\w+)/g, (whole, name: string) => this.names.get(name) ?? whole);
  }

  /** Without what must differ: ids by their names, folders, the time of the day. */
  #alike(answer: unknown): unknown {
    if (typeof answer === 'string') {
      let text = withoutDriver(answer).replaceAll(this.peer.folder, '(folder)');
      // A short one, such as the id of an experiment, is part of much else.
      for (const [name, value] of this.names) {
        if (text === value) text = `(${name})`;
        else if (value.length >= 16) text = text.replaceAll(value, `(${name})`);
      }
      text = text.replace(/\b[\da-f]{32}\b|\b\d{18}\b/g, '(id)').replace(/^[a-z]+-[a-z]+-\d{1,3}$/, '(a name)');
      return /^\d{4}-\d\d-\d\dT/.test(text) && Math.abs(Date.parse(text) - Date.now()) < HOUR_MS ? '(now)' : text;
    }
    if (typeof answer === 'number') return Math.abs(answer - Date.now()) < HOUR_MS ? '(now)' : answer;
    // Files have no order, and neither have rows of a table.
    if (Array.isArray(answer) && answer.length > 1 && answer.every(isPair)) {
      return answer.toSorted(byKey).map((item) => this.#alike(item));
    }
    if (Array.isArray(answer)) return answer.map((item) => this.#alike(item));
    if (typeof answer !== 'object' || answer === null) return answer;
    return Object.fromEntries(
      Object.entries(answer).map(([key, value]) => [
        key,
        key === 'next_page_token' ? withoutPlace(value) : this.#alike(inOrder(key, value)),
      ]),
    );
  }
}

const isPair = (item: object) => Object.keys(item).sort().join() === 'key,value';

const compared = (a: string, b: string) => (a === b ? 0 : a < b ? -1 : 1);

const byKey = (a: { key: string }, b: { key: string }) => compared(a.key, b.key);

/** Lists without an order of their own; that of one metric's values counts. */
const ORDERS: Readonly<Record<string, (a: unknown, b: unknown) => number>> = {
  latest_versions: (a, b) => compared(JSON.stringify(a), JSON.stringify(b)),
  // Folders of files, as the system lists them.
  dataset_inputs: (a, b) => compared(JSON.stringify(a), JSON.stringify(b)),
  dataset_summaries: (a, b) => compared(JSON.stringify(a), JSON.stringify(b)),
  metrics: (a, b) => byKey(a as { key: string }, b as { key: string }),
};

/** MLflow's database gives these as they come. */
const inOrder = (key: string, value: unknown): unknown =>
  ORDERS[key] && Array.isArray(value) ? value.toSorted(ORDERS[key]) : value;

/** A token of ours says also after which point the page begins (docs/differences.md). */
function withoutPlace(token: unknown): unknown {
  const text = Buffer.from(String(token), 'base64').toString();
  const { after: _, ...rest } = JSON.parse(text) as Record<string, unknown>;
  return rest;
}

const HOUR_MS = 3_600_000;

/** SQLAlchemy tells the statement, and the name of Python's driver. */
const withoutDriver = (text: string): string => text.replace(/\(\w+\.\w+Error\) /, '').replace(/\n\[SQL: .*$/s, '');

/** JSON, with a bare NaN as Python has it; other text as it is. */
function parsed({ headers, body }: Received): unknown {
  const text = body.toString();
  if (!headers['content-type']?.startsWith('application/json') || text === '') return text;
  return JSON.parse(text.replace(/:\s*(NaN|-?Infinity)\b/g, ':"bare $1"'));
}

/** Makes all requests to both and compares what comes back; all that differs is named. @returns how many there were */
export async function compare(kind: StoreKind, peers: readonly [Peer, Peer], steps: readonly Step[]): Promise<number> {
  const [theirs, ours] = peers.map((peer) => new Side(peer)) as [Side, Side];
  const differences: string[] = [];
  for (const [i, step] of steps.entries()) {
    const expected = await theirs.take(step);
    const actual = await ours.take(step);
    try {
      check(kind, step, expected, actual);
    } catch (error) {
      const query = step.query ? `?${new URLSearchParams(step.query as Record<string, string>)}` : '';
      const sent = JSON.stringify(step.json ?? step.body ?? '').slice(0, 300);
      differences.push(
        `step ${i}: ${step.method} ${step.path}${query} ${sent}\n${(error as Error).message}\n${difference(error)}`,
      );
    }
  }
  if (differences.length > 0) throw new Error(`${differences.length} differences\n\n${differences.join('\n\n')}`);
  return steps.length;
}

type Taken = Awaited<ReturnType<Side['take']>>;

function check(kind: StoreKind, step: Step, expected: Taken, actual: Taken): void {
  if (!/:\s*(NaN|-?Infinity)/.test(actual.received.body.toString()))
    expect(undescribed(actual.sent, actual.received)).toBeNull();
  if (step.differs && (step.differs.on ?? kind) === kind) {
    expect({ status: actual.status, answer: actual.answer }).toMatchObject({ status: step.differs.status });
    if (step.differs.says) expect(JSON.stringify(actual.answer)).toMatch(step.differs.says);
    expect([expected.status, expected.answer], 'no longer differs').not.toEqual([actual.status, actual.answer]);
    return;
  }
  if (step.mayRefuse && isRefusal(actual) && !isRefusal(expected)) return;
  if (step.mayRefuse && expected.status === 500 && actual.status < 500) return;
  const [answer, theirAnswer] = step.statusOnly ? [null, null] : [actual.answer, expected.answer];
  expect({ status: actual.status, answer }).toEqual({ status: expected.status, answer: theirAnswer });
  for (const name of step.compareHeaders ?? []) {
    expect(actual.received.headers[name], `header ${name}`).toBe(expected.received.headers[name]);
  }
}

function isRefusal({ status, answer }: Taken): boolean {
  return (
    status === 400 &&
    /^Invalid value .* for parameter '.*' supplied: {2}Hint/.test((answer as { message?: string }).message ?? '')
  );
}

/** The first places that differ; an answer can be long, and alike for most of it. */
function difference(error: unknown): string {
  const { expected, actual } = error as { expected?: unknown; actual?: unknown };
  return places(expected, actual, '').slice(0, 10).join('\n');
}

function places(theirs: unknown, ours: unknown, at: string): string[] {
  if (isDeepStrictEqual(theirs, ours)) return [];
  if (isObject(theirs) && isObject(ours)) {
    const keys = [...new Set([...Object.keys(theirs), ...Object.keys(ours)])];
    return keys.flatMap((key) => places(theirs[key], ours[key], `${at}.${key}`));
  }
  const text = (value: unknown) => JSON.stringify(value)?.slice(0, 500);
  return [`  ${at}\n    MLflow: ${text(theirs)}\n    mtrack: ${text(ours)}`];
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
