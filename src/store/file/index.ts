/** The store in a folder, as MLflow's file store: each noun is a function of what they all work with. */
import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { absoluteUri } from '../artifact-uri.js';
import type { Store, StoreOptions } from '../store.js';
import { DEFAULT_LIMITS } from '../validate.js';
import type { Context } from './context.js';
import { type Fault, faultText } from './damage.js';
import { experiments, makeDefaultExperiment } from './experiments.js';
import { statOf } from './files.js';
import { Locks } from './locks.js';
import { loggedModels } from './logged-models.js';
import { RememberedFiles } from './memory.js';
import { metrics } from './metrics.js';
import { runs } from './runs.js';
import { traces } from './traces.js';

export type { Fault } from './damage.js';

export interface FileStoreOptions extends Omit<StoreOptions, 'artifactRoot'> {
  /** The store's own folder, where nothing is said. */
  readonly artifactRoot?: string | undefined;
  /** Told of what a listing leaves out because it cannot be read, once of each; nobody is, where it is not given. */
  readonly warn?: ((fault: Fault) => void) | undefined;
  /** Every write is on the medium when its call returns, not only what takes the place of something; see changes.ts. */
  readonly syncsAll?: boolean | undefined;
  /** About so many bytes of what was read are remembered: 64 MiB where nothing is said. */
  readonly memory?: number | undefined;
}

const MEMORY = 64 * 2 ** 20;

/**
 * Makes the folder, with the default experiment, where there is none; nothing is written to one that is there.
 * @param path as it stands in the store's URI
 */
export async function openFileStore(path: string, options: FileStoreOptions = {}): Promise<Store> {
  const root = resolve(path);
  const locks = new Locks();
  const context: Context = {
    root,
    files: new RememberedFiles(options.memory ?? MEMORY),
    artifactRoot: options.artifactRoot ? absoluteUri(options.artifactRoot) : pathToFileURL(root).href,
    limits: options.limits ?? DEFAULT_LIMITS,
    now: Date.now,
    syncsAll: options.syncsAll ?? false,
    warn: oncePerFault(options.warn ?? (() => {})),
    locks,
    runPlaces: new Map(),
  };
  if (statOf(root) === undefined) {
    mkdirSync(root, { recursive: true });
    await makeDefaultExperiment(context);
  }
  return {
    experiments: experiments(context),
    runs: runs(context),
    metrics: metrics(context),
    loggedModels: loggedModels(context),
    traces: traces(context),
    registry: null,
    close: () => locks.done(),
  };
}

const REMEMBERED_FAULTS = 10_000;

function oncePerFault(warn: (fault: Fault) => void): (fault: Fault) => void {
  const told = new Set<string>();
  return (fault) => {
    const text = faultText(fault);
    if (told.has(text)) return;
    if (told.size >= REMEMBERED_FAULTS) told.clear();
    told.add(text);
    warn(fault);
  };
}
