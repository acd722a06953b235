import { randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { Transform, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { sql } from 'kysely';
import { MtrackError, messageOf } from '../../errors.js';
import { type DatabaseUri, formatUri } from '../../uri.js';
import { type BackupFile, unreadable } from '../backup-file.js';
import {
  type BackupContext,
  type BackupReader,
  type Backups,
  type Identity,
  type Origin,
  SCRATCH_PREFIX,
  type Scratch,
  type TakeOptions,
} from '../backups.js';
import type { Database, OpenOptions } from '../dialect.js';
import type { Session } from '../session.js';
import { notTaken, PLAIN_ENVIRONMENT, runTool, ToolFailed } from '../tools.js';
import { openSession } from './connect.js';
import { readDump } from './dump.js';
import type { Server } from './flavour.js';
import type { MysqlOptions } from './options.js';
import { writeStatements } from './restore.js';
import { quote } from './spell.js';
import { connectionArguments, isEncrypted, isOfMariadb, mysqlTool, variables } from './tools.js';

interface Source {
  readonly uri: DatabaseUri;
  readonly connection: MysqlOptions;
  readonly options: OpenOptions;
  readonly server: Server;
  /** Opens another database of the same server. */
  readonly openOther: (uri: DatabaseUri) => Promise<Database>;
}

export const reader: BackupReader = {
  recognise: ({ isFolder, head }) => {
    if (isFolder) return null;
    const text = head.toString('latin1', 0, 8192);
    return /^-- (?:MySQL|MariaDB) dump |^\/\*M?!999999\\- enable|^\/\*!40\d{3} SET @OLD_|^CREATE TABLE `/m.test(text)
      ? 'sql'
      : null;
  },
  read: (file, _, sink, { signal, onProgress }) =>
    readDump(streamOf(file, onProgress), sink, signal).catch((error: unknown) => {
      throw unreadable(error, file.path);
    }),
};

function streamOf(file: BackupFile, onProgress: BackupContext['onProgress']) {
  let done = 0;
  return file.stream((n) => {
    done += n;
    onProgress({ what: 'reading', done, total: file.bytes, unit: 'bytes' });
  });
}

export function backupsOf(source: Source): Backups {
  return {
    formats: [{ name: 'sql', extension: '.sql', isFolder: false, parallel: false }],
    writesHere: true,
    reader,
    identify,
    take: (options) => take(source, options),
    createScratch: () => createScratch(source),
    dropLeftovers: () => dropLeftovers(source),
  };
}

/** MySQL and MariaDB name it differently, and old ones have none. */
async function identify(session: Session): Promise<Identity> {
  const [server] = await session.rows<{ Value: string }>(
    "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('server_uuid', 'server_uid')",
  );
  const [database] = await session.rows<{ name: string }>('SELECT DATABASE() AS name');
  return {
    facts: { ...(server && { server: server.Value }), ...(database && { database: database.name }) },
    firm: server !== undefined,
  };
}

// ---------------------------------------------------------------- taking

async function take(source: Source, { path, signal, onProgress }: TakeOptions): Promise<Origin> {
  const { uri, connection, options, server } = source;
  const environment = options.tools ?? PLAIN_ENVIRONMENT;
  const tool = await mysqlTool('dump', server, environment);
  const session = await openSession(connection);
  const about = await aboutServer(session).finally(() => session.close());
  const takenAt = Date.now();
  let done = 0;
  const shown = new Transform({
    transform: (chunk: Buffer, _, pass) => {
      for (const [, table = ''] of chunk.toString('latin1').matchAll(/^-- Dumping data for table `(.+)`$/gm))
        onProgress({ what: table, done: ++done, total: about.tables, unit: 'tables' });
      pass(null, chunk);
    },
  });
  await runTool(
    {
      tool,
      args: [
        ...connectionArguments(uri, connection.attempts[0], {
          tool,
          tls: options.mysqlTls,
          encrypted: about.encrypted,
        }),
        // One state of the database, without a lock that others would wait for.
        '--single-transaction',
        '--routines',
        '--triggers',
        '--hex-blob',
        // Neither is of the database, and both need rights that its owner may not have.
        '--no-tablespaces',
        ...(isOfMariadb(tool) ? [] : ['--set-gtid-purged=OFF', '--column-statistics=0']),
        '--max-allowed-packet=1G',
        uri.database ?? '',
      ],
      env: variables(environment, connection.attempts[0]),
      signal,
    },
    { output: (stdout) => pipeline(stdout, shown, createWriteStream(path, { flags: 'wx' })) },
  ).catch((error: unknown) => {
    throw notTaken(error, [
      'see what it said; the user of the store URI needs SELECT, SHOW VIEW and TRIGGER on the database',
    ]);
  });
  return { tool: tool.version, server: about.version, database: uri.database, takenAt };
}

async function aboutServer(session: Session): Promise<{ version: string; tables: number; encrypted: boolean }> {
  const [row] = await session.rows<{ version: string; n: number | string }>(
    "SELECT VERSION() AS version, COUNT(*) AS n FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_TYPE = 'BASE TABLE'",
  );
  return { version: row?.version ?? '', tables: Number(row?.n ?? 0), encrypted: await isEncrypted(session) };
}

// ---------------------------------------------------------------- scratch databases

async function createScratch(source: Source): Promise<Scratch> {
  const { uri, connection, options, server } = source;
  const name = `${SCRATCH_PREFIX}${randomBytes(6).toString('hex')}`;
  const keeper = await openSession(connection);
  const drop = async () => {
    await keeper.run(`DROP DATABASE IF EXISTS ${quote(name)}`).finally(() => keeper.close());
  };
  try {
    // As long as the process lives, which shows others that the database is not left over.
    await keeper.rows(sql`SELECT GET_LOCK(${name}, 10) AS got`);
    await keeper.run('SET SESSION wait_timeout = 31536000');
    const [row] = await keeper.rows<{ charset: string; collation: string }>(
      'SELECT DEFAULT_CHARACTER_SET_NAME AS charset, DEFAULT_COLLATION_NAME AS collation FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = DATABASE()',
    );
    await keeper.run(
      `CREATE DATABASE ${quote(name)} CHARACTER SET ${row?.charset ?? 'utf8mb4'} COLLATE ${row?.collation ?? 'utf8mb4_general_ci'}`,
    );
    return {
      database: await source.openOther({ ...uri, database: name }),
      drop,
      restore: async (file, context) => {
        const environment = options.tools ?? PLAIN_ENVIRONMENT;
        const tool = await mysqlTool('client', server, environment);
        const login = { tool, tls: options.mysqlTls, encrypted: await isEncrypted(keeper) };
        await runTool(
          {
            tool,
            args: [
              ...connectionArguments(uri, connection.attempts[0], login),
              '--batch',
              // Bytes are taken as they are, and what looks like a command of the client is not one.
              '--binary-mode',
              '--max-allowed-packet=1G',
              `--database=${name}`,
            ],
            env: variables(environment, connection.attempts[0]),
            signal: context.signal,
          },
          { input: (stdin: Writable) => writeStatements(streamOf(file, context.onProgress), stdin, context.signal) },
        ).catch((error: unknown) => {
          throw notRestored(error, file.path);
        });
      },
    };
  } catch (error) {
    await drop().catch(() => undefined);
    throw error instanceof MtrackError ? error : notMade(error, uri);
  }
}

async function dropLeftovers({ connection }: Source): Promise<string[]> {
  const session = await openSession(connection);
  try {
    const found = await session.rows<{ name: string }>(
      sql`SELECT SCHEMA_NAME AS name FROM information_schema.SCHEMATA WHERE LEFT(SCHEMA_NAME, ${SCRATCH_PREFIX.length}) = ${SCRATCH_PREFIX}`,
    );
    const dropped: string[] = [];
    for (const { name } of found) {
      const [lock] = await session.rows<{ free: number | string | null }>(sql`SELECT IS_FREE_LOCK(${name}) AS free`);
      if (Number(lock?.free ?? 0) !== 1) continue;
      await session.run(`DROP DATABASE IF EXISTS ${quote(name)}`);
      dropped.push(name);
    }
    return dropped;
  } finally {
    await session.close();
  }
}

function notMade(error: unknown, uri: DatabaseUri): MtrackError {
  return new MtrackError('RESTORE_FAILED', {
    found: `no scratch database could be made beside ${formatUri(uri)}: ${messageOf(error)}`,
    expected: 'a user that may make databases of that name, which are dropped again',
    fix: [
      `GRANT ALL PRIVILEGES ON \`mtrack\\_scratch\\_%\`.* TO <user>`,
      'or restore elsewhere: --scratch-uri with a database of another server, beside which it is made',
    ],
    cause: error,
  });
}

function notRestored(error: unknown, path: string): unknown {
  if (!(error instanceof ToolFailed)) return unreadable(error, path);
  return new MtrackError('RESTORE_FAILED', {
    found: `${path} could not be restored: ${error.lines.slice(-5).join('\n') || error.message}`,
    expected: 'every statement of the backup to be executed',
    fix: [
      'take a new backup: mtrack db backup',
      'a trigger may need log_bin_trust_function_creators = 1 on the server',
    ],
    cause: error,
  });
}
