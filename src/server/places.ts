/** Where the files of a run, a model or a trace are, by the URI that the store has of them. */
import type { ArtifactEntry, ArtifactRepository } from '../artifacts/repository.js';
import { invalidParameter, StoreError } from '../store/errors.js';
import type { Artifacts } from './context.js';
import { checkHost, normalPath } from './locations.js';
import { parseUri } from './uris.js';

export interface Place {
  readonly repository: ArtifactRepository;
  /** The folder in the repository; empty for its root. */
  readonly folder: string;
}

const PROXIED = ['http', 'https', 'mlflow-artifacts'];
/** In the URL of a proxy the path of the files begins behind this. */
const ANCHOR = '/api/2.0/mlflow-artifacts/artifacts/';

/**
 * Uses the files under a URI. What is proxied is taken for being at this server's own destination, as MLflow does.
 * @throws {StoreError} INVALID_PARAMETER_VALUE where the URI leads to a host that the operator has not named
 */
export async function atPlace<Result>(
  artifacts: Artifacts,
  uri: string,
  use: (place: Place) => Promise<Result>,
): Promise<Result> {
  // An empty one would be the folder that the server was started in.
  if (uri === '') throw new StoreError('RESOURCE_DOES_NOT_EXIST', 'The store names no place for these files.');
  const { scheme, path } = parseUri(uri);
  if (artifacts.served && PROXIED.includes(scheme)) {
    return use({ repository: artifacts.destination, folder: normalPath(proxiedPath(scheme, path)) });
  }
  checkHost(uri, artifacts.hosts);
  return use({ repository: await artifacts.open(uri), folder: '' });
}

function proxiedPath(scheme: string, path: string): string {
  if (scheme === 'mlflow-artifacts') return path;
  const at = path.indexOf(ANCHOR);
  if (at < 0) throw invalidParameter(`${path} is no path of the mlflow-artifacts API`);
  return path.slice(at + ANCHOR.length);
}

export const inFolder = (folder: string, path: string): string =>
  [folder, path].filter((part) => part !== '').join('/');

/** As MLflow names a file in a listing. */
export interface FileInfo {
  readonly path: string;
  readonly is_dir: boolean;
  readonly file_size: number | undefined;
}

/** What is in a folder. @param path of the folder from the place. @param name how a listing names what is in it */
export async function filesAt(
  { repository, folder }: Place,
  path: string,
  name: (base: string) => string,
): Promise<readonly FileInfo[]> {
  const entries = await repository.list(inFolder(folder, normalPath(path)));
  return entries.map((entry) => fileInfo(entry, name));
}

const fileInfo = ({ path, isFolder, size }: ArtifactEntry, name: (base: string) => string): FileInfo => ({
  path: name(path.slice(path.lastIndexOf('/') + 1)),
  is_dir: isFolder,
  // protobuf leaves out what MLflow's entity does not set: the size of a folder, and of an empty file.
  file_size: size || undefined,
});
