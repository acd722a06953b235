/** The flags that say what of a source is wanted. */
import { Flags } from '@oclif/core';
import ms from 'ms';
import { MtrackError } from '../../errors.js';
import { schemaAt } from '../../schema/lineage.js';
import type { Traits } from '../../schema/traits.js';
import { selected } from '../../transfer/select/selected.js';
import { isEverything, type Selection } from '../../transfer/select/selection.js';
import type { Source } from '../../transfer/source.js';

export interface SelectionFlags {
  readonly experiment?: readonly string[] | undefined;
  readonly run?: readonly string[] | undefined;
  readonly model?: readonly string[] | undefined;
  readonly since?: number | undefined;
}

/** A point of time, or how long ago one was: milliseconds since the epoch. */
const moment = Flags.custom<number>({
  helpValue: '30d',
  parse: async (text, _, { name }) => {
    const ago = /^\d+(\.\d+)?\s*[a-z]+$/i.test(text) ? ms(text as ms.StringValue) : undefined;
    const time =
      ago === undefined && /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Date.now() - (ago ?? Number.NaN);
    if (Number.isFinite(time)) return time;
    throw new MtrackError('USAGE', {
      found: `--${name} ${text}: no time`,
      expected: 'a date (2026-11-24, 2026-11-24T08:00:00Z), or how long ago: 36h, 30d',
    });
  },
});

export const selectionFlags = {
  experiment: Flags.string({
    description: 'only this experiment, by number or name, with all that is in it; can be given again',
    helpValue: 'NAME',
    multiple: true,
  }),
  run: Flags.string({
    description: 'only this run, with its experiment, datasets, logged models, parents and traces; can be given again',
    helpValue: 'ID',
    multiple: true,
  }),
  model: Flags.string({
    description:
      'only this registered model, with its versions and their runs, or this logged model; can be given again',
    helpValue: 'NAME',
    multiple: true,
  }),
  since: moment({
    description: 'only what began or was made since: of the experiments that are named, or of everything',
  }),
};

export const selectionOf = ({ experiment, run, model, since }: SelectionFlags): Selection => ({
  experiments: experiment ?? [],
  runs: run ?? [],
  models: model ?? [],
  since: since ?? null,
});

/** The source, or what of it is wanted. @throws {MtrackError} USAGE for what is named and not there */
export async function narrowed(
  source: Source,
  flags: SelectionFlags,
  traits: Traits,
  signal: AbortSignal,
): Promise<Source> {
  const selection = selectionOf(flags);
  if (isEverything(selection)) return source;
  return selected(source, selection, { schema: schemaAt(source.revision, traits), traits, signal });
}
