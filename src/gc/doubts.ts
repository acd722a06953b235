/** What is deleted and needed all the same. */
import type { Reason } from './report.js';
import type { Age, Dependant, Item, TrashSource } from './source.js';

export interface Doubts {
  /** What needs it, in words; null for nothing. */
  of(item: Item): string | null;
  /** Why an experiment must stay as a whole; null when it may go. */
  ofExperiment(source: TrashSource, id: string, age: Age): Promise<{ reason: Reason; because: string } | null>;
}

const SHOWN = 3;

export async function doubtsOf(source: TrashSource, force: boolean): Promise<Doubts> {
  const byThing = new Map<string, Dependant[]>();
  const byExperiment = new Map<string, Dependant[]>();
  for (const each of force ? [] : await source.dependants()) {
    append(byThing, `${each.kind} ${each.id}`, each);
    append(byExperiment, each.experiment, each);
  }
  return {
    of: ({ kind, id }) => {
      const dependants = byThing.get(`${kind} ${id}`);
      return dependants ? inWords(dependants.map(({ by }) => by)) : null;
    },
    ofExperiment: async (source, id, age) => {
      // What is in the experiment itself goes with it.
      const needed = (byExperiment.get(id) ?? []).filter(({ within }) => within !== id);
      const hindrances = await source.hindrances(id);
      if (needed.length > 0 || hindrances.length > 0) {
        const runs = needed.map(({ kind, id, by }) => `its ${kind} ${id}: ${by}`);
        return { reason: 'needed', because: inWords([...runs, ...hindrances]) };
      }
      const { young, undated } = await source.notDue(id, age);
      if (young > 0) return { reason: 'young', because: `${young} of its runs were deleted later` };
      if (undated > 0) return { reason: 'undated', because: `${undated} of its runs have no time of deletion` };
      return null;
    },
  };
}

function append<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const values = map.get(key);
  if (values) values.push(value);
  else map.set(key, [value]);
}

function inWords(all: readonly string[]): string {
  const more = all.length - SHOWN;
  return `${all.slice(0, SHOWN).join('; ')}${more > 0 ? `; and ${more} more` : ''}`;
}
