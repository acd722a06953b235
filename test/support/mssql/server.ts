/**
 * A SQL Server for tests: the protocol of tds.ts before the model of model.ts. It has no rows but those of
 * alembic_version, answers the dialect's own queries, and refuses SQL that it does not know.
 */
import { QUERIES as OF_DATABASE } from '../../../src/dialect/mssql/index.js';
import { QUERIES as OF_LOCK } from '../../../src/dialect/mssql/lock.js';
import { QUERIES as OF_PREFLIGHT } from '../../../src/dialect/mssql/preflight.js';
import { catalogRows } from './catalog.js';
import { COLLATION, ModelError, ModelServer, type ModelTable } from './model.js';
import { type Answer, type TdsRequest, TdsServer } from './tds.js';

export interface FakeOptions {
  /** The schema to begin with, and its version. */
  readonly model?: Map<string, ModelTable>;
  readonly version?: string | null;
  readonly encrypts?: boolean;
  /** Answers in place of the server, once for each request that it says something about. */
  readonly instead?: (request: TdsRequest, server: FakeServer) => Answer | null;
  readonly preflight?: Readonly<Record<string, string | number | boolean | null>>;
}

/** Of one connection, as the server keeps it. */
interface SessionState {
  before: { model: Map<string, ModelTable>; version: string | null } | null;
  abortsOnError: boolean;
  settings: string[];
}

export class FakeServer {
  readonly model: ModelServer;
  version: string | null;
  readonly sessions = new Map<number, SessionState>();
  /** The connection that holds the lock of the upgrade. */
  lockedBy: number | null = null;
  readonly #options: FakeOptions;

  constructor(options: FakeOptions) {
    this.#options = options;
    this.model = ModelServer.from(options.model ?? new Map());
    this.version = options.version ?? null;
  }

  static with<T>(options: FakeOptions, use: (tds: TdsServer, server: FakeServer) => Promise<T>): Promise<T> {
    const server = new FakeServer(options);
    return TdsServer.with(
      {
        answer: (request) => server.answer(request),
        ...(options.encrypts !== undefined && { encrypts: options.encrypts }),
      },
      (tds) => use(tds, server),
    );
  }

  answer(request: TdsRequest): Answer {
    const session = this.#session(request.connection);
    const instead = this.#options.instead?.(request, this);
    if (instead) {
      if ('errors' in instead && instead.rollsBack) this.#rollBack(session);
      return instead;
    }
    switch (request.kind) {
      case 'login':
        return { changed: 0 };
      case 'begin':
        session.before = { model: this.model.snapshot(), version: this.version };
        return { changed: 0 };
      case 'commit':
        session.before = null;
        return { changed: 0 };
      case 'rollback':
        this.#rollBack(session);
        return { changed: 0 };
      case 'closed':
        // Locks and transactions end with their session.
        this.#rollBack(session);
        if (this.lockedBy === request.connection) this.lockedBy = null;
        return { changed: 0 };
      default:
        return this.#run(request, session);
    }
  }

  #session(connection: number): SessionState {
    const known = this.sessions.get(connection);
    if (known) return known;
    const session = { before: null, abortsOnError: false, settings: [] };
    this.sessions.set(connection, session);
    return session;
  }

  #rollBack(session: SessionState): void {
    if (!session.before) return;
    this.model.restore(session.before.model);
    this.version = session.before.version;
    session.before = null;
  }

  #run(request: Extract<TdsRequest, { sql: string }>, session: SessionState): Answer {
    try {
      return this.#query(request) ?? this.#setting(request, session) ?? this.#statement(request);
    } catch (error) {
      if (!(error instanceof ModelError)) throw error;
      const rollsBack = session.abortsOnError && session.before !== null;
      if (rollsBack) this.#rollBack(session);
      return { errors: [{ number: error.number, message: error.message }], rollsBack };
    }
  }

  /** Queries of the dialect, told by their text. */
  #query({ sql, connection }: Extract<TdsRequest, { sql: string }>): Answer | null {
    const ofCatalog = catalogRows(this.model, sql);
    if (ofCatalog) return { rows: ofCatalog };
    const isVersioned = this.model.tables.has('alembic_version');
    switch (sql) {
      case OF_DATABASE.database:
        return { rows: [{ name: 'mlflow', collation: COLLATION }] };
      case OF_DATABASE.versionTable:
        return { rows: isVersioned ? [{ there: 1 }] : [] };
      case OF_DATABASE.versions:
        if (!isVersioned) throw new ModelError(208, "Invalid object name 'alembic_version'.");
        return { rows: this.version === null ? [] : [{ version_num: this.version }] };
      case OF_LOCK.take:
        if (this.lockedBy !== null && this.lockedBy !== connection) return { rows: [{ result: -1 }] };
        this.lockedBy = connection;
        return { rows: [{ result: 0 }] };
      case OF_LOCK.holds:
        return { rows: [{ mode: this.lockedBy === connection ? 'Exclusive' : 'NoLock' }] };
      case OF_LOCK.release:
        if (this.lockedBy === connection) this.lockedBy = null;
        return { changed: 0 };
      case OF_LOCK.holders:
      case OF_LOCK.blockers:
        return {
          rows: [
            {
              session: 71,
              user: 'mlflow',
              program: 'Python',
              host: 'web-1',
              status: 'sleeping',
              seconds: 12,
              query: 'SELECT 1',
            },
          ],
        };
      case OF_PREFLIGHT.server:
        return { rows: [{ ...SERVER, ...this.#options.preflight }] };
      case OF_PREFLIGHT.permissions:
        return { rows: [{ ALTER: 1, SELECT: 1, INSERT: 1, UPDATE: 1, DELETE: 1, REFERENCES: 1 }] };
      case OF_PREFLIGHT.elsewhere:
      case OF_PREFLIGHT.watched:
        return { rows: [] };
      default:
        return null;
    }
  }

  #setting({ sql, kind }: Extract<TdsRequest, { sql: string }>, session: SessionState): Answer | null {
    if (!/^\s*set /i.test(sql)) return null;
    // In sp_executesql the settings would end with it.
    if (kind === 'batch') {
      session.settings.push(...sql.split(/;?\n/).map((each) => each.trim().toUpperCase()));
      if (/SET XACT_ABORT ON/i.test(sql)) session.abortsOnError = true;
    }
    return { changed: 0 };
  }

  #statement(request: Extract<TdsRequest, { sql: string }>): Answer {
    const { sql } = request;
    const values = 'parameters' in request ? request.parameters.map(({ value }) => String(value)) : [];
    if (/^INSERT INTO \[alembic_version\]/.test(sql)) {
      this.version = values[0] ?? null;
      return { changed: 1 };
    }
    if (/^UPDATE \[alembic_version\]/.test(sql)) {
      const [to = null, from] = values;
      const isSame = this.version === from;
      if (isSame) this.version = to;
      return { changed: isSame ? 1 : 0 };
    }
    if (/^SELECT COUNT/.test(sql)) return { rows: [{ n: 0 }] };
    // Statistics of tables, keys of chunks, rows that break a condition: there are no rows.
    if (/^SELECT\b/.test(sql)) return { rows: [] };
    if (/^(INSERT|UPDATE|DELETE)\b/.test(sql)) return { changed: 0 };
    this.model.run(sql);
    return { changed: 0 };
  }
}

const SERVER = {
  version: '16.0.4135.4',
  major: 16,
  engine: 3,
  database: 'mlflow',
  schema: 'dbo',
  user: 'mtrack',
  compatibility: 160,
  read_only: false,
  updateability: 'READ_WRITE',
  collation: COLLATION,
  may_create: 1,
  may_see: 1,
  others: 0,
} as const;
