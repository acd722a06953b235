/** The repositories that the server works with. */
import { localRepository } from '../../artifacts/local.js';
import type { ArtifactRepository } from '../../artifacts/repository.js';
import type { Artifacts } from '../../server/index.js';
import { StoreError } from '../../store/errors.js';
import { parseStoreUri, storeKind } from '../../uri.js';
import type { ServerFlags } from './options.js';

export async function artifactsOf(flags: ServerFlags, root: string): Promise<Artifacts> {
  const destination = flags['artifacts-destination'];
  const schemes = process.env.MLFLOW_ALLOWED_HOST_ADDRESSED_ARTIFACT_SCHEMES ?? '';
  return {
    served: flags['serve-artifacts'],
    destination: await openRepository(destination),
    hosts: { uris: [root, destination], schemes: schemes.split(',').map((scheme) => scheme.trim()) },
    open: openRepository,
  };
}

async function openRepository(uri: string): Promise<ArtifactRepository> {
  if (storeKind(uri) !== 'files') {
    throw new StoreError('NOT_IMPLEMENTED', 'mtrack server reads artifacts in local folders only.');
  }
  const place = parseStoreUri(uri);
  return localRepository(place.kind === 'files' ? place.path : uri, uri);
}
