/**
 * A source that may say something else when it is asked again, as files do that somebody is writing: kept, while it is looked
 * at, as an archive in the folder for temporary files, so that what is moved is what was looked at.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Schema } from '../../schema/model.js';
import type { Traits } from '../../schema/traits.js';
import type { Problems } from '../problems.js';
import type { Batch, Source } from '../source.js';
import { packFolder } from './pack.js';
import { openArchive } from './read.js';
import { ArchiveWriter, SCRATCH } from './write.js';

export class Spool {
  readonly #folder = mkdtempSync(join(tmpdir(), 'mtrack-spool-'));
  readonly #archive = join(this.#folder, 'archive');
  readonly #writer = new ArchiveWriter(packFolder(this.#archive, 'scratch'), SCRATCH);

  async add(batch: Batch): Promise<void> {
    await this.#writer.add(batch);
  }

  /** The source as it was. Closing it closes the other one, too. @param problems that it had */
  async finish(source: Source, schema: Schema, traits: Traits, problems: Problems): Promise<Source> {
    await this.#writer.finish(schema, { revision: source.revision, leftBehind: problems.list.length });
    const kept = openArchive({ folder: this.#archive, remove: () => this.remove() }, source.shown, traits);
    return {
      ...kept,
      async *batches(signal, into) {
        for (const problem of problems.list) into.add(problem);
        for (const [table, lines] of problems.repeated) into.repeat(table, lines);
        yield* kept.batches(signal, into);
      },
      close: async () => {
        await kept.close();
        await source.close();
      },
    };
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
