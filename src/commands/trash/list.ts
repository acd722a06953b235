import { Flags } from '@oclif/core';
import { BaseCommand } from '../../cli/base.js';
import { databaseFlags, storeArg } from '../../cli/store.js';
import { runTrashList } from '../../cli/trash.js';

export default class TrashList extends BaseCommand {
  static override summary = 'List what is deleted, and when gc would remove it for good.';
  static override description =
    `Deleted experiments, runs and logged models, since when, and what keeps them. Changes nothing.

EXIT STATUS: 0 done; everything else in docs/exit-codes.md.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %> sqlite:///mlflow.db',
    '<%= config.bin %> <%= command.id %> ./mlruns --older-than 30d --json',
  ];
  static override args = storeArg;
  static override flags = {
    ...databaseFlags,
    'older-than': Flags.string({
      description: 'the age that gc is run with: 30d, 1d2h3m4s, 1.5d',
      helpValue: 'AGE',
      default: '30d',
    }),
    'experiment-ids': Flags.string({
      description: 'only these experiments and what is in them, with commas',
      helpValue: 'IDS',
    }),
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(TrashList);
    return runTrashList({ argument: args.store_uri, flags }, this.terminal());
  }
}
