/**
 * The repository that an artifact URI means: the only place that chooses one. Clients are made once for each server and
 * bucket, and their SDKs are loaded only when one is needed.
 */
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MtrackError } from '../errors.js';
import { localRepository } from './local.js';
import type { ArtifactOptions, ArtifactRepository } from './repository.js';

export interface Artifacts {
  /**
   * The place itself: what leads to the same is the same text. Paths are absolute, `mlflow-artifacts:` is the destination.
   * @throws {MtrackError} URI_INVALID where nothing here leads to such artifacts
   */
  placeOf(uri: string): string;
  /** @throws {MtrackError} URI_INVALID */
  open(uri: string): Promise<ArtifactRepository>;
  close(): Promise<void>;
}

export function openArtifacts(options: ArtifactOptions): Artifacts {
  const placeOf = (uri: string): string => {
    const scheme = schemeOf(uri);
    if (scheme === null) return withoutEnd(resolve(uri));
    if (scheme === 'file') return withoutEnd(fileURLToPath(new URL(uri)));
    throw unknownScheme(uri, options);
  };
  return {
    placeOf,
    open: async (uri) => localRepository(placeOf(uri), uri),
    close: async () => undefined,
  };
}

/** Null for a path; one letter before the colon is a drive of Windows. */
function schemeOf(uri: string): string | null {
  return /^([a-z][a-z\d+.-]+):/i.exec(uri)?.[1]?.toLowerCase() ?? null;
}

const withoutEnd = (path: string): string => path.replace(/(?<=.)\/+$/, '');

function unknownScheme(uri: string, _: ArtifactOptions): MtrackError {
  return new MtrackError('URI_INVALID', {
    found: `artifacts at ${uri}`,
    expected: 'a path, file:, s3:, gs:, wasbs:, abfss:, mlflow-artifacts:, http: or https:',
  });
}
