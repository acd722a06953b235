import { sql } from 'kysely';
import type { Finding, PreflightScope } from '../dialect.js';
import type { Session } from '../session.js';

/** Generated columns came with 12 (https://www.postgresql.org/docs/12/ddl-generated-columns.html); spans has one. */
const OLDEST = 12;

interface Server {
  version: string;
  number: number;
  recovering: boolean;
  read_only: string;
  database: string;
  schema: string | null;
  user: string;
  may_create: boolean | null;
  may_make_temporary: boolean;
  others: number;
  replicas: number;
}

/** What would keep the upgrade from succeeding, all at once; reads only. */
export async function preflight(session: Session, scope: PreflightScope): Promise<Finding[]> {
  const [server] = await session.rows<Server>(sql`
    SELECT current_setting('server_version') AS version, current_setting('server_version_num')::int / 10000 AS number,
           pg_is_in_recovery() AS recovering, (SELECT reset_val FROM pg_settings WHERE name = 'default_transaction_read_only') AS read_only,
           current_database() AS database, current_schema() AS schema, current_user AS "user",
           CASE WHEN current_schema() IS NULL THEN NULL ELSE has_schema_privilege(current_schema(), 'CREATE') END AS may_create,
           has_database_privilege(current_database(), 'TEMP') AS may_make_temporary,
           (SELECT count(*)::int FROM pg_stat_replication) AS replicas,
           (SELECT count(*)::int FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend') AS others`);
  if (!server) return [];
  return [...serverFindings(server, scope), ...(await foreignTables(session, server.user, scope))];
}

function serverFindings(server: Server, scope: PreflightScope): Finding[] {
  const findings: Finding[] = [];
  const refuse = (found: string, fix: string) => findings.push({ severity: 'refuses', found, fix });
  if (server.number < OLDEST)
    refuse(`PostgreSQL ${server.version}`, `upgrade the server to PostgreSQL ${OLDEST} or newer`);
  if (server.recovering) refuse('the server is a standby', 'connect to the primary server');
  if (server.read_only === 'on')
    refuse('default_transaction_read_only is on', 'connect as a user, and to a database, that may write');
  if (server.schema === null)
    refuse(
      'no schema of the search_path exists, or none may be used',
      'create the schema, or name another one: ?options=-csearch_path=<schema>',
    );
  if (server.may_create === false && scope.createsTables)
    refuse(
      `user ${server.user} may not create tables in schema ${server.schema} (since PostgreSQL 15, not everybody may in public)`,
      `as the owner of the schema: GRANT CREATE ON SCHEMA "${server.schema}" TO "${server.user}"`,
    );
  if (!server.may_make_temporary)
    refuse(
      `user ${server.user} may not make temporary objects in this database, which the reading of JSON needs`,
      `as the owner of the database: GRANT TEMPORARY ON DATABASE "${server.database}" TO "${server.user}"`,
    );
  if (server.replicas > 0)
    findings.push({
      severity: 'warns',
      found: `${server.replicas === 1 ? '1 standby follows' : `${server.replicas} standbys follow`} this server`,
      fix: 'watch the lag and the disk of standbys: they replay every table that is written again, and lock it as here',
    });
  if (server.others > 0)
    findings.push({
      severity: 'warns',
      found: `${server.others === 1 ? '1 other session is' : `${server.others} other sessions are`} connected to this database`,
      fix: 'stop the MLflow servers first: they wait while tables are locked, and older ones fail on the new schema',
    });
  return findings;
}

/** Only the owner of a table may alter it. */
async function foreignTables(session: Session, user: string, scope: PreflightScope): Promise<Finding[]> {
  const rows = await session.rows<{ name: string; owner: string }>(sql`
    SELECT c.relname AS name, pg_get_userbyid(c.relowner) AS owner FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = current_schema()
    WHERE c.relkind IN ('r', 'p') AND NOT pg_has_role(current_user, c.relowner, 'USAGE') ORDER BY 1`);
  const ours = rows.filter(({ name }) => scope.schema.tables.has(name));
  const [first] = ours;
  if (!first) return [];
  return [
    {
      severity: 'refuses',
      found: `user ${user} does not own ${ours.length} of the tables, among them ${first.name} (owner ${first.owner})`,
      fix: `run as ${first.owner}, or as a member of that role: GRANT "${first.owner}" TO "${user}"`,
    },
  ];
}
