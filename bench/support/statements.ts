/** The statements that a store sends, recorded as its drivers get them, and run again without the store. */
import { createRequire } from 'node:module';

export interface Measured {
  readonly perSecond: number;
  /** Milliseconds. */
  readonly cpu: number;
}

type Measure = (work: () => Promise<unknown>) => Promise<Measured>;

interface Recorded {
  readonly sql: string;
  readonly values: readonly unknown[];
}

/** Receives what a driver is given to run. */
let recording: Recorded[] | null = null;

const require = createRequire(import.meta.url);

/** As much of the drivers as is used here; they are CommonJS, and without types of their own. */
interface Driver {
  connect(uri: string): Promise<{ run(statement: Recorded): unknown; close(): unknown }>;
}

type Query = (this: unknown, ...given: unknown[]) => unknown;

function recorded(prototype: { query: Query }): void {
  const { query } = prototype;
  prototype.query = function (...given) {
    const [first, second] = given;
    const config = first as { sql?: string; text?: string; values?: unknown[] };
    const sql = typeof first === 'string' ? first : (config.text ?? config.sql);
    const values = Array.isArray(second) ? second : config.values;
    if (recording && sql !== undefined) recording.push({ sql, values: values ?? [] });
    return query.apply(this, given);
  };
}

const { Client } = require('pg') as {
  Client: {
    new (options: object): { connect(): Promise<void>; query: Query; end(): void };
    prototype: { query: Query };
  };
};
recorded(Client.prototype);
const mysql = require('mysql2') as {
  createConnection(options: object): { query: Query; end(): void };
  Connection: { prototype: { query: Query } };
};
recorded(Object.getPrototypeOf(mysql.Connection.prototype) as { query: Query });

interface Prepared {
  readonly reader: boolean;
  all(values: readonly unknown[]): unknown;
  run(values: readonly unknown[]): unknown;
}
const Sqlite = require('better-sqlite3') as {
  new (path: string): { prepare(sql: string): Prepared; close(): void };
  prototype: { prepare(sql: string): Prepared };
};
const { prepare } = Sqlite.prototype;
Sqlite.prototype.prepare = function (sql) {
  const statement = prepare.call(this, sql);
  const watched =
    <Result>(run: (values: readonly unknown[]) => Result) =>
    (values: readonly unknown[]) => {
      recording?.push({ sql, values });
      return run(values);
    };
  return {
    reader: statement.reader,
    all: watched((values) => statement.all(values)),
    run: watched((values) => statement.run(values)),
  };
};

const DRIVERS: Readonly<Record<string, Driver>> = {
  sqlite: {
    connect: async (uri) => {
      const database = new Sqlite(uri.replace('sqlite:///', ''));
      const kept = new Map<string, Prepared>();
      const run = ({ sql, values }: Recorded) => {
        const statement = kept.get(sql) ?? prepare.call(database, sql);
        kept.set(sql, statement);
        return statement.reader ? statement.all(values) : statement.run(values);
      };
      run({ sql: 'PRAGMA case_sensitive_like = ON', values: [] });
      return { run, close: () => database.close() };
    },
  },
  postgresql: {
    connect: async (uri) => {
      const client = new Client({ connectionString: uri.replace('+psycopg2', '') });
      await client.connect();
      const names = new Map<string, string>();
      const run = ({ sql, values }: Recorded) => {
        if (values.length === 0) return client.query(sql);
        const name = names.get(sql) ?? `s${names.size}`;
        names.set(sql, name);
        return client.query({ name, text: sql, values });
      };
      return { run, close: () => client.end() };
    },
  },
  mysql: {
    connect: async (uri) => {
      const connection = mysql.createConnection({ uri: uri.replace('+pymysql', '') });
      const run = ({ sql, values }: Recorded) =>
        new Promise((resolve, reject) => {
          connection.query(sql, values, (error: unknown, rows: unknown) => (error ? reject(error) : resolve(rows)));
        });
      return { run, close: () => connection.end() };
    },
  },
};

/** Other times, steps and values each time: else nothing would be written. */
function later(value: unknown, by: number): unknown {
  if (Array.isArray(value)) return value.map((each) => later(each, by));
  // 0 and 1 may be booleans.
  return typeof value === 'number' && value > 1 ? value + by : value;
}

/** What the work's statements take by themselves, one after the other on one connection. */
export async function raw(
  name: string,
  uri: string,
  work: () => Promise<unknown>,
  writes: boolean,
  measure: Measure,
): Promise<Measured | null> {
  const driver = DRIVERS[name];
  if (!driver) return null;
  await work();
  const statements: Recorded[] = [];
  recording = statements;
  await work();
  recording = null;
  // A param is written once only.
  const repeatable = statements.filter(({ sql }) => !/^insert into .params/i.test(sql));
  const connection = await driver.connect(uri);
  let time = 0;
  const measured = await measure(async () => {
    time += 1_000_000;
    for (const { sql, values } of repeatable) {
      await connection.run({ sql, values: writes ? values.map((value) => later(value, time)) : values });
    }
  });
  connection.close();
  return measured;
}
