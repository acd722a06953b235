import type { Finding, PreflightScope } from '../dialect.js';
import type { Session } from '../session.js';
import { isAtLeast, type Server } from './flavour.js';
import { type Grants, grantsOf } from './grants.js';

/** Checks and window functions: MySQL has the one since 8.0.16, the other since 8.0; MariaDB both since 10.2. */
const OLDEST = { mysql: [8, 0, 16], mariadb: [10, 2, 1] } as const;

interface Settings {
  read_only: number | string;
  log_bin: number | string;
  trust: number | string;
  database_name: string | null;
  user: string;
}

/** What would keep the upgrade from succeeding, all at once; reads only. */
export async function preflight(session: Session, server: Server, scope: PreflightScope): Promise<Finding[]> {
  const [settings] = await session.rows<Settings>(
    'SELECT @@global.read_only AS read_only, @@global.log_bin AS log_bin, @@global.log_bin_trust_function_creators AS trust, DATABASE() AS database_name, CURRENT_USER() AS user',
  );
  if (!settings) return [];
  const grants = await grantsOf(session);
  return [
    ...serverFindings(server, settings, grants),
    ...privilegeFindings(settings, grants),
    ...triggerFindings(settings, grants, scope),
    ...collationFindings(scope),
    ...(await replicas(session)),
    ...(await otherSessions(session)),
  ];
}

const isOn = (value: number | string) => value === 'ON' || Number(value) === 1;

function serverFindings(server: Server, settings: Settings, grants: Grants): Finding[] {
  const oldest = OLDEST[server.flavour];
  const findings: Finding[] = [];
  if (!isAtLeast(server, oldest))
    findings.push({
      severity: 'refuses',
      found: `${server.flavour === 'mariadb' ? 'MariaDB' : 'MySQL'} ${server.version.join('.')}`,
      fix: `upgrade the server to ${oldest.join('.')} or newer`,
    });
  if (isOn(settings.read_only) && !grants.has('SUPER') && !grants.has('READ_ONLY ADMIN'))
    findings.push({ severity: 'refuses', found: 'the server is read-only', fix: 'connect to the primary server' });
  if (settings.database_name === null)
    findings.push({
      severity: 'refuses',
      found: 'the store URI names no database',
      fix: 'write the database behind the last slash',
    });
  return findings;
}

const NEEDED = ['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'CREATE', 'ALTER', 'DROP', 'INDEX', 'REFERENCES'];

function privilegeFindings(settings: Settings, grants: Grants): Finding[] {
  if (grants.has('ALL PRIVILEGES') || grants.has('ROLE')) return [];
  const lacking = NEEDED.filter((privilege) => !grants.has(privilege));
  if (lacking.length === 0) return [];
  return [
    {
      severity: 'refuses',
      found: `user ${settings.user} lacks ${lacking.join(', ')} on database ${settings.database_name}`,
      fix: `as an administrator: GRANT ALL PRIVILEGES ON \`${settings.database_name}\`.* TO ${account(settings.user)}`,
    },
  ];
}

const account = (user: string) => {
  const at = user.lastIndexOf('@');
  return `'${user.slice(0, at)}'@'${user.slice(at + 1)}'`;
};

/** Error 1419: with binary logging a trigger takes more than the TRIGGER privilege, and the revision would stop half-way. */
function triggerFindings(settings: Settings, grants: Grants, scope: PreflightScope): Finding[] {
  if (!scope.createsTrigger || grants.has('ROLE')) return [];
  const findings: Finding[] = [];
  if (!grants.has('ALL PRIVILEGES') && !grants.has('TRIGGER'))
    findings.push({
      severity: 'refuses',
      found: `user ${settings.user} lacks TRIGGER on database ${settings.database_name}`,
      fix: `as an administrator: GRANT TRIGGER ON \`${settings.database_name}\`.* TO ${account(settings.user)}`,
    });
  const mayAlways = ['SUPER', 'ALL PRIVILEGES', 'SET USER'].some((each) => grants.has(each));
  if (isOn(settings.log_bin) && !isOn(settings.trust) && !mayAlways)
    findings.push({
      severity: 'refuses',
      found:
        'the server keeps a binary log and lets only administrators make triggers (log_bin_trust_function_creators is off)',
      fix: 'as an administrator: SET GLOBAL log_bin_trust_function_creators = 1, for the time of the upgrade',
    });
  return findings;
}

/** References between tables of different collations are refused by the server (error 1005 or 3780). */
function collationFindings(scope: PreflightScope): Finding[] {
  const collations = Map.groupBy(
    [...scope.schema.tables.values()].filter(({ name, collation }) => collation && !name.startsWith('alembic_version')),
    ({ collation }) => collation ?? '',
  );
  if (collations.size < 2) return [];
  const [most, ...others] = [...collations].sort(([, a], [, b]) => b.length - a.length);
  const odd = others.flatMap(([, tables]) => tables.map(({ name }) => name));
  return [
    {
      severity: 'warns',
      found: `tables of more than one collation: most are ${most?.[0]}, but ${odd.join(', ')} ${odd.length === 1 ? 'is' : 'are'} not`,
      fix: `a reference between the two would be refused; to be safe: ALTER TABLE <table> CONVERT TO CHARACTER SET ${most?.[0].split('_')[0]} COLLATE ${most?.[0]}`,
    },
  ];
}

/** Replicas are seen by the threads that send them the binary log: with the PROCESS privilege only. */
async function replicas(session: Session): Promise<Finding[]> {
  const [row] = await session.rows<{ n: number | string }>(
    "SELECT COUNT(*) AS n FROM information_schema.PROCESSLIST WHERE COMMAND LIKE 'Binlog Dump%'",
  );
  const n = Number(row?.n ?? 0);
  if (n === 0) return [];
  return [
    {
      severity: 'warns',
      found: `${n === 1 ? '1 replica follows' : `${n} replicas follow`} this server`,
      fix: 'watch the lag of replicas: each runs an ALTER only when it has ended here, and for as long again',
    },
  ];
}

async function otherSessions(session: Session): Promise<Finding[]> {
  const [row] = await session.rows<{ n: number | string }>(
    'SELECT COUNT(*) AS n FROM information_schema.PROCESSLIST WHERE DB = DATABASE() AND ID <> CONNECTION_ID()',
  );
  const n = Number(row?.n ?? 0);
  if (n === 0) return [];
  return [
    {
      severity: 'warns',
      found: `${n === 1 ? '1 other session is' : `${n} other sessions are`} connected to this database`,
      fix: 'stop the MLflow servers first: they wait while tables are locked, and older ones fail on the new schema',
    },
  ];
}
