import { Flags } from '@oclif/core';
import { BaseCommand } from '../../cli/base.js';
import { historyFlag } from '../../cli/history.js';
import { databaseFlags, storeArg } from '../../cli/store.js';
import { runRestore } from '../../cli/trash.js';

export default class TrashRestore extends BaseCommand {
  static override summary = 'Take runs and experiments out of the trash.';
  static override description =
    `As MLflow restores them: an experiment comes with all of its runs, whenever they were deleted. Works on a database at any revision. Waits for a gc of the same store to end.

EXIT STATUS: 0 done; 21 done, but for what is named; everything else in docs/exit-codes.md.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %> sqlite:///mlflow.db --run-ids 3f2a…,9c41…',
    '<%= config.bin %> <%= command.id %> ./mlruns --experiment-ids 7',
  ];
  static override args = storeArg;
  static override flags = {
    ...databaseFlags,
    ...historyFlag,
    'run-ids': Flags.string({ description: 'runs, with commas', helpValue: 'IDS' }),
    'experiment-ids': Flags.string({ description: 'experiments, with commas', helpValue: 'IDS' }),
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(TrashRestore);
    return runRestore({ argument: args.store_uri, flags }, this.terminal());
  }
}
