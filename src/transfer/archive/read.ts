/** An archive as a source of rows. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { zstdDecompress } from 'node:zlib';
import { messageOf } from '../../errors.js';
import { linesReader } from '../../rows/json.js';
import { columnsOf, type Row } from '../../rows/values.js';
import { schemaAt } from '../../schema/lineage.js';
import { sameNames, type Table } from '../../schema/model.js';
import type { Traits } from '../../schema/traits.js';
import type { Problems } from '../problems.js';
import type { Batch, Source } from '../source.js';
import { type ArchivedTable, type Chunk, MANIFEST, type Manifest, parseManifest, unreadable } from './manifest.js';
import { COMPRESSED } from './pack.js';
import type { Unpacked } from './unpack.js';

const decompress = promisify(zstdDecompress);

/**
 * @param traits of the database that the rows are for
 * @param shown the archive, for messages
 * @throws {MtrackError} ARCHIVE_UNREADABLE
 */
export function openArchive(
  { folder, remove }: Unpacked,
  shown: string,
  traits: Traits,
): Source & { readonly manifest: Manifest } {
  const manifest = parseManifest(readFileSync(join(folder, MANIFEST), 'utf8'), shown);
  const tables = manifest.tables.map((archived) => ({ archived, table: tableOf(archived, manifest, traits, shown) }));
  const batchesOf = async function* (only: (name: string) => boolean, signal: AbortSignal, problems: Problems | null) {
    for (const { archived, table } of tables) {
      if (!only(archived.name)) continue;
      const read = linesReader(columnsOf(table));
      for (const chunk of archived.chunks) {
        signal.throwIfAborted();
        const rows = await rowsOf(chunk, folder, read).catch((error: unknown) => {
          problems?.add({
            kind: 'damaged',
            where: `${shown}: ${chunk.file}`,
            reason: messageOf(error),
            rows: { [table.name]: chunk.rows },
          });
          return null;
        });
        if (rows) yield { table, rows } satisfies Batch;
      }
    }
  };
  return {
    shown,
    manifest,
    revision: manifest.revision,
    counts: new Map(manifest.tables.map(({ name, rows }) => [name, rows])),
    others: [],
    isSteady: true,
    batches: (signal, problems) => batchesOf(() => true, signal, problems),
    only: (names, signal) => batchesOf((name) => names.includes(name), signal, null),
    close: async () => remove(),
  };
}

/** @throws {MtrackError} ARCHIVE_UNREADABLE where the archive has other columns than the revision */
function tableOf({ name, columns }: ArchivedTable, { revision }: Manifest, traits: Traits, shown: string): Table {
  const table = schemaAt(revision, traits).tables.get(name);
  const names = table && columnsOf(table).map((column) => column.name);
  if (table && names && sameNames(names, columns)) return table;
  throw unreadable(
    table
      ? `${shown}: ${name} has other columns than revision ${revision} gives it`
      : `${shown}: revision ${revision} has no table ${name}`,
  );
}

async function rowsOf(chunk: Chunk, folder: string, read: (lines: string) => Row[]): Promise<Row[]> {
  const content = await decompress(await readFile(join(folder, chunk.file + COMPRESSED)));
  if (createHash('sha256').update(content).digest('hex') !== chunk.sha256) {
    throw new Error('has not the content that it was written with');
  }
  const rows = read(content.toString('utf8'));
  if (rows.length !== chunk.rows) throw new Error(`has ${rows.length} rows, and should have ${chunk.rows}`);
  return rows;
}
