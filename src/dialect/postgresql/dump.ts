/**
 * A dump of PostgreSQL as text: what pg_dump writes in its plain format, and pg_restore of any other
 * (https://www.postgresql.org/docs/current/app-pgdump.html).
 */
import { isUtf8 } from 'node:buffer';
import type { Readable } from 'node:stream';
import { NO_ORIGIN, type Origin, type RowSink } from '../backups.js';
import { beginningOf, damaged, decoded, eachLine, StatementScanner, truncated } from '../dump-text.js';
import { eachTuple } from '../insert-values.js';
import { interrupted } from '../tools.js';

/** Receives the pieces of a dump, in their order. */
export interface DumpHandlers {
  /** A statement of SQL, without its semicolon. */
  statement(text: string): void;
  /** COPY … FROM stdin, whose rows follow as lines. */
  copy(statement: string): void;
  copyLine(line: string): void;
  copyEnd(): void;
  /** A line for psql, which begins with a backslash. */
  meta(line: string): void;
  afterChunk?(): void | Promise<void>;
}

/** What statements of a dump begin with; everything else is damage, or no dump. */
const FIRST_WORDS =
  /^(?:SET|SELECT|CREATE|ALTER|COMMENT|COPY|INSERT|GRANT|REVOKE|DROP|REFRESH|SECURITY|DELETE|UPDATE|LOCK|BEGIN|COMMIT|DO)\b/i;
const SYNTAX = { backslashes: false, names: '"', dollars: true, conditional: false } as const;

/**
 * Reads a dump to its end.
 * @returns what its comments say
 * @throws {MtrackError} BACKUP_TRUNCATED, BACKUP_DAMAGED, INTERRUPTED; and what the stream throws
 */
export async function scanDump(stream: Readable, handlers: DumpHandlers, signal: AbortSignal): Promise<Origin> {
  let inCopy = false;
  let isComplete = false;
  let isUnicode = false;
  let origin: Origin = NO_ORIGIN;
  const scanner = new StatementScanner(SYNTAX, (text) => {
    if (!FIRST_WORDS.test(text)) throw damaged(`no statement of a dump: ${beginningOf(text)}`);
    if (/^SET client_encoding = 'UTF8'$/.test(text)) isUnicode = true;
    if (/^COPY\b.*\bFROM stdin$/s.test(text)) {
      inCopy = true;
      handlers.copy(text);
    } else handlers.statement(text);
  });
  const onLine = (line: string, isEnded: boolean) => {
    if (inCopy && !isEnded) throw truncated('the dump ends in the middle of a row');
    if (isUnicode && NOT_ASCII.test(line) && !isUtf8(Buffer.from(line, 'latin1')))
      throw damaged(`a line is not UTF-8, as the dump says it is: ${beginningOf(line)}`);
    if (inCopy) {
      if (line === '\\.') {
        inCopy = false;
        handlers.copyEnd();
      } else handlers.copyLine(line);
    } else if (scanner.isBetween && line.startsWith('\\')) handlers.meta(line);
    else if (scanner.isBetween && line.startsWith('--')) {
      if (/^-- PostgreSQL database (?:cluster )?dump complete/.test(line)) isComplete = true;
      origin = { ...origin, ...saidBy(line) };
    } else scanner.push(line);
  };
  await eachLine(stream, onLine, () => {
    if (signal.aborted) throw interrupted(signal);
    return handlers.afterChunk?.();
  });
  if (inCopy) throw truncated('the dump ends in the middle of the rows of a table');
  if (scanner.unfinished !== '') throw truncated(`the dump ends in the middle of: ${beginningOf(scanner.unfinished)}`);
  if (!isComplete) throw truncated('the dump has no last line, "PostgreSQL database dump complete"');
  return origin;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: all that is not ASCII.
const NOT_ASCII = /[^\u0000-\u007f]/;

function saidBy(comment: string): Partial<Origin> {
  const [, what, value = ''] =
    /^-- (Dumped from database version|Dumped by pg_dump version|Started on) (.+)$/.exec(comment) ?? [];
  switch (what) {
    case 'Dumped from database version':
      return { server: value };
    case 'Dumped by pg_dump version':
      return { tool: `pg_dump ${value}` };
    case 'Started on':
      return { takenAt: localTime(value) };
    default:
      return {};
  }
}

/** `2026-11-25 13:19:59 UTC`: the time of the machine that made the dump, which is taken to be in this one's zone. */
export function localTime(text: string): number | null {
  const [, date, time] = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)/.exec(text) ?? [];
  const at = Date.parse(`${date}T${time}`);
  return Number.isNaN(at) ? null : at;
}

/** Reads a dump, and tells a sink of its tables and rows. */
export function readDump(stream: Readable, sink: RowSink, signal: AbortSignal): Promise<Origin> {
  const tables = new Map<string, Declared>();
  const declare = (name: string, columns: readonly string[]) => {
    const known = tables.get(name);
    if (known) return known;
    const table = { columns, wanted: sink.table(name, columns) };
    tables.set(name, table);
    return table;
  };
  let copying = { name: '', columns: 0, wanted: null as readonly number[] | null };
  return scanDump(
    stream,
    {
      statement: (text) => {
        const created = createdTable(text);
        if (created) declare(created.name, created.columns);
        const insert = INSERT.exec(text);
        if (!insert) return;
        const [head, target = '', list] = insert;
        const name = nameOf(target);
        const columns = list === undefined ? tables.get(name)?.columns : columnNames(list);
        const wanted = placesIn(columns ?? [], declare(name, columns ?? []));
        const about = { columns: columns?.length ?? null, wanted: wanted ?? [], syntax: VALUES };
        eachTuple(text, head.length, about, (values) => sink.row(name, values));
      },
      copy: (statement) => {
        const [, target = '', list = ''] = COPY.exec(statement) ?? [];
        const name = nameOf(target);
        const columns = columnNames(list);
        copying = { name, columns: columns.length, wanted: placesIn(columns, declare(name, columns)) };
      },
      copyLine: (line) => {
        const fields = line.split('\t');
        const { name, columns, wanted } = copying;
        // A table without columns has lines without text.
        if (fields.length !== Math.max(1, columns))
          throw damaged(`a row of ${name} has ${fields.length} values where the table has ${columns} columns`);
        if (wanted === null) sink.rows(name, 1);
        else
          sink.row(
            name,
            wanted.map((place) => fieldOf(fields[place])),
          );
      },
      copyEnd: () => undefined,
      meta: () => undefined,
    },
    signal,
  );
}

interface Declared {
  readonly columns: readonly string[];
  /** Places of columns among them. */
  readonly wanted: readonly number[] | null;
}

/** Where the wanted columns are in rows, which need not have all columns that were declared, or in that order. */
function placesIn(columns: readonly string[], { columns: declared, wanted }: Declared): readonly number[] | null {
  return wanted?.map((place) => columns.indexOf(declared[place] ?? '')) ?? null;
}

const NAME = String.raw`(?:"(?:[^"]|"")+"|[\w$]+)`;
const QUALIFIED = `${NAME}(?:\\.${NAME})?`;
const COPY = new RegExp(`^COPY (${QUALIFIED}) \\(([^)]*)\\) FROM stdin$`, 's');
const INSERT = new RegExp(
  `^INSERT INTO (${QUALIFIED})(?: \\(([^)]*)\\))?(?: OVERRIDING (?:SYSTEM|USER) VALUE)?\\s+VALUES\\s*`,
  's',
);
const CREATE = new RegExp(`^CREATE (?:UNLOGGED )?TABLE (?:IF NOT EXISTS )?(${QUALIFIED}) \\((.*)\\)`, 's');
const VALUES = { backslashes: false, textOf: (text: string) => decoded(text.replaceAll("''", "'")) } as const;

/** The name alone: MLflow's tables are in one schema. */
function nameOf(target: string): string {
  return unquoted(target.match(new RegExp(NAME, 'g'))?.at(-1) ?? target);
}

const unquoted = (name: string) => decoded(name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name);

const columnNames = (list: string): string[] => (list.match(new RegExp(NAME, 'g')) ?? []).map(unquoted);

/** Columns and constraints are written one in a line, four blanks in. */
function createdTable(text: string): { name: string; columns: string[] } | null {
  const [, target, body = ''] = CREATE.exec(text) ?? [];
  if (target === undefined) return null;
  const columns = [...body.matchAll(new RegExp(`^    (${NAME}) `, 'gm'))].map(([, name = '']) => name);
  return { name: nameOf(target), columns: columns.filter((name) => name !== 'CONSTRAINT').map(unquoted) };
}

const ESCAPES: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };

/** A value in the text format of COPY (https://www.postgresql.org/docs/current/sql-copy.html#id-1.9.3.55.9.2). */
function fieldOf(field: string | undefined): string | null {
  if (field === undefined || field === '\\N') return null;
  if (!field.includes('\\')) return decoded(field);
  return decoded(field.replace(/\\(.)/gs, (_, sign: string) => ESCAPES[sign] ?? sign));
}
