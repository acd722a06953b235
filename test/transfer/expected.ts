/** What MLflow reads from a file store, as it should read it from a database that the files were moved into. */

export interface ReadRun {
  readonly info: Readonly<Record<string, unknown>>;
  readonly params: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
  readonly metrics: Readonly<Record<string, unknown>>;
  readonly metric_history: Readonly<Record<string, readonly (readonly [number, number, unknown])[]>>;
  readonly inputs: unknown;
  readonly outputs?: unknown;
}

export interface ReadStore {
  readonly experiments: readonly Readonly<Record<string, unknown>>[];
  readonly runs: Readonly<Record<string, ReadRun>>;
  readonly registered_models: Readonly<Record<string, unknown>>;
  readonly logged_models?: Readonly<Record<string, unknown>>;
  readonly traces?: Readonly<Record<string, unknown>>;
}

const DOUBLES: ReadonlyMap<unknown, unknown> = new Map<unknown, unknown>([
  // How MLflow's databases hold the infinities.
  [Number.MAX_VALUE, 'Infinity'],
  [-Number.MAX_VALUE, '-Infinity'],
  // SQLite and MariaDB have one zero.
  [0, 0],
]);
const double = (value: unknown) => (Object.is(value, -0) ? 0 : (DOUBLES.get(value) ?? value));

/** @param ids numbers that experiments have got, by those that they had */
export function runsAsMoved(store: ReadStore, ids: ReadonlyMap<string, string> = new Map()): unknown {
  return Object.fromEntries(
    Object.entries(store.runs).map(([id, run]) => {
      const { params, tags, metrics, metric_history, info, inputs, outputs } = run;
      const { experiment_id, ...rest } = info;
      return [
        id,
        {
          ...{ params, tags, inputs, outputs },
          info: { ...rest, experiment_id: ids.get(String(experiment_id)) ?? experiment_id },
          metrics: Object.fromEntries(Object.entries(metrics).map(([key, value]) => [key, double(value)])),
          metric_history: Object.fromEntries(
            Object.entries(metric_history).map(([key, points]) => [key, distinct(points)]),
          ),
        },
      ];
    }),
  );
}

/** A file can hold a point twice. */
const distinct = (points: readonly (readonly [number, number, unknown])[]) =>
  [...new Set(points.map(([step, time, value]) => JSON.stringify([step, time, double(value)])))].sort();

/** @param deleted experiments whose folders are in the trash */
export function experimentsAsMoved(
  store: ReadStore,
  ids: ReadonlyMap<string, string> = new Map(),
  deleted: readonly string[] = [],
): unknown {
  return store.experiments
    .map((each) => ({
      ...each,
      experiment_id: ids.get(String(each.experiment_id)) ?? each.experiment_id,
      ...(deleted.includes(String(each.experiment_id)) && { lifecycle_stage: 'deleted' }),
    }))
    .sort((a, b) => (String(a.experiment_id) < String(b.experiment_id) ? -1 : 1));
}

/** What a column of a database holds of a tag: files hold any. @returns the runs that had longer ones */
export function cutLongTags(store: ReadStore): string[] {
  const cut: string[] = [];
  for (const [id, { tags }] of Object.entries(store.runs)) {
    for (const [key, value] of Object.entries(tags)) {
      if ([...value].length <= 8000) continue;
      (tags as Record<string, string>)[key] = [...value].slice(0, 8000).join('');
      cut.push(id);
    }
  }
  return cut;
}
