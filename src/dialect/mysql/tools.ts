/**
 * The dump and the client program of MySQL or MariaDB, told where the server is by arguments, and by nothing else: the option
 * files of the user are not read. The password is in MYSQL_PWD, as an option file would have to be a file.
 */
import type { ConnectionOptions } from 'mysql2';
import type { TlsFiles } from '../../config.js';
import { type DatabaseUri, UriOptions } from '../../uri.js';
import type { Session } from '../session.js';
import { findTool, type Tool, type ToolEnvironment } from '../tools.js';
import type { Server } from './flavour.js';
import { type Protection, protectionOf } from './options.js';

/** The server's own tool first: that of the other flavour does not know all that it has. */
const NAMES = {
  dump: { mariadb: ['mariadb-dump', 'mysqldump'], mysql: ['mysqldump', 'mariadb-dump'] },
  client: { mariadb: ['mariadb', 'mysql'], mysql: ['mysql', 'mariadb'] },
} as const;

/** @throws {MtrackError} BACKUP_FAILED */
export function mysqlTool(which: keyof typeof NAMES, { flavour }: Server, environment: ToolEnvironment): Promise<Tool> {
  const names = NAMES[which][flavour];
  return findTool(names, environment, { needed: names.join(' or ') });
}

export const isOfMariadb = ({ version }: Tool): boolean => /mariadb/i.test(version);

/** The first arguments of a tool. @param encrypted whether mtrack's own connection is, where the URI leaves it open */
export function connectionArguments(
  uri: DatabaseUri,
  { host, port, user, socketPath }: ConnectionOptions,
  { tool, tls, encrypted }: { tool: Tool; tls: TlsFiles; encrypted: boolean },
): string[] {
  const options = new UriOptions(uri.query);
  const protection = protectionOf(options, uri.driver ?? 'mysqldb', tls);
  const file = (name: string, path: string | null) => (path === null ? [] : [`--${name}=${path}`]);
  const certificate = tls.cert ?? options.text('ssl_cert');
  const isProtected = protection !== 'none' && (protection !== 'preferred' || encrypted);
  return [
    '--no-defaults',
    ...(socketPath === undefined
      ? ['--protocol=TCP', `--host=${host ?? 'localhost'}`, `--port=${port ?? 3306}`]
      : ['--protocol=SOCKET', `--socket=${socketPath}`]),
    ...(user === undefined ? [] : [`--user=${user}`]),
    '--default-character-set=utf8mb4',
    ...(isOfMariadb(tool) ? mariadbProtection(protection, isProtected) : mysqlProtection(protection, isProtected)),
    ...(isProtected
      ? [
          ...file('ssl-ca', tls.ca ?? options.text('ssl_ca')),
          ...file('ssl-cert', certificate),
          ...file('ssl-key', tls.key ?? options.text('ssl_key') ?? certificate),
        ]
      : []),
  ];
}

/** It cannot check the certificate without the name: where one is to be checked, both are. */
function mariadbProtection(protection: Protection, isProtected: boolean): string[] {
  if (!isProtected) return ['--skip-ssl'];
  return ['--ssl', protection.startsWith('verify') ? '--ssl-verify-server-cert' : '--disable-ssl-verify-server-cert'];
}

function mysqlProtection(protection: Protection, isProtected: boolean): string[] {
  if (!isProtected) return ['--ssl-mode=DISABLED'];
  const mode = { 'verify-ca': 'VERIFY_CA', 'verify-identity': 'VERIFY_IDENTITY' } as const;
  return [
    `--ssl-mode=${protection === 'verify-ca' || protection === 'verify-identity' ? mode[protection] : 'REQUIRED'}`,
  ];
}

export function variables(tools: ToolEnvironment, { password }: ConnectionOptions): ToolEnvironment {
  const others = Object.entries(tools).filter(([name]) => !/^(?:MYSQL|MARIADB)_/.test(name));
  return { ...Object.fromEntries(others), ...(password && { MYSQL_PWD: password }) };
}

/** Whether the connection of a session is encrypted. */
export async function isEncrypted(session: Session): Promise<boolean> {
  const [row] = await session.rows<{ Value: string }>("SHOW SESSION STATUS LIKE 'Ssl_cipher'");
  return (row?.Value ?? '') !== '';
}
