/**
 * Every implementation of a store, for suites that all of them run. A fresh store is at the head and has the default
 * experiment only; a database comes from a template that is made once for each test file.
 */
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe } from 'vitest';
import { DEFAULT_POOL } from '../../src/config.js';
import type { OpenOptions } from '../../src/dialect/dialect.js';
import { HEAD } from '../../src/schema/lineage.js';
import { type OpenStoreOptions, openStore } from '../../src/store/open.js';
import type { Store } from '../../src/store/store.js';
import { parseStoreUri } from '../../src/uri.js';
import type { Server, TestDatabase } from '../support/databases.js';
import { upgradeTo } from '../support/state.js';
import { forEachDialect } from '../support/suites.js';

export const CONNECTION: OpenOptions = {
  pool: DEFAULT_POOL,
  mysqlTls: { ca: null, cert: null, key: null },
  postgresql: {},
};

export interface Implementation {
  readonly kind: 'database' | 'file';
  /** Of a database; null for files. */
  readonly server: Server | null;
  /** @param revision of a database, for MLflow's own store of a release; the head where none is given */
  fresh(revision?: string): Promise<TestStore>;
  /** The same store once more, in another place. */
  copyOf(store: TestStore): Promise<TestStore>;
}

export interface TestStore extends AsyncDisposable {
  readonly uri: string;
  /** A folder, the root of artifacts. */
  readonly artifactRoot: string;
  /** Null for files. */
  readonly database: TestDatabase | null;
  /** The store, opened; a second call opens it a second time, as another process would. What is open is closed at the end. */
  open(options?: Partial<OpenStoreOptions>): Promise<Store>;
}

/** One suite for each implementation; where a server is missing, it is skipped by name. */
export async function forEachStore(title: string, suite: (implementation: Implementation) => void): Promise<void> {
  await forEachDatabaseStore(title, suite);
  describe(`${title}: files`, () => suite(FILES));
}

export const FILES: Implementation = {
  kind: 'file',
  server: null,
  fresh: async () => fileStore(mkdtempSync(join(tmpdir(), 'mtrack-test-'))),
  copyOf: async ({ uri }) => {
    const copy = fileStore(mkdtempSync(join(tmpdir(), 'mtrack-test-')));
    cpSync(uri, copy.uri, { recursive: true });
    return copy;
  },
};

/** A store in a folder, `mlruns` there, which is made by who opens it first; all is removed with it. */
export function fileStore(folder: string): TestStore {
  const root = join(folder, 'mlruns');
  const stores: Store[] = [];
  return {
    uri: root,
    artifactRoot: root,
    database: null,
    open: async (options = {}) => {
      const store = await openStore(parseStoreUri(root), { connection: CONNECTION, artifactRoot: root, ...options });
      stores.push(store);
      return store;
    },
    [Symbol.asyncDispose]: async () => {
      for (const store of stores) await store.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export async function forEachDatabaseStore(
  title: string,
  suite: (implementation: Implementation & { readonly server: Server }) => void,
): Promise<void> {
  await forEachDialect(title, (server) => {
    const templates = new Map<string, Promise<TestDatabase>>();
    const made = async (revision: string) => {
      const database = await server.empty();
      await upgradeTo(database, revision);
      return database;
    };
    afterAll(async () => {
      for (const template of templates.values()) await (await template).drop();
    });
    suite({
      kind: 'database',
      server,
      fresh: async (revision = HEAD) => {
        const template = templates.get(revision) ?? made(revision);
        templates.set(revision, template);
        return databaseStore(await server.copy(await template));
      },
      copyOf: async ({ database }) => {
        if (database === null) throw new Error('it is no database');
        return databaseStore(await server.copy(database));
      },
    });
  });
}

/** A database as a store, which is dropped with it. */
export function databaseStore(database: TestDatabase): TestStore {
  const folder = mkdtempSync(join(tmpdir(), 'mtrack-test-'));
  const artifactRoot = join(folder, 'artifacts');
  mkdirSync(artifactRoot);
  const stores: Store[] = [];
  return {
    uri: database.uri,
    artifactRoot,
    database,
    open: async (options = {}) => {
      const store = await openStore(parseStoreUri(database.uri), { connection: CONNECTION, artifactRoot, ...options });
      stores.push(store);
      return store;
    },
    [Symbol.asyncDispose]: async () => {
      for (const store of stores) await store.close();
      await database.drop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
