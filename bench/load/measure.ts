/** One row of one server: requests a second and CPU time a request. */
import autocannon from 'autocannon';
import { used } from './processes.ts';
import type { Row } from './rows.ts';

export interface Figure {
  readonly perSecond: number;
  /** Milliseconds of CPU time a request, of the server and all that it has started; a database's own are not in it. */
  readonly cpu: number;
  /** Milliseconds. */
  readonly median: number;
}

/** Both, and its types know of one alone. */
type Running = Promise<autocannon.Result> & autocannon.Instance;

/** A request that takes longer is not warmed up for. */
const SLOW_MS = 100;
const TIMEOUT_S = 600;

export async function ask(url: string, row: Row): Promise<string> {
  const answer = await fetch(url + row.path, {
    method: row.method,
    ...(row.body && { body: JSON.stringify(row.body()), headers: { 'content-type': 'application/json' } }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${answer.status} ${text.slice(0, 200)}`);
  return text;
}

/** @throws where the server does not answer, or not all of them with 200 */
export async function measure(
  { url, pid }: { readonly url: string; readonly pid: number },
  row: Row,
  concurrency: number,
  seconds: number,
): Promise<Figure> {
  let one = 0;
  for (let at = 0; at < 3; at++) {
    const began = performance.now();
    await ask(url, row);
    one = performance.now() - began;
    if (one > 1000) break;
  }
  let amount = Math.max(concurrency, Math.ceil((seconds * 1000) / one));
  if (one < SLOW_MS) {
    const { perSecond } = await load(url, row, concurrency, Math.max(concurrency * 2, Math.ceil(amount / 3)));
    amount = Math.max(concurrency * 2, Math.ceil(perSecond * seconds));
  }
  const before = used(pid);
  const { perSecond, median } = await load(url, row, concurrency, amount);
  return { perSecond, median, cpu: (used(pid).cpu - before.cpu) / amount };
}

async function load(url: string, row: Row, connections: number, amount: number) {
  const { method, path, body } = row;
  const request = {
    method,
    path,
    ...(body && {
      headers: { 'content-type': 'application/json' },
      setupRequest: (asked: autocannon.Request) => ({ ...asked, body: JSON.stringify(body()) }),
    }),
  };
  const began = performance.now();
  let ended = began;
  const running = autocannon({
    url,
    connections,
    amount,
    timeout: TIMEOUT_S,
    sampleInt: 50,
    requests: [request],
  }) as Running;
  // It says that it has come to the end at a tick of its clock.
  running.on('response', () => {
    ended = performance.now();
  });
  const result = await running;
  if (result.errors > 0 || result.non2xx > 0) {
    throw new Error(`of ${amount} requests ${result.non2xx} were refused, ${result.errors} failed`);
  }
  return { perSecond: (amount * 1000) / (ended - began), median: result.latency.p50 };
}
