/** Everything of a source into an archive. */
import { createHash } from 'node:crypto';
import { Checksum } from '../../rows/checksum.js';
import { canonicalWriter, lineOf } from '../../rows/json.js';
import { inForeignKeyOrder } from '../../rows/order.js';
import { columnsOf, type Row } from '../../rows/values.js';
import type { Schema, Table } from '../../schema/model.js';
import { type Problem, Problems } from '../problems.js';
import { Meter, type OnProgress } from '../progress.js';
import type { Batch, Source } from '../source.js';
import { type ArchivedTable, type Chunk, FORMAT, MANIFEST, type Manifest, VERSION } from './manifest.js';
import type { Pack } from './pack.js';

export interface Style {
  /** Characters of a chunk, about. */
  readonly chunk: number;
  /** Whether tables have checksums. */
  readonly sums: boolean;
}

const ARCHIVE: Style = { chunk: 1_000_000, sums: true };
/** Read again by this process alone, and in memory chunk by chunk. */
export const SCRATCH: Style = { chunk: 250_000, sums: false };

export interface Exported {
  readonly manifest: Manifest;
  readonly problems: readonly Problem[];
}

/** An archive while it is made. */
export class ArchiveWriter {
  readonly #pack: Pack;
  readonly #style: Style;
  readonly #tables = new Map<string, TableWriter>();

  constructor(pack: Pack, style = ARCHIVE) {
    this.#pack = pack;
    this.#style = style;
  }

  /** @returns characters that were added */
  async add({ table, rows, lines }: Batch): Promise<number> {
    let writer = this.#tables.get(table.name);
    if (!writer) {
      writer = new TableWriter(table, this.#pack, this.#style);
      this.#tables.set(table.name, writer);
    }
    return writer.add(rows, lines);
  }

  /** @param schema of the revision */
  async finish(schema: Schema, about: Pick<Manifest, 'revision' | 'leftBehind' | 'selection'>): Promise<Manifest> {
    const tables: ArchivedTable[] = [];
    for (const { name } of inForeignKeyOrder(schema)) {
      const writer = this.#tables.get(name);
      if (writer) tables.push(await writer.finish());
    }
    const manifest: Manifest = { format: FORMAT, version: VERSION, ...about, tables };
    await this.#pack.add(MANIFEST, Buffer.from(`${JSON.stringify(manifest, null, 1)}\n`));
    await this.#pack.finish();
    return manifest;
  }
}

/**
 * @param schema of the source's revision
 * @param allow told of what was left behind before the archive is finished; throws where there must be none
 */
export async function writeArchive(
  source: Source,
  schema: Schema,
  pack: Pack,
  options: {
    readonly selection?: Manifest['selection'];
    readonly signal: AbortSignal;
    readonly onProgress: OnProgress;
    readonly allow: (problems: readonly Problem[]) => void;
  },
): Promise<Exported> {
  const { selection, signal, onProgress, allow } = options;
  const problems = new Problems();
  const meter = new Meter('load', onProgress, source.counts);
  const writer = new ArchiveWriter(pack);
  try {
    for await (const batch of source.batches(signal, problems)) {
      meter.add(batch.table.name, batch.rows.length, await writer.add(batch));
    }
    allow(problems.list);
    const about = { revision: source.revision, leftBehind: problems.list.length, ...(selection && { selection }) };
    return { manifest: await writer.finish(schema, about), problems: problems.list };
  } catch (error) {
    await pack.abandon();
    throw error;
  }
}

/** Rows of one table, cut into chunks. */
class TableWriter {
  readonly #table: Table;
  readonly #pack: Pack;
  readonly #chunk: number;
  /** Null where there are to be no checksums. */
  readonly #canonical: ((row: Row) => string) | null;
  readonly #checksum = new Checksum();
  readonly #chunks: Chunk[] = [];
  #rows = 0;
  #chunkRows = 0;
  #lines: string[] = [];
  #characters = 0;

  constructor(table: Table, pack: Pack, { chunk, sums }: Style) {
    this.#chunk = chunk;
    this.#table = table;
    this.#pack = pack;
    this.#canonical = sums ? canonicalWriter(columnsOf(table)) : null;
  }

  /** @param lines the rows as such @returns characters that were added */
  async add(rows: readonly Row[], lines: string | undefined): Promise<number> {
    if (lines !== undefined && !this.#canonical) return this.#put(lines, rows.length);
    let added = 0;
    for (const row of rows) {
      const line = lineOf(row);
      if (this.#canonical) this.#checksum.add(this.#canonical(row));
      added += await this.#put(line, 1);
    }
    return added;
  }

  async #put(lines: string, rows: number): Promise<number> {
    this.#rows += rows;
    this.#chunkRows += rows;
    this.#lines.push(lines);
    this.#characters += lines.length;
    if (this.#characters >= this.#chunk) await this.#cut();
    return lines.length;
  }

  async finish(): Promise<ArchivedTable> {
    if (this.#lines.length > 0) await this.#cut();
    const { name } = this.#table;
    const columns = columnsOf(this.#table).map((column) => column.name);
    return { name, columns, ...this.#checksum.digest, rows: this.#rows, chunks: this.#chunks };
  }

  async #cut(): Promise<void> {
    const content = Buffer.from(`${this.#lines.join('\n')}\n`);
    const number = String(this.#chunks.length + 1).padStart(6, '0');
    const chunk: Chunk = {
      file: `tables/${this.#table.name}/${number}.jsonl`,
      rows: this.#chunkRows,
      bytes: content.length,
      sha256: createHash('sha256').update(content).digest('hex'),
    };
    this.#lines = [];
    this.#characters = 0;
    this.#chunkRows = 0;
    this.#chunks.push(chunk);
    await this.#pack.add(chunk.file, content);
  }
}
