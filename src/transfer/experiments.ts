/**
 * Which experiment of the source is which of the target. Runs, models and traces have ids that nothing else has; an
 * experiment has a number, which its database gave, and a name, which is one of a kind: both can be taken.
 */
import type { Dialect } from '../dialect/dialect.js';
import type { Session } from '../dialect/session.js';
import { keyText, rowsByKey } from '../rows/lookup.js';
import { columnsOf, type Row, type Value } from '../rows/values.js';
import type { Table } from '../schema/model.js';
import { experimentIds } from './files/ids.js';
import type { Problems } from './problems.js';
import type { Batch } from './source.js';

/** What becomes of an experiment whose name, or number, another one has in the target. */
export type OnConflict = 'fail' | 'rename' | 'merge';

/** An experiment that has another number or name in the target. */
export interface Renumbered {
  readonly from: string;
  readonly to: string;
  readonly name: string;
  /** The name in the source, where it is another one. */
  readonly renamed?: string | undefined;
  /** It went into an experiment that was there. */
  readonly merged?: true | undefined;
}

export interface ExperimentMap {
  readonly renumbered: readonly Renumbered[];
  /** Rows with the numbers and names that they have in the target. */
  apply(batch: Batch): Batch;
}

interface Named {
  readonly id: string;
  readonly name: string;
  readonly workspace: string;
  /** What is the same in both where it is the same experiment, though one of them was renamed. */
  readonly birth: string;
}

interface Place {
  readonly number: Value;
  readonly name: string;
  readonly merged: boolean;
}

/**
 * @param rows all experiments of the source
 * @param session of the target; null where it has no tables yet
 * @param problems told of each conflict where these are to fail
 */
export async function mapExperiments(
  table: Table,
  rows: readonly Row[],
  { session, dialect }: { readonly session: Session | null; readonly dialect: Dialect },
  policy: OnConflict,
  problems: Problems,
): Promise<ExperimentMap> {
  const read = readerOf(table);
  const experiments = rows.map(read);
  const numbers = experimentIds(
    experiments.map(({ id }) => id),
    dialect,
  );
  const there = session ? await experimentsThere(session, dialect, table, experiments, numbers) : [];
  const byNumber = new Map(there.map((each) => [each.id, each]));
  const byName = new Map(there.map((each) => [nameKey(each), each.id]));
  const places = new Map<string, Place>();

  for (const experiment of experiments) {
    const { id, name } = experiment;
    let number = String(numbers.get(id) ?? id);
    const holder = byNumber.get(number);
    const renamed = { ...experiment, name: `${name} (${id})` };
    if (holder && policy === 'rename' && nameKey(holder) === nameKey(renamed)) {
      // By an import before this one.
      settle(experiment, { number: BigInt(number), name: renamed.name, merged: false });
      continue;
    }
    const isThere = holder !== undefined && (nameKey(holder) === nameKey(experiment) || isSame(holder, experiment));
    if (holder && !isThere) {
      conflict(experiment, `: its number is that of ${JSON.stringify(holder.name)} in the target`);
      number = freeNumber(id, byNumber, places, dialect);
    }
    const named = byName.get(nameKey(experiment));
    if (named === undefined || named === number) {
      settle(experiment, { number: BigInt(number), name, merged: false });
      continue;
    }
    conflict(experiment, `: the name ${JSON.stringify(name)} is that of experiment ${named}`);
    if (policy === 'merge') settle(experiment, { number: BigInt(named), name, merged: true });
    else settle(experiment, { number: BigInt(number), name: renamed.name, merged: false });
  }
  return { renumbered: renumberedOf(experiments, places), apply: applier(places) };

  function settle(experiment: Named, place: Place): void {
    places.set(experiment.id, place);
    const number = String(place.number);
    if (place.merged) return;
    byNumber.set(number, { ...experiment, name: place.name });
    byName.set(nameKey({ ...experiment, name: place.name }), number);
  }

  function conflict({ id, name }: Named, reason: string): void {
    if (policy !== 'fail') return;
    problems.add({ kind: 'name-taken', where: `experiment ${id} (${name})`, reason, rows: {} });
  }
}

const nameKey = ({ name, workspace }: Pick<Named, 'name' | 'workspace'>) => keyText([workspace, name]);

/** Renamed since, on one side or the other. */
const isSame = (one: Named, other: Named) => one.birth === other.birth && one.birth !== '';

function readerOf(table: Table): (row: Row) => Named {
  const columns = columnsOf(table).map(({ name }) => name);
  return (row) => {
    const value = (name: string) => row[columns.indexOf(name)] ?? null;
    const [created, location] = [value('creation_time'), value('artifact_location')];
    return {
      id: String(value('experiment_id')),
      name: String(value('name')),
      workspace: String(value('workspace') ?? 'default'),
      birth: created === null ? '' : keyText([created, location]),
    };
  };
}

async function experimentsThere(
  session: Session,
  dialect: Dialect,
  table: Table,
  experiments: readonly Named[],
  numbers: ReadonlyMap<string, number | bigint>,
): Promise<Named[]> {
  const ids = experiments.map(({ id }) => [numbers.get(id) ?? 0]);
  const names = experiments.map(({ name }) => [name]);
  const rows = [
    ...(await rowsByKey(session, dialect, table, ['experiment_id'], ids)),
    ...(await rowsByKey(session, dialect, table, ['name'], names)),
  ];
  const found = rows.map(readerOf(table));
  return [...new Map(found.map((each) => [each.id, each])).values()];
}

/** The number that an id beyond an INTEGER would get, or the next one that nobody has. */
function freeNumber(
  id: string,
  taken: ReadonlyMap<string, unknown>,
  places: ReadonlyMap<string, Place>,
  dialect: Dialect,
): string {
  const used = new Set([...places.values()].map(({ number }) => String(number)));
  let number = BigInt(experimentIds([`another ${id}`], dialect).get(`another ${id}`) ?? 1);
  while (taken.has(String(number)) || used.has(String(number))) number++;
  return String(number);
}

function renumberedOf(experiments: readonly Named[], places: ReadonlyMap<string, Place>): Renumbered[] {
  return experiments.flatMap(({ id, name }): Renumbered[] => {
    const place = places.get(id);
    const to = String(place?.number);
    if (!place || (to === id && place.name === name)) return [];
    return [
      {
        from: id,
        to,
        name: place.name,
        ...(place.name !== name && { renamed: name }),
        ...(place.merged && { merged: true }),
      },
    ];
  });
}

// ---------------------------------------------------------------- rows

/** In associations of evaluation datasets an experiment is named as a text. */
const ASSOCIATIONS = 'entity_associations';
const ASSOCIATED = 'experiment';

function applier(places: ReadonlyMap<string, Place>): ExperimentMap['apply'] {
  const numberOf = (value: Value): Value => {
    const number = value === null ? undefined : places.get(String(value))?.number;
    if (number === undefined) return value;
    return typeof number === 'bigint' && Number.isSafeInteger(Number(number)) ? Number(number) : number;
  };
  return ({ table, rows }) => {
    const columns = columnsOf(table).map(({ name }) => name);
    const at = (name: string) => columns.indexOf(name);
    const id = at('experiment_id');
    const change = (row: Row, place: number, to: Value): Row => (row[place] === to ? row : row.with(place, to));
    if (table.name === 'experiments') {
      const own = rows.filter((row) => !places.get(String(row[id]))?.merged);
      const named = own.map((row) =>
        change(row, at('name'), places.get(String(row[id]))?.name ?? row[at('name')] ?? null),
      );
      return { table, rows: named.map((row) => change(row, id, numberOf(row[id] ?? null))) };
    }
    if (table.name === ASSOCIATIONS) {
      const associated = (row: Row, side: string): Row => {
        if (row[at(`${side}_type`)] !== ASSOCIATED) return row;
        return change(row, at(`${side}_id`), String(numberOf(row[at(`${side}_id`)] ?? null)));
      };
      return { table, rows: rows.map((row) => associated(associated(row, 'source'), 'destination')) };
    }
    return id < 0 ? { table, rows } : { table, rows: rows.map((row) => change(row, id, numberOf(row[id] ?? null))) };
  };
}
