/** Which file a SQLite URI means, as SQLAlchemy and Python's sqlite3 see it. */
import { type Machine, thisMachine } from '../../config.js';
import { type DatabaseUri, UriOptions, unquote, uriInvalid } from '../../uri.js';

const DRIVERS = ['pysqlite', 'aiosqlite'];
const FORMS = 'sqlite:///relative/path.db or sqlite:////absolute/path.db (sqlite:///C:\\path.db on Windows)';

/**
 * The path as given, relative or absolute; null is a database in memory.
 * @throws {MtrackError} URI_INVALID when the URI names no file, or wants it opened in a way that is not supported
 */
export function sqlitePath(uri: DatabaseUri, machine: Pick<Machine, 'exists'> = thisMachine): string | null {
  if (uri.driver !== null && !DRIVERS.includes(uri.driver)) {
    throw uriInvalid(`the driver ${uri.driver} is not known for SQLite`, { expected: DRIVERS.join(', ') });
  }
  // The parts are not shown: with a slash missing, any of them may be a piece of something else.
  if (uri.host || uri.port || uri.user || uri.password) {
    throw uriInvalid('the store URI has a host, user or port, and SQLite is a file', {
      expected: FORMS,
      fix: ['write three slashes before a relative path, and four before an absolute one'],
    });
  }
  const options = new UriOptions(uri.query);
  const named = options.flag('uri') ?? false;
  // Of Python's module, without effect on what is in the file; how long to wait is said by flags.
  options.ignore('timeout', 'isolation_level', 'detect_types', 'check_same_thread', 'cached_statements');
  const path = named && uri.database?.startsWith('file:') ? sqliteUriPath(uri.database, options) : uri.database;
  if (!named) {
    options.refuse('mode', 'it does nothing without uri=true and a file: path', `write ${FORMS}; looking never writes`);
  }
  options.refuseOthers();
  if (!path || path === ':memory:') return null;
  return named ? path : existing(path, machine);
}

/**
 * SQLAlchemy 2.0 takes the path as it stands, 2.1 decodes it, and URIs are written for either. The file that is there is
 * the one; a new one gets the name as it stands.
 */
function existing(path: string, machine: Pick<Machine, 'exists'>): string {
  const decoded = unquote(path);
  return decoded !== path && !machine.exists(path) && machine.exists(decoded) ? decoded : path;
}

/** The path in `file:path`, `file:///path` or `file://localhost/path` (https://www.sqlite.org/uri.html). */
function sqliteUriPath(text: string, options: UriOptions): string {
  const mode = options.choice(['ro', 'rw', 'rwc', 'memory'], 'mode');
  const instead = `write ${FORMS}`;
  if (mode === 'ro') options.refuse('mode', 'the file must not be written to', `${instead}; looking never writes`);
  options.refuse('immutable', 'the file is said never to change', instead);
  options.refuse('nolock', 'without locks a running MLflow would corrupt the file', instead);
  options.refuse('vfs', "SQLite's own access to files is used", instead);
  options.ignore('cache', 'psow', 'modeof');
  const [, host, path = ''] = /^file:(?:\/\/([^/#]*))?([^#]*)/u.exec(text) ?? [];
  if (host && host !== 'localhost') throw uriInvalid('the file: path is on another machine', { expected: FORMS });
  const decoded = unquote(path);
  return mode === 'memory' || decoded === ':memory:' ? '' : decoded;
}
