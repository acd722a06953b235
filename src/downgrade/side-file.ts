/**
 * The side file of a downgrade: the rows that it takes something from, as they were. Lines of JSON: a header, for each loss a
 * heading and its rows, and an end that seals what is before it.
 *
 * It is written beside its name and renamed when it is whole and on the disk, before anything is changed.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { sql } from 'kysely';
import type { Dialect } from '../dialect/dialect.js';
import type { Session } from '../dialect/session.js';
import { MtrackError, messageOf } from '../errors.js';
import { lineOf, lineReader } from '../rows/json.js';
import { readRows } from '../rows/read.js';
import type { Row } from '../rows/values.js';
import { isKnown, schemaAt } from '../schema/lineage.js';
import type { Column, Schema, Table } from '../schema/model.js';
import type { Traits } from '../schema/traits.js';
import { conditionOf, type Loss } from './losses.js';

const FORMAT = 1;

export interface SideFileHeader {
  /** The revision that the rows are of. */
  readonly from: string;
  readonly to: string;
  /** Hash of the plan that was agreed to. */
  readonly plan: string;
}

/** What is in a side file for one loss. */
export interface Section {
  readonly kind: Loss['kind'];
  readonly table: string;
  readonly key: readonly string[];
  /** Of each row: first those of the key, then those that were lost. */
  readonly columns: readonly string[];
  readonly length: number | null;
}

/**
 * @returns how many rows were written of each loss, in the order of the losses
 * @throws {MtrackError} SIDE_FILE where it cannot be written
 */
export async function writeSideFile(
  path: string,
  header: SideFileHeader,
  losses: readonly Loss[],
  session: Session,
  dialect: Dialect,
): Promise<number[]> {
  const partial = `${path}.partial`;
  let file: FileHandle | undefined;
  try {
    // Rows of secrets are among them, as the ciphertext that they are.
    file = await open(partial, 'wx', 0o600);
    const counts = await writeTo(file, header, losses, session, dialect);
    await file.sync();
    await file.close();
    await rename(partial, path);
    await syncFolder(dirname(path));
    return counts;
  } catch (error) {
    await file?.close().catch(() => undefined);
    if (file) await rm(partial, { force: true });
    throw dialect.faultOf(error) === 'other' ? notWritten(path, partial, error) : error;
  }
}

function notWritten(path: string, partial: string, cause: unknown): MtrackError {
  return new MtrackError('SIDE_FILE', {
    found: `${path} cannot be written: ${messageOf(cause)}`,
    expected: 'a file for the rows that the downgrade takes something from; nothing was changed',
    fix: [`name another one with --side-file, or remove ${partial} where a run was cut off`],
    cause,
  });
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  await folder.sync().finally(() => folder.close());
}

async function writeTo(
  file: FileHandle,
  header: SideFileHeader,
  losses: readonly Loss[],
  session: Session,
  dialect: Dialect,
): Promise<number[]> {
  const seal = createHash('sha256');
  const write = async (lines: readonly string[]) => {
    const text = lines.map((line) => `${line}\n`).join('');
    seal.update(text);
    await file.writeFile(text);
  };
  const schema = schemaAt(header.from, dialect.traits);
  await write([JSON.stringify({ mtrack: 'side file', format: FORMAT, ...header })]);
  const counts: number[] = [];
  for (const loss of losses) {
    const table = tableOf(loss, schema);
    const { kind, key, length } = loss;
    const section: Section = { kind, table: loss.table, key, columns: table.columns.map(({ name }) => name), length };
    await write([JSON.stringify(section)]);
    let rows = 0;
    const where = sql.raw(conditionOf(loss, schema, dialect));
    for await (const page of readRows(session, dialect, table, { where })) {
      await write(page.map(lineOf));
      rows += page.length;
    }
    counts.push(rows);
  }
  await file.writeFile(`${JSON.stringify({ end: true, rows: counts, sha256: seal.digest('hex') })}\n`);
  return counts;
}

/** The table with the columns of the key, and of what is lost, only. */
function tableOf(loss: Pick<Loss, 'table' | 'key' | 'columns'>, schema: Schema): Table {
  const table = schema.tables.get(loss.table);
  if (!table) throw new Error(`no table ${loss.table}`);
  const names = [...loss.key, ...loss.columns.filter((name) => !loss.key.includes(name))];
  const columns = names.flatMap((name) => table.columns.find((column) => column.name === name) ?? []);
  return { ...table, columns };
}

// ---------------------------------------------------------------- reading

export interface SideFileRow {
  readonly section: Section;
  readonly columns: readonly Column[];
  readonly row: Row;
}

/**
 * The header of a side file that is whole to the last byte, and the tables that it has rows of.
 * @throws {MtrackError} SIDE_FILE
 */
export async function readHeader(path: string): Promise<SideFileHeader & { readonly tables: ReadonlySet<string> }> {
  const seal = createHash('sha256');
  const tables = new Set<string>();
  let header: SideFileHeader | undefined;
  let last: string | undefined;
  for await (const line of linesOf(path)) {
    if (last !== undefined) seal.update(`${last}\n`);
    if (header && line.startsWith('{"kind"')) tables.add(sectionOf(parsed(line), path).table);
    header ??= headerOf(line, path);
    last = line;
  }
  const end = parsed(last ?? '');
  if (!header || !isRecord(end) || end.end !== true || end.sha256 !== seal.digest('hex')) {
    throw damaged(path, 'it is cut off, or was changed');
  }
  return { ...header, tables };
}

/** The rows, section by section. Only to be asked for after `readHeader`. @throws {MtrackError} SIDE_FILE */
export async function* rowsOfSideFile(path: string, traits: Traits): AsyncGenerator<SideFileRow> {
  let schema: Schema | undefined;
  let section: { readonly of: Section; readonly columns: readonly Column[]; read(line: string): Row } | undefined;
  for await (const line of linesOf(path)) {
    if (!schema) {
      schema = schemaAt(headerOf(line, path).from, traits);
      continue;
    }
    if (line.startsWith('[')) {
      if (!section) throw damaged(path, 'rows without a heading');
      yield { section: section.of, columns: section.columns, row: section.read(line) };
      continue;
    }
    const value = parsed(line);
    if (isRecord(value) && value.end === true) return;
    const of = sectionOf(value, path);
    const columns = of.columns.map((name) => columnOf(of.table, name, schema, path));
    section = { of, columns, read: lineReader(columns) };
  }
}

function columnOf(table: string, name: string, schema: Schema | undefined, path: string): Column {
  const column = schema?.tables.get(table)?.columns.find((each) => each.name === name);
  if (!column) throw damaged(path, `there is no column ${table}.${name} at its revision`);
  return column;
}

/** Not by `readline`, which ends lines at characters that JSON leaves in its texts (U+2028). */
async function* linesOf(path: string): AsyncGenerator<string> {
  let rest = '';
  try {
    for await (const chunk of createReadStream(path, 'utf8') as AsyncIterable<string>) {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      yield* lines;
    }
  } catch (error) {
    throw damaged(path, messageOf(error), error);
  }
  if (rest !== '') yield rest;
}

function headerOf(line: string, path: string): SideFileHeader {
  const value = parsed(line);
  if (
    !isRecord(value) ||
    value.mtrack !== 'side file' ||
    value.format !== FORMAT ||
    typeof value.from !== 'string' ||
    typeof value.to !== 'string' ||
    typeof value.plan !== 'string' ||
    !isKnown(value.from) ||
    !isKnown(value.to)
  ) {
    throw damaged(path, 'its first line is not that of a side file of this build');
  }
  return { from: value.from, to: value.to, plan: value.plan };
}

function sectionOf(value: unknown, path: string): Section {
  if (!isRecord(value)) throw damaged(path, 'a line that cannot be read');
  const { kind, table, key, columns, length } = value;
  if (
    (kind !== 'rows' && kind !== 'values' && kind !== 'cut') ||
    typeof table !== 'string' ||
    !isListOfTexts(key) ||
    !isListOfTexts(columns) ||
    (length !== null && typeof length !== 'number')
  ) {
    throw damaged(path, 'a heading that cannot be read');
  }
  return { kind, table, key, columns, length };
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isListOfTexts = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((each) => typeof each === 'string');

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function damaged(path: string, why: string, cause?: unknown): MtrackError {
  return new MtrackError('SIDE_FILE', {
    found: `${path}: ${why}`,
    expected: 'a side file as `mtrack db downgrade` wrote it',
    fix: ['name the file that the downgrade named when it ended'],
    cause,
  });
}
