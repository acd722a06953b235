import type { Finding, PreflightScope } from '../dialect.js';
import type { Session } from '../session.js';
import { EXACT, quote } from './spell.js';

/** SQL Server 2016 and its compatibility level: JSON and DATEDIFF_BIG came with them. */
const OLDEST = { major: 13, name: 'SQL Server 2016', compatibility: 130 } as const;

/** What all of an upgrade needs on the schema: ALTER covers constraints, indexes and triggers. */
const NEEDED = ['ALTER', 'SELECT', 'INSERT', 'UPDATE', 'DELETE', 'REFERENCES'] as const;

interface Server {
  version: string | null;
  major: number | null;
  /** 5 and 8: Azure, which always counts as version 12. */
  engine: number;
  database: string;
  schema: string | null;
  user: string;
  compatibility: number;
  read_only: boolean;
  updateability: string | null;
  collation: string | null;
  may_create: number | null;
  may_see: number | null;
  others: number;
}

const may = (permission: string) =>
  `HAS_PERMS_BY_NAME(QUOTENAME(SCHEMA_NAME()), N'SCHEMA', N'${permission}') AS [${permission}]`;

/** What is asked; the tests have it parsed by the server's own grammar. */
export const QUERIES = {
  server: `SELECT CAST(SERVERPROPERTY('ProductVersion') AS nvarchar(128)) AS [version], CAST(SERVERPROPERTY('ProductMajorVersion') AS int) AS [major],
  CAST(SERVERPROPERTY('EngineEdition') AS int) AS [engine], d.name AS [database], SCHEMA_NAME() AS [schema], USER_NAME() AS [user],
  CAST(d.compatibility_level AS int) AS [compatibility], d.is_read_only AS [read_only], d.collation_name AS [collation],
  CAST(DATABASEPROPERTYEX(d.name, 'Updateability') AS nvarchar(128)) AS [updateability],
  HAS_PERMS_BY_NAME(QUOTENAME(DB_NAME()), N'DATABASE', N'CREATE TABLE') AS [may_create],
  CASE WHEN SERVERPROPERTY('EngineEdition') = 5 THEN HAS_PERMS_BY_NAME(QUOTENAME(DB_NAME()), N'DATABASE', N'VIEW DATABASE STATE') ELSE HAS_PERMS_BY_NAME(NULL, NULL, N'VIEW SERVER STATE') END AS [may_see],
  (SELECT COUNT(*) FROM sys.dm_exec_sessions s WHERE s.is_user_process = 1 AND s.database_id = DB_ID() AND s.session_id <> @@SPID) AS [others]
FROM sys.databases d WHERE d.database_id = DB_ID()`,
  permissions: `SELECT ${NEEDED.map(may).join(', ')}`,
  // A name without a schema falls back to dbo, so that MLflow's tables there could be taken for ours.
  elsewhere: `SELECT s.name AS [schema] FROM sys.tables t JOIN sys.schemas s ON s.schema_id = t.schema_id
WHERE t.name = N'alembic_version' AND s.name = N'dbo' AND t.schema_id <> SCHEMA_ID()
  AND NOT EXISTS (SELECT 1 FROM sys.tables o WHERE o.name = t.name AND o.schema_id = SCHEMA_ID())`,
  watched: `SELECT t.name AS [name] FROM sys.tables t
WHERE t.schema_id = SCHEMA_ID() AND (t.is_published = 1 OR t.is_replicated = 1 OR t.is_tracked_by_cdc = 1 OR t.temporal_type <> 0) ORDER BY t.name`,
} as const;

/** What would keep the upgrade from succeeding, all at once; reads only. */
export async function preflight(session: Session, scope: PreflightScope): Promise<Finding[]> {
  const [server] = await session.rows<Server>(QUERIES.server);
  if (!server) return [];
  return [
    ...serverFindings(server),
    ...(await schemaFindings(session, server)),
    ...(await privilegeFindings(session, server, scope)),
    ...collationFindings(server, scope),
    ...(await watchedTables(session, scope)),
    ...sessionFindings(server),
  ];
}

const refuses = (found: string, fix: string): Finding => ({ severity: 'refuses', found, fix });
const warns = (found: string, fix: string): Finding => ({ severity: 'warns', found, fix });

function serverFindings(server: Server): Finding[] {
  const { major, engine, version, compatibility, database } = server;
  const isAzure = engine === 5 || engine === 8;
  const isReadOnly = server.read_only || server.updateability === 'READ_ONLY';
  return [
    ...(!isAzure && major !== null && major < OLDEST.major
      ? [
          refuses(
            `SQL Server of version ${version}`,
            `upgrade the server to ${OLDEST.name} (version ${OLDEST.major}) or newer`,
          ),
        ]
      : []),
    ...(compatibility < OLDEST.compatibility
      ? [
          refuses(
            `the database has compatibility level ${compatibility}, at which JSON cannot be read`,
            `ALTER DATABASE ${quote(database)} SET COMPATIBILITY_LEVEL = ${OLDEST.compatibility}`,
          ),
        ]
      : []),
    ...(isReadOnly
      ? [
          refuses(
            `database ${database} takes no writes`,
            'connect to the primary replica, or SET READ_WRITE on the database',
          ),
        ]
      : []),
  ];
}

async function schemaFindings(session: Session, { user, schema }: Server): Promise<Finding[]> {
  if (schema === null)
    return [refuses(`user ${user} has no default schema`, `ALTER USER ${quote(user)} WITH DEFAULT_SCHEMA = dbo`)];
  const [elsewhere] = await session.rows<{ schema: string }>(QUERIES.elsewhere);
  if (!elsewhere) return [];
  return [
    refuses(
      `the default schema of user ${user} is ${schema}, but alembic_version is in ${elsewhere.schema}`,
      `ALTER USER ${quote(user)} WITH DEFAULT_SCHEMA = ${quote(elsewhere.schema)}, or connect as the user that MLflow connects as`,
    ),
  ];
}

async function privilegeFindings(
  session: Session,
  server: Server,
  { createsTables }: PreflightScope,
): Promise<Finding[]> {
  const { user, schema, database } = server;
  if (schema === null) return [];
  const [row] = await session.rows<Record<(typeof NEEDED)[number], number | null>>(QUERIES.permissions);
  const lacking = NEEDED.filter((permission) => row?.[permission] === 0);
  return [
    ...(lacking.length > 0
      ? [
          refuses(
            `user ${user} lacks ${lacking.join(', ')} on schema ${schema}`,
            `as an administrator: ALTER ROLE db_owner ADD MEMBER ${quote(user)}, or GRANT ${lacking.join(', ')} ON SCHEMA::${quote(schema)} TO ${quote(user)}`,
          ),
        ]
      : []),
    ...(createsTables && server.may_create === 0
      ? [
          refuses(
            `user ${user} may not create tables in database ${database}`,
            `as an administrator: GRANT CREATE TABLE TO ${quote(user)}`,
          ),
        ]
      : []),
  ];
}

/** Both sides of a reference must have one collation (error 1757), and new columns get that of the database. */
function collationFindings({ collation, database }: Server, { schema, createsTables }: PreflightScope): Finding[] {
  const odd = [...schema.tables.values()].flatMap((table) =>
    table.columns.flatMap(({ name, type }) => {
      const own = type.kind === 'native' ? / COLLATE (\w+)$/.exec(type.sql)?.[1] : undefined;
      return own === undefined || own === collation || own === EXACT ? [] : [{ column: `${table.name}.${name}`, own }];
    }),
  );
  const [first] = odd;
  if (!first) return [];
  const others = odd.length > 1 ? ` and ${odd.length - 1} other columns` : '';
  return [
    (createsTables ? refuses : warns)(
      `${first.column}${others} have the collation ${first.own}, and the database ${collation}: new tables could not refer to them`,
      `ALTER DATABASE ${quote(database)} COLLATE ${first.own}, which changes no column that is there`,
    ),
  ];
}

/** Replication, change data capture and system versioning each forbid some changes of a table. */
async function watchedTables(session: Session, { schema }: PreflightScope): Promise<Finding[]> {
  const rows = await session.rows<{ name: string }>(QUERIES.watched);
  const ours = rows.filter(({ name }) => schema.tables.has(name)).map(({ name }) => name);
  if (ours.length === 0) return [];
  return [
    warns(
      `${ours.join(', ')}: replicated, captured (CDC) or system-versioned, so that the server may refuse to change them`,
      'take these tables out of it for the time of the upgrade; if the server refuses, the revision is rolled back whole',
    ),
  ];
}

function sessionFindings({ others, may_see, user }: Server): Finding[] {
  const fix = 'stop the MLflow servers first: they wait while tables are locked, and older ones fail on the new schema';
  if (others > 0)
    return [warns(`${others} other ${others === 1 ? 'session is' : 'sessions are'} connected to this database`, fix)];
  if (may_see !== 0) return [];
  return [warns(`whether others are connected to this database, user ${user} may not see (VIEW SERVER STATE)`, fix)];
}
