/**
 * Changing single values of records that MLflow keeps for good, as where their artifacts are. Nobody sees half a file; what is
 * not changed stays as it is.
 */
import { dirname } from 'node:path';
import { Changes } from './changes.js';
import type { YamlMap } from './yaml/resolve.js';
import { type Writable, writeYaml } from './yaml/write.js';

/** Writes a meta.yaml anew, with other values of some fields. @param meta as it was read */
export async function editMeta(path: string, meta: YamlMap, change: Readonly<Record<string, string>>): Promise<void> {
  const changed: Record<string, Writable> = { ...meta, ...change };
  const changes = new Changes(dirname(path), true);
  changes.putMeta(path, writeYaml(changed));
  await changes.commit();
}

/** Puts another value in the place of that of a tag. @param record folder of what has the tag */
export async function editValue(path: string, record: string, value: string): Promise<void> {
  const changes = new Changes(record, true);
  changes.putMeta(path, value);
  await changes.commit();
}
