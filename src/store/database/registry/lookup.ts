/** The rows that a name, a version or an alias stands for. */
import { hole } from '../../../dialect/query-words.js';
import { StoreError } from '../../errors.js';
import type { Context } from '../context.js';
import { rowsOf } from '../statements.js';
import { checkModelName, versionNumber } from './names.js';
import { type Db, inWorkspace, type ModelRow, type VersionRow } from './rows.js';
import { DELETED } from './stages.js';

export async function findModel(context: Context, db: Db, name: string): Promise<ModelRow | undefined> {
  const query = () =>
    db
      .selectFrom('registered_models')
      .selectAll()
      .where(inWorkspace('registered_models'))
      .where('name', '=', hole<string>());
  const [row] = await rowsOf(context, db, 'registered model', query, [name]);
  return row;
}

/** @throws StoreError RESOURCE_DOES_NOT_EXIST */
export async function modelRow(context: Context, db: Db, name: string): Promise<ModelRow> {
  checkModelName(name);
  const row = await findModel(context, db, name);
  if (row) return row;
  throw new StoreError('RESOURCE_DOES_NOT_EXIST', `Registered Model with name=${name} not found`);
}

/** One that is not deleted. @throws StoreError RESOURCE_DOES_NOT_EXIST */
export async function versionRow(context: Context, db: Db, name: string, version: string): Promise<VersionRow> {
  checkModelName(name);
  const { number, shown } = versionNumber(version);
  const query = () =>
    db
      .selectFrom('model_versions')
      .selectAll()
      .where(inWorkspace('model_versions'))
      .where('name', '=', hole<string>())
      .where('version', '=', hole<number>())
      .where('current_stage', '!=', hole<string>());
  const [row] = await rowsOf(context, db, 'model version', query, [name, number, DELETED]);
  if (row) return row;
  throw new StoreError('RESOURCE_DOES_NOT_EXIST', `Model Version (name=${name}, version=${shown}) not found`);
}
