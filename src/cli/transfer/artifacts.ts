/** What becomes of the artifacts when a store is moved: flags, and the part of an import that is about them. */
import { Flags } from '@oclif/core';
import { openArtifacts } from '../../artifacts/open.js';
import { MtrackError } from '../../errors.js';
import { type Copied, copyArtifacts } from '../../transfer/relocate/copy.js';
import { Moves, movedSource } from '../../transfer/relocate/source.js';
import { UriMap } from '../../transfer/relocate/uri-map.js';
import type { Source } from '../../transfer/source.js';
import { type ArtifactFlags, artifactFlags, artifactOptions } from '../artifacts.js';
import { copiedLine, notCopiedText } from '../render/relocate.js';
import type { Terminal } from '../terminal.js';

const HELP = { helpGroup: 'ARTIFACTS' };

/** `--map`, as all commands have it that know it. */
export const mapFlag = {
  map: Flags.string({
    description:
      'where artifacts were and where they are: URIs in the store that begin with the one get the other; can be given several times, the longest beginning counts',
    helpValue: 'OLD=NEW',
    multiple: true,
    multipleNonGreedy: true,
    default: [],
    ...HELP,
  }),
};

export const moveFlags = {
  ...mapFlag,
  artifacts: Flags.string({
    description:
      'none: artifacts stay where they are; move-uri: they are elsewhere already, as --map says; copy: copy them there, and read them back',
    options: ['none', 'copy', 'move-uri'],
    ...HELP,
  }),
  'artifact-check': Flags.string({
    description:
      'when a file that is there already is the same: by its checksum, or by its size alone, which is faster',
    options: ['checksum', 'size'],
    default: 'checksum',
    ...HELP,
  }),
  concurrency: Flags.integer({
    description: 'files that are copied at a time',
    default: 16,
    min: 1,
    max: 1000,
    ...HELP,
  }),
  ...artifactFlags,
};

export interface MoveFlags extends ArtifactFlags {
  readonly map: readonly string[];
  readonly artifacts?: string | undefined;
  readonly 'artifact-check': string;
  readonly concurrency: number;
}

/** The artifacts of one import. */
export class ArtifactMove {
  readonly #flags: MoveFlags;
  readonly #map: UriMap;
  readonly #moves = new Moves();
  readonly #copies: boolean;

  /** @throws {MtrackError} USAGE for flags that do not go together */
  constructor(flags: MoveFlags) {
    this.#flags = flags;
    this.#map = new UriMap(flags.map);
    const { artifacts } = flags;
    this.#copies = artifacts === 'copy';
    if (artifacts !== undefined && (artifacts === 'none') !== this.#map.isEmpty) {
      throw new MtrackError('USAGE', {
        found: this.#map.isEmpty ? `--artifacts ${artifacts} without --map` : '--map and --artifacts none',
        expected: 'where the artifacts go: --map s3://old=s3://new',
        fix: ['give --map with --artifacts copy or move-uri, or neither'],
      });
    }
  }

  /** The source with URIs of the new places. */
  applied(source: Source): Source {
    return movedSource(source, this.#map, this.#moves);
  }

  /** URIs that change, by column, when the source has been read; null where nothing was asked for. */
  get counts(): ReadonlyMap<string, number> | null {
    return this.#map.isEmpty ? null : this.#moves.counts;
  }

  /**
   * Copies what is to be copied, when the source has been read.
   * @param goesOn although something could not be copied
   * @throws {MtrackError} ARTIFACTS_NOT_COPIED
   */
  async copy(signal: AbortSignal, { note, interactive }: Terminal, goesOn: boolean): Promise<Copied | null> {
    if (!this.#copies) return null;
    const artifacts = openArtifacts(artifactOptions(this.#flags));
    let last = Date.now();
    try {
      note('copying artifacts');
      const copied = await copyArtifacts(this.#moves.roots, artifacts, artifacts, {
        concurrency: this.#flags.concurrency,
        sameBy: this.#flags['artifact-check'] === 'size' ? 'size' : 'checksum',
        signal,
        onProgress: (soFar) => {
          if (interactive || Date.now() - last < LINE_EVERY_MS) return;
          last = Date.now();
          note(`  ${copiedLine(soFar)}`);
        },
      });
      if (copied.failed.length > 0 && !goesOn) throw notCopied(copied);
      return copied;
    } finally {
      await artifacts.close();
    }
  }
}

const LINE_EVERY_MS = 5000;

function notCopied(copied: Copied): MtrackError {
  return new MtrackError('ARTIFACTS_NOT_COPIED', {
    found: notCopiedText(copied),
    expected: 'all artifacts in their new place before the store says that they are there; no rows were moved',
    fix: [
      'put it right, and run the import again: what was copied is passed over',
      'go on without these, with a report of each: --skip-bad',
    ],
    details: { ...copied },
  });
}
