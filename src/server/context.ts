/** What the handlers of all routes work with. */
import type { ArtifactRepository } from '../artifacts/repository.js';
import { invalidParameter } from '../store/errors.js';
import type { Registry, Store } from '../store/store.js';
import type { Log } from './failures.js';
import type { TrustedHosts } from './locations.js';

export interface Artifacts {
  /** Whether the routes of `mlflow-artifacts` are served: `--serve-artifacts`. */
  readonly served: boolean;
  /** Where they lead: `--artifacts-destination`. */
  readonly destination: ArtifactRepository;
  readonly hosts: TrustedHosts;
  /** Characters that the place of an experiment may have. */
  readonly locationLength: number;
  /** The repository at a place that a record of the store names. */
  open(uri: string): Promise<ArtifactRepository>;
}

export interface Context {
  readonly store: Store;
  /** The store as MLflow's messages name it, without a password. */
  readonly storeUri: string;
  readonly artifacts: Artifacts;
  readonly log: Log;
  /** Bytes that a request which is no file may have, also when it is unpacked. */
  readonly bodyLimit: number;
  /** Bytes that a file may have which is uploaded; null is any. */
  readonly uploadLimit: number | null;
}

/** @throws {StoreError} as MLflow's server says it of a store that cannot keep a registry */
export function registryOf({ store, storeUri }: Context): Registry {
  if (store.registry) return store.registry;
  throw invalidParameter(
    ` Model registry functionality is unavailable; got unsupported URI '${storeUri}' for model registry data storage. ` +
      'Supported URI schemes are: postgresql, mysql, sqlite, mssql. ' +
      'See https://www.mlflow.org/docs/latest/tracking.html#storage for how to run an MLflow server against one of the ' +
      'supported backend storage locations.',
  );
}
