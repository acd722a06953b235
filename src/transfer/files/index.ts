/** A file store as a source of rows. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { MtrackError } from '../../errors.js';
import type { Schema } from '../../schema/model.js';
import { Damage, disk, experimentFolders, isExperimentFolder, MODELS } from '../../store/file/reader.js';
import type { Problems } from '../problems.js';
import type { Batch, Source } from '../source.js';
import { lostWith } from './lost.js';
import { experimentsOfFiles, type FileReading, rowsOfFiles } from './read.js';

/** @param schema that the rows are to be of @throws {MtrackError} URI_INVALID where there is no file store */
export function openFiles(
  path: string,
  { revision, schema }: { readonly revision: string; readonly schema: Schema },
): Source {
  const root = storeFolder(path);
  return {
    shown: root,
    revision,
    counts: new Map(),
    others: [],
    isSteady: false,
    async *batches(signal, problems): AsyncGenerator<Batch> {
      const lacking = new Map<string, number>();
      const reading: FileReading = {
        ...{ root, schema, lacking },
        report: (damage) => reported(damage, root, problems),
        lost: ({ fault: { path, reason } }, rows) => problems.add({ kind: 'damaged', where: path, reason, rows }),
        repeated: (table, lines) => problems.repeat(table, lines),
      };
      for await (const batch of rowsOfFiles(reading)) {
        yield batch;
        signal.throwIfAborted();
        // Some files are read in this very thread: let signals and the display have their turn.
        await setImmediate();
      }
      for (const [what, n] of lacking) {
        problems.add({
          kind: 'no-place',
          where: what,
          reason: `is not there at revision ${revision}: ${n} ${n === 1 ? 'value has' : 'values have'} no place`,
          rows: what.includes('.') ? {} : { [what]: n },
        });
      }
    },
    async *only(names, signal): AsyncGenerator<Batch> {
      if (names.every((name) => name === 'experiments')) return yield* experimentsOfFiles(root, schema);
      const ignore = () => undefined;
      const reading = { root, schema, lacking: new Map(), report: ignore, lost: ignore, repeated: ignore };
      for await (const batch of rowsOfFiles(reading)) {
        if (names.includes(batch.table.name)) yield batch;
        signal.throwIfAborted();
        await setImmediate();
      }
    },
    close: async () => undefined,
  };
}

function reported(damage: Damage, root: string, problems: Problems): void {
  // Empty while it is written: an empty value is one, too.
  if (damage.slight && damage.passing) return;
  const { path, line, reason } = damage.fault;
  problems.add({ kind: 'damaged', where: path, line, reason, rows: lostWith(damage.fault, root) });
}

/** The folder of the store, or the one that holds it as `mlruns`. @throws {MtrackError} URI_INVALID */
function storeFolder(path: string): string {
  const found = storeIn(path);
  if (found !== null) return found;
  throw new MtrackError('URI_INVALID', {
    found: existsSync(path) ? `${path} is no file store: it has no folder of an experiment` : `there is no ${path}`,
    expected: 'the folder mlruns of a file store, or the folder that it is in',
    fix: ['check the path; a database is named by a URI: sqlite:///…, postgresql://…'],
  });
}

/** The folder of the store, or the one that holds it as `mlruns`; null where there is none. */
export function storeIn(path: string): string | null {
  const inside = join(path, 'mlruns');
  if (isStore(path)) return path;
  return isStore(inside) ? inside : null;
}

function isStore(path: string): boolean {
  if (!existsSync(path)) return false;
  try {
    const { active, deleted } = experimentFolders(disk, path);
    return (
      deleted.length > 0 ||
      active.some((folder) => existsSync(join(folder, 'meta.yaml')) && isExperimentFolder(folder)) ||
      (disk.folders(join(path, MODELS)) ?? []).some((name) => existsSync(join(path, MODELS, name, 'meta.yaml')))
    );
  } catch (error) {
    if (error instanceof Damage) return false;
    throw error;
  }
}
