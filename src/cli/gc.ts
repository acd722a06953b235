/** `gc` between the flags and the core: looked at first, agreed to, done. */
import { confirm } from '@inquirer/prompts';
import { openArtifacts } from '../artifacts/open.js';
import { FAILURES, MtrackError } from '../errors.js';
import { parseAge } from '../gc/age.js';
import { collect, type Parts } from '../gc/collect.js';
import { looking, removing } from '../gc/effects.js';
import { Locations } from '../gc/locations.js';
import type { GcOptions } from '../gc/options.js';
import type { Report } from '../gc/report.js';
import type { OpenTrash, TrashSource } from '../gc/source.js';
import { commandOf } from '../upgrade/command.js';
import { formatUri } from '../uri.js';
import { type ArtifactFlags, artifactOptions } from './artifacts.js';
import { recorded } from './history.js';
import { waitingNotes } from './progress.js';
import { reportText } from './render/gc.js';
import { stopOnSignals } from './signals.js';
import { namedStore, type StoreInput } from './store.js';
import type { Terminal } from './terminal.js';
import { withTrash } from './trash.js';

export interface GcFlags extends ArtifactFlags {
  readonly 'backend-store-uri'?: string | undefined;
  readonly 'backend-store-uri-file'?: string | undefined;
  readonly 'older-than'?: string | undefined;
  readonly undated: string;
  readonly 'run-ids'?: string | undefined;
  readonly 'experiment-ids'?: string | undefined;
  readonly 'experiment-name'?: readonly string[] | undefined;
  readonly 'logged-model-ids'?: string | undefined;
  readonly jobs: boolean;
  readonly 'job-ids'?: string | undefined;
  readonly force: boolean;
  readonly children: string;
  readonly 'dry-run': boolean;
  readonly yes: boolean;
  readonly concurrency: number;
  readonly 'max-runs'?: number | undefined;
  readonly 'max-duration'?: number | undefined;
  readonly throttle?: number | undefined;
  readonly 'wait-timeout': number;
  readonly 'history-file'?: string | undefined;
}

export async function runGc(input: StoreInput & { readonly flags: GcFlags }, terminal: Terminal): Promise<Report> {
  const { flags } = input;
  const given = optionsOf(flags);
  return withTrash(input, terminal, async (trash, named) => {
    const gc = new Gc(trash, named, flags, given, terminal);
    if (flags['dry-run']) return gc.shown(await gc.look(), 'would be removed');
    await gc.agree();
    const run = { command: 'gc', from: null, to: null, plan: null, receipt: null };
    const shown = formatUri(namedStore(input).uri);
    const about = { file: flags['history-file'], database: { shown }, run, terminal };
    return gc.shown(await recorded(about, () => gc.remove(), removedWords), 'removed');
  });
}

/** As many of each kind, for the log. */
const removedWords = ({ removed }: Report): string[] =>
  Object.entries(removed).flatMap(([kind, ids]) => (ids.length > 0 ? [`${ids.length} ${kind}`] : []));

type Given = Omit<GcOptions, 'signal' | 'onProgress'>;

class Gc {
  readonly #trash: OpenTrash;
  readonly #named: string;
  readonly #flags: GcFlags;
  readonly #given: Given;
  readonly #terminal: Terminal;

  constructor(trash: OpenTrash, named: string, flags: GcFlags, given: Given, terminal: Terminal) {
    this.#trash = trash;
    this.#named = named;
    this.#flags = flags;
    this.#given = given;
    this.#terminal = terminal;
  }

  get #wait() {
    return { patience: this.#flags['wait-timeout'], onWait: waitingNotes(this.#terminal.note) };
  }

  look(): Promise<Report> {
    return this.#trash.look(this.#wait, (source) => this.#collect(source, looking));
  }

  remove(): Promise<Report> {
    return this.#trash.work(this.#wait, (source) => this.#collect(source, removing));
  }

  /** @throws {MtrackError} CONSENT_REQUIRED */
  async agree(): Promise<void> {
    if (this.#flags.yes) return;
    if (!this.#terminal.interactive) {
      throw new MtrackError('CONSENT_REQUIRED', {
        found: 'nothing was removed: there is no terminal to ask at',
        expected: '--yes, or --dry-run to see what would be removed',
        fix: [commandOf('gc', { named: this.#named }, '--dry-run'), commandOf('gc', { named: this.#named }, '--yes')],
      });
    }
    this.#terminal.note(reportText(await this.look(), 'would be removed'));
    if (await confirm({ message: 'Remove them for good?', default: false })) return;
    throw new MtrackError('CONSENT_REQUIRED', { found: 'the answer was no: nothing was removed' });
  }

  shown(report: Report, what: 'removed' | 'would be removed'): Report {
    this.#terminal.say(reportText(report, what));
    process.exitCode = exitOf(report);
    return report;
  }

  async #collect(source: TrashSource, effects: typeof looking): Promise<Report> {
    const artifacts = openArtifacts(artifactOptions(this.#flags));
    const { signal, release } = stopOnSignals((name) =>
      this.#terminal.note(`${name}: stopping when what is under way has been removed`),
    );
    const parts: Parts = {
      source,
      locations: new Locations(artifacts.placeOf),
      effects: (isGone) => effects(source, artifacts, isGone),
    };
    try {
      return await collect(parts, { ...this.#given, signal, onProgress: () => undefined });
    } finally {
      release();
      await artifacts.close();
    }
  }
}

function exitOf({ failed, kept, stopped }: Report): number {
  if (stopped === 'signal') return FAILURES.INTERRUPTED.exit;
  const named = kept.some(({ reason }) => reason === 'unknown' || reason === 'not-deleted' || reason === 'restored');
  return failed.length > 0 || named ? FAILURES.PARTIAL.exit : 0;
}

function optionsOf(flags: GcFlags): Given {
  const list = (text: string | undefined) =>
    text === undefined
      ? null
      : text
          .split(',')
          .map((each) => each.trim())
          .filter((each) => each !== '');
  return {
    olderThan: flags['older-than'] === undefined ? null : parseAge(flags['older-than']),
    undated: flags.undated === 'treat-as-old' ? 'treat-as-old' : 'skip',
    runIds: list(flags['run-ids']),
    modelIds: list(flags['logged-model-ids']),
    jobIds: list(flags['job-ids']),
    experimentIds: list(flags['experiment-ids']),
    experimentNames: flags['experiment-name'] ?? null,
    jobs: flags.jobs,
    force: flags.force,
    children: flags.children === 'with-parent' ? 'with-parent' : 'keep',
    concurrency: flags.concurrency,
    maxRuns: flags['max-runs'] ?? null,
    maxDuration: flags['max-duration'] ?? null,
    throttle: flags.throttle ?? null,
  };
}
