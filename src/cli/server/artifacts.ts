/** The repositories that the server works with. */
import { openArtifacts } from '../../artifacts/open.js';
import type { ArtifactRepository } from '../../artifacts/repository.js';
import { MtrackError } from '../../errors.js';
import type { Artifacts } from '../../server/index.js';
import { invalidParameter, StoreError } from '../../store/errors.js';
import { artifactOptions } from '../artifacts.js';
import type { ServerFlags } from './options.js';

/** Of calls to object stores: clients that wait for the server give up after a minute or two. */
const PATIENCE = { timeout: 60_000, retries: 4 };

export async function artifactsOf(flags: ServerFlags, root: string): Promise<Artifacts> {
  const artifacts = openArtifacts(artifactOptions(PATIENCE));
  const open = async (uri: string): Promise<ArtifactRepository> => {
    // A client names the places of its runs: it must not have the server ask other servers.
    if (/^(?:https?|mlflow-artifacts):/i.test(uri)) {
      throw new StoreError('NOT_IMPLEMENTED', 'mtrack server reads no artifacts that another server proxies.');
    }
    try {
      return await artifacts.open(uri);
    } catch (error) {
      throw error instanceof MtrackError ? invalidParameter(error.message) : error;
    }
  };
  const destination = flags['artifacts-destination'];
  const schemes = process.env.MLFLOW_ALLOWED_HOST_ADDRESSED_ARTIFACT_SCHEMES ?? '';
  return {
    served: flags['serve-artifacts'],
    destination: await open(destination),
    hosts: { uris: [root, destination], schemes: schemes.split(',').map((scheme) => scheme.trim()) },
    open,
  };
}
