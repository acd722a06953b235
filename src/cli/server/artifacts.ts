/** The repositories that the server works with. */
import { openArtifacts } from '../../artifacts/open.js';
import type { Artifacts } from '../../server/index.js';
import { artifactOptions } from '../artifacts.js';
import type { ServerFlags } from './options.js';

/** Milliseconds for a call to an object store, and attempts after one that failed: a client waits for the answer. */
const TIMEOUT_MS = 60_000;
const RETRIES = 4;

/** @throws {MtrackError} URI_INVALID where nothing leads to the destination */
export async function artifactsOf(
  flags: ServerFlags,
  root: string,
  locationLength: number,
): Promise<Artifacts & { close(): Promise<void> }> {
  const destination = flags['artifacts-destination'];
  const given = artifactOptions({ 'artifacts-destination': destination, timeout: TIMEOUT_MS, retries: RETRIES });
  // What is proxied is this server's own, or nobody's: it asks no other server.
  const opened = openArtifacts({ ...given, destination: null, server: null });
  const schemes = process.env.MLFLOW_ALLOWED_HOST_ADDRESSED_ARTIFACT_SCHEMES ?? '';
  return {
    served: flags['serve-artifacts'],
    destination: await opened.open(destination),
    hosts: { uris: [root, destination], schemes: schemes.split(',').map((scheme) => scheme.trim()) },
    locationLength,
    open: (uri) => opened.open(uri),
    close: () => opened.close(),
  };
}
