/** The rows that a name, a version or an alias stands for. */
import { StoreError } from '../../errors.js';
import { checkModelName, versionNumber } from './names.js';
import { type Db, type ModelRow, type VersionRow, WORKSPACE } from './rows.js';
import { DELETED } from './stages.js';

export const findModel = (db: Db, name: string): Promise<ModelRow | undefined> =>
  db
    .selectFrom('registered_models')
    .selectAll()
    .where('workspace', '=', WORKSPACE)
    .where('name', '=', name)
    .executeTakeFirst();

/** @throws StoreError RESOURCE_DOES_NOT_EXIST */
export async function modelRow(db: Db, name: string): Promise<ModelRow> {
  checkModelName(name);
  const row = await findModel(db, name);
  if (row) return row;
  throw new StoreError('RESOURCE_DOES_NOT_EXIST', `Registered Model with name=${name} not found`);
}

/** One that is not deleted. @throws StoreError RESOURCE_DOES_NOT_EXIST */
export async function versionRow(db: Db, name: string, version: string): Promise<VersionRow> {
  checkModelName(name);
  const { number, shown } = versionNumber(version);
  const row = await db
    .selectFrom('model_versions')
    .selectAll()
    .where('workspace', '=', WORKSPACE)
    .where('name', '=', name)
    .where('version', '=', number)
    .where('current_stage', '!=', DELETED)
    .executeTakeFirst();
  if (row) return row;
  throw new StoreError('RESOURCE_DOES_NOT_EXIST', `Model Version (name=${name}, version=${shown}) not found`);
}
