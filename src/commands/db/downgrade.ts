import { Flags } from '@oclif/core';
import { BaseCommand } from '../../cli/base.js';
import { runDowngrade } from '../../cli/downgrade.js';
import { changeTimeouts } from '../../cli/flags.js';
import { historyFlag } from '../../cli/history.js';
import { databaseArg, databaseFlags } from '../../cli/store.js';

export default class DbDowngrade extends BaseCommand {
  static override summary = 'Take a database back to an earlier revision, or to what an MLflow release uses.';
  static override description =
    `For a server that was rolled back: MLflow has no such command. Says exactly what the earlier schema cannot hold, writes those rows to a side file first, and needs an agreement to this very plan (--accept-loss HASH). \`db upgrade --restore-side-file\` puts them back. What cannot be undone is refused with the reason. Stop the MLflow servers first, and take a backup.

EXIT STATUS: 0 done, or nothing to do; 27 there is no way back on this database; everything else in docs/exit-codes.md.`;
  static override examples = [
    {
      description: 'see what would be lost',
      command: '<%= config.bin %> <%= command.id %> sqlite:///mlflow.db --to mlflow==2.22 --dry-run',
    },
    {
      description: 'in a script, with the hash that the dry run shows',
      command:
        '<%= config.bin %> <%= command.id %> --backend-store-uri-file /run/secrets/mlflow-uri --to mlflow==2.22 --yes --accept-loss 3f1c20de9a7b6c54',
    },
  ];
  static override args = databaseArg;
  static override flags = {
    ...databaseFlags,
    ...historyFlag,
    to: Flags.string({
      description: 'a revision, or a release as mlflow==2.22',
      required: true,
      helpValue: 'TARGET',
    }),
    'dry-run': Flags.boolean({ description: 'show the plan and what would be lost, and stop; writes nothing' }),
    yes: Flags.boolean({ char: 'y', description: 'do not ask; does not cover what needs --accept-loss' }),
    'accept-loss': Flags.string({
      description: 'agree to what this very plan loses, by the hash that names it',
      helpValue: 'HASH',
    }),
    'side-file': Flags.string({
      description: 'where to write what is lost; mtrack-downgrade-….jsonl in this folder when left out',
      helpValue: 'PATH',
    }),
    ...changeTimeouts,
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(DbDowngrade);
    return runDowngrade({ argument: args.db_uri, flags }, this.terminal());
  }
}
