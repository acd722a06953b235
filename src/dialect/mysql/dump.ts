/** The text that mysqldump or mariadb-dump writes (https://dev.mysql.com/doc/refman/8.4/en/mysqldump.html). */
import type { Readable } from 'node:stream';
import { MtrackError } from '../../errors.js';
import { NO_ORIGIN, type Origin, type RowSink } from '../backups.js';
import { beginningOf, damaged, decoded, eachLine, StatementScanner, truncated } from '../dump-text.js';
import { eachTuple } from '../insert-values.js';
import { interrupted } from '../tools.js';

/** A statement, and the same without the comment that tells older servers not to run it. */
export type OnStatement = (text: string, inside: string) => void;

const FIRST_WORDS =
  /^(?:SET|DROP|CREATE|LOCK|UNLOCK|ALTER|INSERT|REPLACE|USE|COMMIT|START|BEGIN|CHANGE|FLUSH|ANALYZE)\b/i;
const SYNTAX = { backslashes: true, names: '`', dollars: false, conditional: true } as const;
/** What is set back at the very end. */
const LAST = /^SET (?:SQL_NOTES|NOTE_VERBOSITY) ?= ?@OLD_/i;
/** The first line of MariaDB's, which its client alone knows (https://mariadb.org/mariadb-dump-file-compatibility-change/). */
const SANDBOX = /^\/\*M?!999999\\- enable the sandbox mode \*\/\s*$/;

/**
 * Reads a dump to its end.
 * @returns what its comments say
 * @throws {MtrackError} BACKUP_TRUNCATED, BACKUP_DAMAGED, BACKUP_UNKNOWN, INTERRUPTED; and what the stream throws
 */
export async function scanDump(
  stream: Readable,
  onStatement: OnStatement,
  { signal, afterChunk }: { signal: AbortSignal; afterChunk?: () => void | Promise<void> },
): Promise<Origin> {
  let origin: Origin = NO_ORIGIN;
  let isComplete = false;
  const databases = new Set<string>();
  const scanner = new StatementScanner(SYNTAX, (text) => {
    const inside = text.replace(/^\/\*M?!\d*\s*/, '');
    if (!FIRST_WORDS.test(inside)) throw damaged(`no statement of a dump: ${beginningOf(text)}`);
    isComplete = LAST.test(inside);
    const used = /^USE `(.+)`$/i.exec(inside)?.[1];
    if (used !== undefined) databases.add(decoded(used));
    if (databases.size > 1) throw ofSeveral([...databases]);
    onStatement(text, inside);
  });
  const onLine = (line: string) => {
    if (scanner.isBetween && /^(?:--(?:\s|$)|\s*$)/.test(line)) {
      if (/^-- Dump completed/.test(line)) isComplete = true;
      origin = { ...origin, ...saidBy(line) };
    } else if (scanner.isBetween && SANDBOX.test(line)) return;
    else if (scanner.isBetween && line.startsWith('DELIMITER ')) scanner.terminator = line.slice(10).trim();
    else scanner.push(line);
  };
  await eachLine(stream, onLine, () => {
    if (signal.aborted) throw interrupted(signal);
    return afterChunk?.();
  });
  if (scanner.unfinished !== '') throw truncated(`the dump ends in the middle of: ${beginningOf(scanner.unfinished)}`);
  if (!isComplete)
    throw truncated(
      'the dump has no last line, "Dump completed": it was cut off, or made with --compact, which writes none',
    );
  return { ...origin, database: [...databases][0] ?? origin.database };
}

function ofSeveral(names: readonly string[]): MtrackError {
  return new MtrackError('BACKUP_UNKNOWN', {
    found: `the dump is of several databases: ${names.join(', ')}`,
    expected: 'a backup of one database',
    fix: ['dump the database by itself: mtrack db backup'],
  });
}

function saidBy(comment: string): Partial<Origin> {
  const tool = /^-- ((?:MySQL|MariaDB) dump .*?),? for /.exec(comment)?.[1];
  if (tool !== undefined) return { tool: tool.replace(/\s+/g, ' ') };
  const database = /^-- Host: .*\sDatabase: (.+)$/.exec(comment)?.[1];
  if (database !== undefined) return { database: decoded(database.trim()) };
  const server = /^-- Server version\s+(.+)$/.exec(comment)?.[1];
  if (server !== undefined) return { server };
  // The time of the machine that made it, which is taken to be in this one's zone.
  const [, date, time] = /^-- Dump completed on (\d{4}-\d\d-\d\d)\s+(\d{1,2}:\d\d:\d\d)/.exec(comment) ?? [];
  const at = Date.parse(`${date}T${time?.padStart(8, '0')}`);
  return Number.isNaN(at) ? {} : { takenAt: at };
}

/** Reads a dump, and tells a sink of its tables and rows. */
export function readDump(stream: Readable, sink: RowSink, signal: AbortSignal): Promise<Origin> {
  const tables = new Map<string, { columns: readonly string[]; wanted: readonly number[] | null }>();
  const onStatement: OnStatement = (text, inside) => {
    const created = CREATE.exec(inside)?.[1];
    if (created !== undefined) {
      const name = unquoted(created);
      const columns = [...inside.matchAll(/^ {2}`((?:[^`]|``)+)` /gm)].map(([, each = '']) => unquoted(each));
      tables.set(name, { columns, wanted: sink.table(name, columns) });
    }
    const insert = INSERT.exec(text);
    if (!insert) return;
    const [head, target = '', list] = insert;
    const name = unquoted(target);
    const table = tables.get(name);
    if (!table) throw damaged(`rows of ${name}, and no CREATE TABLE before them`);
    const columns =
      list === undefined ? table.columns : [...list.matchAll(QUOTED)].map(([, each = '']) => unquoted(each));
    const wanted = table.wanted?.map((place) => columns.indexOf(table.columns[place] ?? '')) ?? null;
    const about = { columns: columns.length, wanted: wanted ?? [], syntax: VALUES };
    eachTuple(
      text,
      head.length,
      about,
      wanted === null ? () => sink.rows(name, 1) : (values) => sink.row(name, values),
    );
  };
  return scanDump(stream, onStatement, { signal });
}

const NAME = '`((?:[^`]|``)+)`';
const QUOTED = new RegExp(NAME, 'g');
const CREATE = new RegExp(`^CREATE TABLE (?:IF NOT EXISTS )?${NAME} \\(`);
const INSERT = new RegExp(`^(?:INSERT|REPLACE)(?:\\s+IGNORE)?\\s+INTO ${NAME}(?: \\(([^)]*)\\))? VALUES\\s*`);

const unquoted = (name: string) => decoded(name.replaceAll('``', '`'));

const ESCAPES: Readonly<Record<string, string>> = { '0': '\0', b: '\b', n: '\n', r: '\r', t: '\t', Z: '\x1a' };
const VALUES = {
  backslashes: true,
  textOf: (text: string) =>
    decoded(
      text.replace(/\\(.)|''/gs, (_, sign: string | undefined) => (sign === undefined ? "'" : (ESCAPES[sign] ?? sign))),
    ),
} as const;
