/** `gc` between the flags and the core: looked at first, agreed to, done. */
import { confirm } from '@inquirer/prompts';
import { openArtifacts } from '../artifacts/open.js';
import { FAILURES, MtrackError, messageOf } from '../errors.js';
import { collect, type Parts } from '../gc/collect.js';
import { looking, removing } from '../gc/effects.js';
import { Locations } from '../gc/locations.js';
import type { OrphanReport } from '../gc/orphans.js';
import type { Report } from '../gc/report.js';
import type { OpenTrash, TrashSource } from '../gc/source.js';
import { commandOf } from '../upgrade/command.js';
import { formatUri } from '../uri.js';
import { artifactOptions } from './artifacts.js';
import { type GcFlags, type Given, gcOptions, selectorWords } from './gc-flags.js';
import { gcDisplay } from './gc-progress.js';
import { recorded, runOf } from './history.js';
import { runOrphans } from './orphans.js';
import { waitingNotes } from './progress.js';
import { reportText } from './render/gc.js';
import { stopOnSignals } from './signals.js';
import { namedStore, type StoreInput } from './store.js';
import type { Terminal } from './terminal.js';
import { withTrash } from './trash.js';

export async function runGc(
  input: StoreInput & { readonly flags: GcFlags },
  terminal: Terminal,
): Promise<Report | OrphanReport> {
  const { flags } = input;
  const given = gcOptions(flags);
  return withTrash(input, terminal, async (trash, named) => {
    const shown = formatUri(namedStore(input).uri);
    const about = { file: flags['history-file'], database: { shown }, run: runOf('gc'), terminal };
    if (flags.orphans || flags['delete-orphans']) {
      const orphans = () => runOrphans(trash, named, flags, terminal);
      const deletes = flags['delete-orphans'] && !flags['dry-run'];
      return deletes ? recorded(about, orphans, ({ orphans }) => [`${orphans.length} orphans`]) : orphans();
    }
    const gc = new Gc(trash, named, flags, given, terminal);
    if (flags['dry-run']) return gc.shown(await gc.look(), 'would be removed');
    await gc.agree();
    return gc.shown(await recorded(about, () => gc.remove(), removedWords), 'removed');
  });
}

/** As many of each kind, for the log. */
const removedWords = ({ removed }: Report): string[] =>
  Object.entries(removed).flatMap(([kind, ids]) => (ids.length > 0 ? [`${ids.length} ${kind}`] : []));

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
    return this.#trash.work(this.#wait, async (source) => {
      const report = await this.#collect(source, removing);
      if (this.#flags.vacuum) await this.#vacuum(source, Object.keys(report.rows));
      return report;
    });
  }

  /** @throws {MtrackError} CONSENT_REQUIRED */
  async agree(): Promise<void> {
    if (this.#flags.yes) return;
    if (!this.#terminal.interactive) {
      const again = (flag: string) => commandOf('gc', { named: this.#named }, ...selectorWords(this.#flags), flag);
      throw new MtrackError('CONSENT_REQUIRED', {
        found: 'nothing was removed: there is no terminal to ask at',
        expected: '--yes, or --dry-run to see what would be removed',
        fix: [again('--dry-run'), again('--yes')],
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

  /** What is removed is removed: a database that is too busy for this is no failure. */
  async #vacuum(source: TrashSource, tables: readonly string[]): Promise<void> {
    if (tables.length === 0) return;
    try {
      await source.giveBack(tables);
    } catch (error) {
      this.#terminal.note(`--vacuum: the room of what was removed was not given back: ${messageOf(error)}`);
    }
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
      return await gcDisplay(this.#terminal).run((onProgress) =>
        collect(parts, { ...this.#given, signal, onProgress }),
      );
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
