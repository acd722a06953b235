import { createHash, randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { MtrackError, messageOf } from '../../errors.js';
import { type DatabaseUri, formatUri } from '../../uri.js';
import type { Backups, Identity, Scratch, TakeOptions } from '../backups.js';
import { SCRATCH_PREFIX } from '../backups.js';
import type { Database, OpenOptions } from '../dialect.js';
import type { Session } from '../session.js';
import { notTaken, PLAIN_ENVIRONMENT, runTool, ToolFailed } from '../tools.js';
import { asText, reader } from './archive.js';
import { openSession } from './connect.js';
import type { PostgresqlOptions } from './options.js';
import { writeStatements } from './restore.js';
import { literal, quote } from './spell.js';
import { connectionVariables, pgTool } from './tools.js';

interface Source {
  readonly uri: DatabaseUri;
  readonly connection: PostgresqlOptions;
  readonly options: OpenOptions;
  /** Opens another database of the same server. */
  readonly openOther: (uri: DatabaseUri) => Promise<Database>;
}

const PROGRAM = 'mtrack';
/** Where databases are made from, as one cannot be made from inside itself. */
const MAINTENANCE = 'postgres';

export function backupsOf(source: Source): Backups {
  return {
    formats: [
      { name: 'custom', extension: '.dump', isFolder: false, parallel: false },
      { name: 'directory', extension: '', isFolder: true, parallel: true },
      { name: 'plain', extension: '.sql', isFolder: false, parallel: false },
    ],
    writesHere: true,
    reader,
    identify,
    take: (options) => take(source, options),
    createScratch: () => createScratch(source),
    dropLeftovers: () => dropLeftovers(source),
  };
}

/** The identifier is made with the server's files, and shared by its physical copies alone. */
async function identify(session: Session): Promise<Identity> {
  const [database] = await session.rows<{ oid: string }>(
    'SELECT oid::text AS oid FROM pg_database WHERE datname = current_database()',
  );
  // Not every server that speaks PostgreSQL has the function, or lets everybody call it.
  const [callable] = await session.rows(
    "SELECT 1 AS yes FROM pg_proc WHERE proname = 'pg_control_system' AND has_function_privilege(oid, 'execute')",
  );
  const [control] = callable
    ? await session.rows<{ id: string }>('SELECT system_identifier::text AS id FROM pg_control_system()')
    : [];
  return {
    facts: { ...(control && { server: control.id }), ...(database && { database: database.oid }) },
    firm: control !== undefined,
  };
}

const variables = ({ uri, connection, options }: Source, database?: string) =>
  connectionVariables(
    uri,
    { ...connection.attempts[0], ...(database !== undefined && { database }) },
    { environment: options.postgresql, tools: options.tools ?? PLAIN_ENVIRONMENT },
  );

async function serverVersion(session: Session): Promise<{ text: string; major: number }> {
  const [row] = await session.rows<{ text: string; number: string }>(
    "SELECT current_setting('server_version') AS text, current_setting('server_version_num') AS number",
  );
  return { text: row?.text ?? '', major: Math.floor(Number(row?.number ?? 0) / 10_000) };
}

async function take(source: Source, { path, format, jobs, signal, onProgress }: TakeOptions) {
  const session = await openSession(source.connection, `${PROGRAM} (reading)`);
  try {
    const { text, major } = await serverVersion(session);
    const tool = await pgTool('pg_dump', source.options.tools ?? PLAIN_ENVIRONMENT, major);
    const [tables] = await session.rows<{ n: string }>(
      "SELECT COUNT(*) AS n FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'r' AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'",
    );
    const total = Number(tables?.n ?? 0);
    let done = 0;
    const takenAt = Date.now();
    await runTool({
      tool,
      args: [
        `--format=${format}`,
        `--file=${path}`,
        ...(jobs > 1 ? [`--jobs=${jobs}`] : []),
        // Somebody who holds a lock on a table is waited for, and not for ever.
        '--lock-wait-timeout=60000',
        '--no-password',
        '--verbose',
      ],
      env: variables(source),
      signal,
      onLine: (line) => {
        const table = /dumping contents of table "(?:[^"]*\.)?([^".]+)"/.exec(line)?.[1];
        if (table !== undefined) onProgress({ what: table, done: ++done, total, unit: 'tables' });
      },
    }).catch((error: unknown) => {
      throw notTaken(error instanceof ToolFailed ? withoutTalk(error, tool) : error, [
        'see what pg_dump said; the user of the store URI must be able to read every table',
        'stop what holds a lock on a table, if that is what it waited for',
      ]);
    });
    return { tool: tool.version, server: text, database: source.connection.attempts[0].database, takenAt };
  } finally {
    await session.close();
  }
}

/** With --verbose pg_dump tells of all that it does. */
function withoutTalk({ lines }: ToolFailed, tool: Awaited<ReturnType<typeof pgTool>>): ToolFailed {
  const errors = lines.filter((line) => /error|FATAL|detail|hint|aborting/i.test(line));
  return new ToolFailed(tool, 'failed', errors.length > 0 ? errors : lines.slice(-3));
}

// ---------------------------------------------------------------- scratch databases

/** The lock that a living run holds on its scratch database: the class is ours, the number is of the name. */
const LOCK_CLASS = 0x6d7453;
const lockOf = (name: string) => createHash('sha256').update(name).digest().readInt32BE(0);

/** A session from which databases are made and dropped. */
async function maintenance({ connection }: Source): Promise<Session> {
  const [first] = connection.attempts;
  const to = (database: string): PostgresqlOptions => ({
    ...connection,
    attempts: [{ ...first, database }, ...connection.attempts.slice(1).map((each) => ({ ...each, database }))],
  });
  return openSession(to(MAINTENANCE), PROGRAM).catch(() => openSession(to(first.database), PROGRAM));
}

async function createScratch(source: Source): Promise<Scratch> {
  const name = `${SCRATCH_PREFIX}${randomBytes(6).toString('hex')}`;
  const keeper = await maintenance(source);
  const drop = async () => {
    // The connections of our own tools may take a moment to be gone.
    await keeper.run(`DROP DATABASE IF EXISTS ${quote(name)} WITH (FORCE)`).finally(() => keeper.close());
  };
  try {
    await keeper.rows(sql`SELECT pg_advisory_lock(${LOCK_CLASS}, ${lockOf(name)})`);
    await keeper.run(`CREATE DATABASE ${quote(name)} TEMPLATE template0 ${await localeOf(source, keeper)}`);
    const database = await source.openOther({ ...source.uri, database: name, query: withoutDatabase(source.uri) });
    return {
      database,
      drop,
      restore: async (file, context) => {
        const environment = source.options.tools ?? PLAIN_ENVIRONMENT;
        const tool = await pgTool('psql', environment);
        const format = reader.recognise(file) ?? '';
        try {
          await asText(file, format, { ...context, environment }, (text) =>
            runTool(
              {
                tool,
                args: [
                  '--no-psqlrc',
                  '--quiet',
                  '--no-password',
                  '--set=ON_ERROR_STOP=1',
                  '--output=/dev/null',
                  // A dump with a statement for each row would take a commit for each.
                  '--single-transaction',
                  '--file=-',
                ],
                env: variables(source, name),
                signal: context.signal,
              },
              { input: (stdin) => writeStatements(text, stdin, context.signal) },
            ),
          );
        } catch (error) {
          throw notRestored(error, file.path);
        }
      },
    };
  } catch (error) {
    await drop().catch(() => undefined);
    throw error instanceof MtrackError ? error : notMade(error, formatUri(source.uri));
  }
}

/** The way texts are sorted and compared is that of the source. */
async function localeOf({ connection }: Source, keeper: Session): Promise<string> {
  const [row] = await keeper.rows<{ db: Record<string, string | null> }>(
    sql`SELECT to_jsonb(d) || jsonb_build_object('encoding', pg_encoding_to_char(d.encoding)) AS db FROM pg_database d WHERE d.datname = ${connection.attempts[0].database}`,
  );
  const { encoding, datcollate, datctype, datlocprovider, datlocale, daticulocale } = row?.db ?? {};
  const text = (word: string, value: string | null | undefined) => (value ? [`${word} ${literal(value)}`] : []);
  const provider = { i: 'icu', b: 'builtin' }[datlocprovider ?? ''];
  return [
    ...text('ENCODING', encoding),
    ...text('LC_COLLATE', datcollate),
    ...text('LC_CTYPE', datctype),
    ...(provider ? [`LOCALE_PROVIDER ${provider}`] : []),
    ...text(provider === 'builtin' ? 'BUILTIN_LOCALE' : 'ICU_LOCALE', provider && (datlocale ?? daticulocale)),
  ].join(' ');
}

/** The name of the database may be said among the options, where it would win. */
function withoutDatabase({ query }: DatabaseUri): DatabaseUri['query'] {
  return new Map([...query].filter(([name]) => name !== 'dbname' && name !== 'database'));
}

async function dropLeftovers(source: Source): Promise<string[]> {
  const session = await maintenance(source);
  try {
    const found = await session.rows<{ name: string }>(
      sql`SELECT datname AS name FROM pg_database WHERE starts_with(datname, ${SCRATCH_PREFIX}) AND pg_has_role(datdba, 'usage')`,
    );
    const dropped: string[] = [];
    for (const { name } of found) {
      // Whoever made it holds the lock as long as it lives.
      const [lock] = await session.rows<{ free: boolean }>(
        sql`SELECT pg_try_advisory_lock(${LOCK_CLASS}, ${lockOf(name)}) AS free`,
      );
      if (!lock?.free) continue;
      await session.run(`DROP DATABASE IF EXISTS ${quote(name)} WITH (FORCE)`);
      await session.rows(sql`SELECT pg_advisory_unlock(${LOCK_CLASS}, ${lockOf(name)})`);
      dropped.push(name);
    }
    return dropped;
  } finally {
    await session.close();
  }
}

function notMade(error: unknown, shown: string): MtrackError {
  return new MtrackError('RESTORE_FAILED', {
    found: `no scratch database could be made beside ${shown}: ${messageOf(error)}`,
    expected: 'a user that may make databases, which are dropped again',
    fix: [
      'ALTER ROLE <user> CREATEDB',
      'or restore elsewhere: --scratch-uri with a database of another server, beside which it is made',
    ],
    cause: error,
  });
}

function notRestored(error: unknown, path: string): unknown {
  if (!(error instanceof ToolFailed)) return error;
  return new MtrackError('RESTORE_FAILED', {
    found: `${path} could not be restored: ${error.lines.slice(-5).join('\n') || error.message}`,
    expected: 'every statement of the backup to be executed',
    fix: ['take a new backup: mtrack db backup', 'if the message names an extension: install it on this server'],
    cause: error,
  });
}
