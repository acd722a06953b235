/** What needs runs and logged models of a file store: the registry beside it, and logged models that are not deleted. */
import { type Damage, disk, registeredModelsIn, versionsIn } from '../../store/file/reader.js';
import type { Dependant } from '../source.js';

const DELETED_VERSION = 'Deleted_Internal';

export interface InTrash {
  readonly kind: 'run' | 'model';
  readonly experiment: string;
}

export interface LivingModel {
  readonly id: string;
  readonly name: string;
  readonly run: string;
  readonly experiment: string;
  /** Its experiment is deleted. */
  readonly trashed: boolean;
}

/** @param inTrash runs and logged models that are deleted or in a deleted experiment, by id */
export function dependantsIn(
  root: string,
  inTrash: ReadonlyMap<string, InTrash>,
  models: readonly LivingModel[],
  report: (damage: Damage) => void,
): readonly Dependant[] {
  const found: Dependant[] = [];
  for (const { by, names } of versions(root, report)) {
    for (const id of names) {
      const needed = inTrash.get(id);
      if (needed) found.push({ id, ...needed, by, within: null });
    }
  }
  for (const { id, name, run, experiment, trashed } of models) {
    const needed = inTrash.get(run);
    const by = `the logged model "${name}" (${id})`;
    if (needed) found.push({ id: run, ...needed, by, within: trashed ? experiment : null });
  }
  return found;
}

/** Which of these ids versions name, with the words for one of them. */
export function namedByVersionsIn(
  root: string,
  ids: ReadonlySet<string>,
  report: (damage: Damage) => void,
): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const { by, names } of versions(root, report)) for (const id of names) if (ids.has(id)) found.set(id, by);
  return found;
}

function* versions(root: string, report: (damage: Damage) => void): Generator<{ by: string; names: Set<string> }> {
  for (const { folder, model } of registeredModelsIn(disk, root, report)) {
    for (const { version, storageLocation } of versionsIn(disk, folder, report)) {
      if (String(version.current_stage) === DELETED_VERSION) continue;
      const aliases = model.aliases.filter((each) => each.version === version.version).map(({ alias }) => alias);
      const also = aliases.length === 0 ? '' : ` (alias ${aliases.join(', ')})`;
      const segments = [version.source, storageLocation].flatMap((uri) => uri?.split(/[/:]+/) ?? []);
      const names = new Set([version.run_id ?? '', version.model_id ?? '', ...segments]);
      yield { by: `version ${version.version} of the registered model "${model.name}"${also}`, names };
    }
  }
}
