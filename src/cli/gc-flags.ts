/** What `gc` is told on the command line, and what that asks of the collection. */
import { shellWord } from '../dialect/shell.js';
import { MtrackError } from '../errors.js';
import { parseAge } from '../gc/age.js';
import type { GcOptions } from '../gc/options.js';
import type { ArtifactFlags } from './artifacts.js';
import { idList } from './store.js';

export interface GcFlags extends ArtifactFlags {
  readonly 'backend-store-uri'?: string | undefined;
  readonly 'backend-store-uri-file'?: string | undefined;
  readonly 'history-file'?: string | undefined;
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
  readonly orphans: boolean;
  readonly 'delete-orphans': boolean;
  readonly grace: string;
  readonly concurrency: number;
  readonly 'max-runs'?: number | undefined;
  readonly 'max-duration'?: number | undefined;
  readonly throttle?: number | undefined;
  readonly vacuum: boolean;
  readonly 'wait-timeout': number;
}

export type Given = Omit<GcOptions, 'signal' | 'onProgress'>;

/** @throws {MtrackError} USAGE */
export function gcOptions(flags: GcFlags): Given {
  return {
    olderThan: flags['older-than'] === undefined ? null : parseAge(flags['older-than']),
    undated: flags.undated === 'treat-as-old' ? 'treat-as-old' : 'skip',
    runIds: named(flags, 'run-ids'),
    modelIds: named(flags, 'logged-model-ids'),
    jobIds: named(flags, 'job-ids'),
    experimentIds: named(flags, 'experiment-ids'),
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

type Selector = 'run-ids' | 'logged-model-ids' | 'job-ids' | 'experiment-ids';

/** A variable of a script that was empty must not come to mean everything. */
function named(flags: GcFlags, flag: Selector): readonly string[] | null {
  const ids = idList(flags[flag]);
  if (ids?.length !== 0) return ids;
  throw new MtrackError('USAGE', {
    found: `--${flag} names nothing`,
    expected: 'ids, with commas between them; without the flag all are meant',
  });
}

/** Those flags again that say what is to go, as words of a command. */
export function selectorWords(flags: GcFlags): string[] {
  const text = ['older-than', 'run-ids', 'experiment-ids', 'logged-model-ids', 'job-ids'] as const;
  const on = ['jobs', 'force'] as const;
  return [
    ...text.flatMap((name) => (flags[name] === undefined ? [] : [`--${name} ${shellWord(flags[name])}`])),
    ...(flags['experiment-name'] ?? []).map((name) => `--experiment-name ${shellWord(name)}`),
    ...on.filter((name) => flags[name]).map((name) => `--${name}`),
    ...(flags.undated === 'skip' ? [] : [`--undated ${flags.undated}`]),
    ...(flags.children === 'keep' ? [] : [`--children ${flags.children}`]),
  ];
}
