/** Calls to a tracking server: with its login, again when it is overloaded or gone for a moment, and not for ever. */
import { type IncomingMessage, request as plain } from 'node:http';
import { request as secure } from 'node:https';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ServerOptions } from './repository.js';

export interface HttpAnswer {
  readonly status: number;
  readonly body: Readable;
}

interface Call {
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent once: what was read of it cannot be sent again. */
  readonly content?: Readable;
  readonly size?: number | undefined;
}

/** What a server says when it may go better the next time. */
const PASSING = [408, 425, 429, 500, 502, 503, 504];
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 30_000;

/** @param timeout milliseconds without a sign of life @param retries after the first attempt */
export function httpClient(server: ServerOptions, { timeout, retries }: { timeout: number; retries: number }) {
  return async (method: string, url: string, call: Call = {}): Promise<HttpAnswer> => {
    const attempts = call.content === undefined ? retries : 0;
    for (let attempt = 0; ; attempt++) {
      try {
        const answer = await once(method, url, call, server, timeout);
        if (!PASSING.includes(answer.status) || attempt >= attempts) return answer;
        answer.body.resume();
      } catch (error) {
        if (attempt >= attempts) throw error;
      }
      await sleep(Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** attempt) * (0.5 + Math.random()));
    }
  };
}

function once(method: string, url: string, call: Call, server: ServerOptions, timeout: number): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const { protocol } = new URL(url);
    const headers = {
      ...call.headers,
      ...login(server),
      ...(call.size !== undefined && { 'content-length': String(call.size) }),
    };
    const answered = (message: IncomingMessage) => resolve({ status: message.statusCode ?? 0, body: message });
    const sending =
      protocol === 'https:'
        ? secure(url, { method, headers, rejectUnauthorized: !server.ignoreTls }, answered)
        : plain(url, { method, headers }, answered);
    sending.setTimeout(timeout, () => sending.destroy(new Error(`no answer within ${timeout} ms`)));
    sending.on('error', reject);
    if (call.content) pipeline(call.content, sending).catch(reject);
    else sending.end();
  });
}

function login({ username, password, token }: ServerOptions): Record<string, string> {
  if (username !== null) {
    const pair = Buffer.from(`${username}:${password?.reveal() ?? ''}`).toString('base64');
    return { authorization: `Basic ${pair}` };
  }
  return token === null ? {} : { authorization: `Bearer ${token.reveal()}` };
}
