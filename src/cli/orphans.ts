/** `gc --orphans`: artifact folders that nothing refers to, reported or deleted. */
import { confirm } from '@inquirer/prompts';
import { openArtifacts } from '../artifacts/open.js';
import { FAILURES, MtrackError } from '../errors.js';
import { parseAge } from '../gc/age.js';
import { findOrphans, type OrphanReport } from '../gc/orphans.js';
import type { OpenTrash } from '../gc/source.js';
import { commandOf } from '../upgrade/command.js';
import { artifactOptions } from './artifacts.js';
import type { GcFlags } from './gc-flags.js';
import { waitingNotes } from './progress.js';
import { orphansText } from './render/gc.js';
import { stopOnSignals } from './signals.js';
import type { Terminal } from './terminal.js';

export async function runOrphans(
  trash: OpenTrash,
  named: string,
  flags: GcFlags,
  terminal: Terminal,
): Promise<OrphanReport> {
  const wait = { patience: flags['wait-timeout'], onWait: waitingNotes(terminal.note) };
  const search = async (deletes: boolean): Promise<OrphanReport> => {
    const artifacts = openArtifacts(artifactOptions(flags));
    const { signal, release } = stopOnSignals((name) => terminal.note(`${name}: stopping`));
    const { concurrency, force } = flags;
    const options = { grace: parseAge(flags.grace), deletes, force, concurrency, signal };
    const use = trash[deletes ? 'work' : 'look'];
    try {
      return await use(wait, (source) => findOrphans(source, artifacts, options));
    } finally {
      release();
      await artifacts.close();
    }
  };
  const deletes = flags['delete-orphans'] && !flags['dry-run'];
  if (deletes && !flags.yes) await agree(() => search(false), named, terminal);
  const report = await search(deletes);
  terminal.say(orphansText(report, deletes));
  if (report.failed.length > 0) process.exitCode = FAILURES.PARTIAL.exit;
  return report;
}

/** @throws {MtrackError} CONSENT_REQUIRED */
async function agree(look: () => Promise<OrphanReport>, named: string, { interactive, note }: Terminal): Promise<void> {
  if (!interactive) {
    throw new MtrackError('CONSENT_REQUIRED', {
      found: 'nothing was deleted: there is no terminal to ask at',
      expected: '--yes',
      fix: [commandOf('gc', { named }, '--orphans'), commandOf('gc', { named }, '--delete-orphans', '--yes')],
    });
  }
  note(orphansText(await look(), false));
  if (await confirm({ message: 'Delete them for good?', default: false })) return;
  throw new MtrackError('CONSENT_REQUIRED', { found: 'the answer was no: nothing was deleted' });
}
