/** The two that are compared: MLflow's server, without a port, and this one, each on a store of its own. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { buffer } from 'node:stream/consumers';
import type { FastifyInstance } from 'fastify';
import { localRepository } from '../../../src/artifacts/local.js';
import { createServer, serverMetrics } from '../../../src/server/index.js';
import { openStore } from '../../../src/store/open.js';
import { parseStoreUri } from '../../../src/uri.js';
import { CONNECTION } from '../../store/implementations.js';
import { PYTHON } from '../../support/mlflow.js';

export interface Sent {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS' | 'HEAD';
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface Received {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface Peer {
  readonly name: string;
  /** What its answers name that only it has: the folders that it works in. */
  readonly folder: string;
  ask(sent: Sent): Promise<Received>;
  close(): Promise<void>;
}

/** How a peer's store is made from its folder. */
export type StoreKind = 'database' | 'files';

const storeUri = (kind: StoreKind, folder: string): string =>
  kind === 'files' ? join(folder, 'mlruns') : `sqlite:///${fileOf(folder)}`;

const fileOf = (folder: string): string => join(folder, 'mlflow.db');

const FRAMES = 'SAMEORIGIN';

export async function mtrack(kind: StoreKind, served = true): Promise<Peer> {
  const folder = mkdtempSync(join(tmpdir(), 'mtrack-rest-'));
  const uri = storeUri(kind, folder);
  const destination = join(folder, 'artifacts');
  const store = await openStore(parseStoreUri(uri), {
    artifactRoot: 'mlflow-artifacts:/',
    connection: CONNECTION,
    init: true,
  });
  const app: FastifyInstance = createServer(
    {
      store,
      storeUri: uri,
      artifacts: {
        served,
        destination: localRepository(destination),
        hosts: { uris: ['mlflow-artifacts:/', destination], schemes: [] },
        locationLength: 2048,
        open: async (place) => localRepository(place.replace(/^file:\/\//, ''), place),
      },
    },
    {
      security: { allowedHosts: null, allowedOrigins: [], frames: FRAMES, disabled: false },
      users: null,
      tls: null,
      bodyLimit: 1024 * 1024,
      uploadLimit: null,
      log: (level, message, fields) => {
        if (level === 'error') console.error(message, fields);
      },
      logRequests: false,
      metrics: serverMetrics(),
    },
  );
  await app.listen({ host: '127.0.0.1', port: 0 });
  const address = app.server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    name: 'mtrack',
    folder,
    // Not Fastify's `inject`, nor fetch: both put a path with `..` in order before it is sent.
    ask: async ({ method, target, headers, body }) => {
      const asked = request({ host: '127.0.0.1', port, method, path: target, headers });
      asked.end(body);
      const [answer] = (await once(asked, 'response')) as [IncomingMessage];
      return {
        status: answer.statusCode ?? 0,
        headers: Object.fromEntries(Object.entries(answer.headers).map(([name, value]) => [name, String(value)])),
        body: await buffer(answer),
      };
    },
    close: async () => {
      await app.close();
      await store.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** One process of Python for all stores: importing MLflow takes seconds. */
export class MlflowApp implements AsyncDisposable {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;
  readonly #folders: string[] = [];
  /** MLflow takes seconds to make its tables: the first database is copied for the others. */
  #template: string | null = null;
  #stderr = '';

  constructor() {
    this.#process = spawn(PYTHON, [join(import.meta.dirname, 'mlflow_app.py')], {
      env: { ...process.env, PYTHONWARNINGS: 'ignore', PYTHONDONTWRITEBYTECODE: '1' },
    });
    this.#process.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-4000);
    });
    this.#lines = createInterface(this.#process.stdout)[Symbol.asyncIterator]();
  }

  /** A fresh store; from here on requests are about it. */
  async on(kind: StoreKind, served = true): Promise<Peer> {
    const folder = mkdtempSync(join(tmpdir(), 'mtrack-rest-'));
    this.#folders.push(folder);
    const uri = storeUri(kind, folder);
    if (kind === 'database' && this.#template !== null) copyFileSync(this.#template, fileOf(folder));
    await this.#send({
      use: { store: uri, destination: join(folder, 'artifacts'), root: 'mlflow-artifacts:/', served },
    });
    if (kind === 'database' && this.#template === null) {
      this.#template = join(folder, 'template.db');
      copyFileSync(fileOf(folder), this.#template);
    }
    return {
      name: 'MLflow',
      folder,
      ask: async ({ body, ...sent }) => {
        const answer = (await this.#send({ ...sent, body: body.toString('base64') })) as {
          status: number;
          headers: Record<string, string>;
          body: string;
        };
        return { ...answer, body: Buffer.from(answer.body, 'base64') };
      },
      close: async () => undefined,
    };
  }

  async #send(request: object): Promise<unknown> {
    this.#process.stdin.write(`${JSON.stringify(request)}\n`);
    const { value, done } = await this.#lines.next();
    if (done) throw new Error(`MLflow's process ended:\n${this.#stderr}`);
    return JSON.parse(value);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill();
    for (const folder of this.#folders) rmSync(folder, { recursive: true, force: true });
  }
}
