/**
 * Puts records on the disk. A record that is new is made beside the store's own folders, and appears whole, by one rename. Of
 * one that is there only what it lacks is written, file by file, each of which is replaced at once; points are appended.
 * Nothing is deleted.
 */
import { appendFileSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { keyOf } from '../../rows/lookup.js';
import { Damage, type YamlMap } from '../../store/file/reader.js';
import { Changes, codeOf, type Writable, writeYaml } from '../../store/file/writer.js';
import { type Problems, rowText } from '../problems.js';
import { keyNames } from '../sieve.js';
import { missingRow } from '../told.js';
import type { Look, OnDisk, RecordKind } from './on-disk.js';
import { type Entry, type Held, traceData } from './records.js';

/** Folders with this ending are no experiments to MLflow. */
const STAGING = '.mtrack-import.trash';

/** Codes for a name that is a file's and a folder's: two keys of which one is a part of the other's path. */
const CLASHES = ['ENOTDIR', 'EISDIR', 'EEXIST', 'ENAMETOOLONG'];

export interface NewRecord {
  readonly kind: RecordKind;
  readonly folder: string;
  /** meta.yaml or its like. */
  readonly meta: string;
  /** Folders that MLflow makes with it. */
  readonly folders: readonly string[];
  /** Everything that it has; points in parts. */
  entries(): AsyncIterable<readonly Entry[]>;
}

export class Placer {
  readonly #staging: string;
  readonly #look: Look;
  readonly #problems: Problems;
  #made = 0;

  constructor(root: string, look: Look, problems: Problems) {
    this.#staging = join(root, STAGING);
    this.#look = look;
    this.#problems = problems;
    // What one that was killed has left.
    rmSync(this.#staging, { recursive: true, force: true });
    mkdirSync(this.#staging);
  }

  /** Nothing is left beside the store's own folders. */
  close(): void {
    rmSync(this.#staging, { recursive: true, force: true });
  }

  async put(record: NewRecord): Promise<void> {
    if (existsSync(record.folder)) await this.#complete(record);
    else await this.#make(record);
    if (record.kind === 'trace') await this.#proveSpans(record);
  }

  /** Of spans that were there, and that were written. */
  readonly spans = { there: 0, written: 0 };

  /** They are no rows of a file store: whether they are there is found out at once. */
  async #proveSpans({ kind, folder, entries }: NewRecord): Promise<void> {
    for await (const some of entries()) {
      for (const entry of some) {
        if (entry.kind !== 'spans') continue;
        const there = this.#look(kind, folder);
        const lacking = there && lackingOf(entry, there);
        for (const { table, row } of lacking ? heldBy(lacking) : []) this.#problems.add(missingRow(table, row));
      }
    }
  }

  async #make(record: NewRecord): Promise<void> {
    const part = join(this.#staging, String(this.#made++));
    mkdirSync(part);
    for (const name of record.folders) mkdirSync(join(part, name));
    const known = new Set<string>([part]);
    for await (const entries of record.entries()) {
      for (const entry of entries) {
        if (entry.kind === 'spans') this.spans.written += entry.lines.length;
        this.#orClash(entry, () => write(part, entry, known));
      }
    }
    mkdirSync(dirname(record.folder), { recursive: true });
    renameSync(part, record.folder);
  }

  async #complete(record: NewRecord): Promise<void> {
    const { folder } = record;
    const there = this.#readable(record);
    if (there === null) return;
    for (const name of record.folders) mkdirSync(join(folder, name), { recursive: true });
    for await (const entries of record.entries()) {
      for (const entry of entries) {
        const lacking = there === undefined ? entry : lackingOf(entry, there);
        if (entry.kind === 'spans') this.#count(entry, lacking);
        if (!lacking) continue;
        const changes = new Changes(folder, false);
        change(changes, folder, lacking, {
          ...(there && { spans: there.spans }),
          ...(there && entry.path === record.meta && { meta: there.meta }),
        });
        try {
          await changes.commit();
        } catch (error) {
          this.#orClash(entry, () => {
            throw error;
          });
        }
      }
    }
  }

  #count(entry: Entry, lacking: Entry | undefined): void {
    const written = lacking ? heldBy(lacking).length : 0;
    this.spans.written += written;
    this.spans.there += heldBy(entry).length - written;
  }

  /** Undefined for a folder that is no record yet; null for one that cannot be read, which stays as it is. */
  #readable({ kind, folder, meta }: NewRecord): OnDisk | undefined | null {
    if (!existsSync(join(folder, meta))) return undefined;
    try {
      return this.#look(kind, folder);
    } catch (error) {
      if (!(error instanceof Damage)) throw error;
      const { path, line, reason } = error.fault;
      this.#problems.add({ kind: 'damaged', where: path, line, reason: `${reason}: it stays as it is`, rows: {} });
      return null;
    }
  }

  #orClash(entry: Entry, work: () => void): void {
    try {
      work();
    } catch (error) {
      if (!CLASHES.includes(codeOf(error) ?? '')) throw error;
      for (const { table, row } of heldBy(entry)) {
        const names = keyNames(table);
        this.#problems.add({
          kind: 'does-not-fit',
          where: rowText(table.name, names, keyOf(table, names)(row)),
          reason: `: its file, ${entry.path}, cannot be beside another one (${codeOf(error)})`,
          rows: { [table.name]: 1 },
        });
      }
    }
  }
}

const heldBy = (entry: Entry): readonly Held[] => ('lines' in entry ? entry.lines.map(({ held }) => held) : entry.rows);

/** Of an entry what is not on the disk; undefined where that is nothing. */
function lackingOf(entry: Entry, { has }: OnDisk): Entry | undefined {
  const isLacking = ({ table, row }: Held) => !has(table, row);
  if (!('lines' in entry)) return entry.rows.some(isLacking) ? entry : undefined;
  const lines = entry.lines.filter(({ held }) => isLacking(held));
  return lines.length > 0 ? { ...entry, lines } : undefined;
}

function yaml(entry: Extract<Entry, { kind: 'meta' }>, there: YamlMap = {}): string {
  const all: Record<string, Writable> = { ...entry.usual, ...there, ...entry.fields };
  return writeYaml(Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)));
}

const contentOf = (entry: Entry): string => {
  if (entry.kind === 'lines') return entry.lines.map(({ text }) => text).join('');
  if (entry.kind === 'spans') return traceData(entry.lines.map(({ text }) => text));
  return entry.kind === 'meta' ? yaml(entry) : entry.text;
};

/** Into a folder that nobody sees yet. @param known folders that are there */
function write(part: string, entry: Entry, known: Set<string>): void {
  const path = join(part, entry.path);
  const folder = dirname(path);
  if (!known.has(folder)) {
    mkdirSync(folder, { recursive: true });
    known.add(folder);
  }
  if (entry.kind === 'lines') appendFileSync(path, contentOf(entry));
  else writeFileSync(path, contentOf(entry));
}

function change(changes: Changes, folder: string, entry: Entry, { meta, spans = [] }: Partial<OnDisk>): void {
  const path = join(folder, entry.path);
  if (entry.kind === 'lines') changes.append(path, contentOf(entry));
  else if (entry.kind === 'meta') changes.putMeta(path, yaml(entry, meta));
  else if (entry.kind === 'spans') changes.putMeta(path, traceData([...spans, ...entry.lines.map(({ text }) => text)]));
  else changes.put(path, entry.text);
}
