import { Damage, type StoredRegisteredModel, versionsIn } from '../../store/file/reader.js';
import { type Context, integerIn, textIn, workspaceIn } from './context.js';
import { steady } from './steady.js';

/** The model registry that MLflow keeps beside the experiments. */
export function addRegisteredModel({ folder, model, meta }: StoredRegisteredModel, context: Context): void {
  const { rows, report } = context;
  const { name } = model;
  const workspace = workspaceIn(meta);
  rows.add('registered_models', {
    name,
    creation_time: integerIn(meta, 'creation_timestamp') ?? null,
    last_updated_time: integerIn(meta, 'last_updated_timestamp') ?? null,
    description: textIn(meta, 'description') ?? null,
    workspace,
  });
  for (const { key, value } of model.tags) rows.add('registered_model_tags', { name, key, value, workspace });
  for (const { alias, version } of model.aliases) {
    const number = versionNumber(version);
    if (number === undefined) {
      report(new Damage({ path: `${folder}/aliases/${alias}`, reason: `holds "${version}", which is no version` }));
    } else rows.add('registered_model_aliases', { name, alias, version: number, workspace });
  }
  for (const stored of versionsIn(steady, folder, report)) {
    const version = versionNumber(stored.version.version);
    if (version === undefined) {
      report(new Damage({ path: `${stored.folder}/meta.yaml`, reason: 'has no version that is a number' }));
      continue;
    }
    rows.add('model_versions', {
      name,
      version,
      creation_time: integerIn(stored.meta, 'creation_timestamp') ?? null,
      last_updated_time: integerIn(stored.meta, 'last_updated_timestamp') ?? null,
      description: textIn(stored.meta, 'description') ?? null,
      user_id: textIn(stored.meta, 'user_id') ?? null,
      current_stage: stored.version.current_stage ?? 'None',
      source: textIn(stored.meta, 'source') ?? null,
      run_id: textIn(stored.meta, 'run_id') ?? null,
      status: stored.version.status,
      status_message: textIn(stored.meta, 'status_message') ?? null,
      run_link: textIn(stored.meta, 'run_link') ?? null,
      storage_location: stored.storageLocation ?? null,
      workspace,
    });
    for (const { key, value } of stored.version.tags) {
      rows.add('model_version_tags', { name, version, key, value, workspace });
    }
  }
}

const versionNumber = (text: string) => (/^\s*\d{1,10}\s*$/.test(text) ? Number(text) : undefined);
