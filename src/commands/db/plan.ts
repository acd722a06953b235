import { Flags } from '@oclif/core';
import { BaseCommand } from '../../cli/base.js';
import { duration } from '../../cli/flags.js';
import { runPlan } from '../../cli/plan.js';
import { databaseArg, databaseFlags } from '../../cli/store.js';

export default class DbPlan extends BaseCommand {
  static override summary = 'Show what an upgrade would do to a database, and to those who use it.';
  static override description =
    `For each revision and step: what is locked and for how long others wait, what is rewritten, whether older MLflow servers go on, what cannot be undone, and what of the rows is concerned. Each fact says what it rests on. Reads only; with --probe nothing of the database is touched either.

EXIT STATUS: 0 shown, 25 when a table would be blocked for longer than --max-blocked. See docs/exit-codes.md, and docs/rules.md for the rules.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %> sqlite:///mlflow.db',
    '<%= config.bin %> <%= command.id %> postgresql://mlflow@db.example.org/mlflow --to mlflow==3.17 --max-blocked 5s',
    '<%= config.bin %> <%= command.id %> postgresql://mlflow@db.example.org/mlflow --probe',
    'MLFLOW_BACKEND_STORE_URI=mysql+pymysql://mlflow@db/mlflow <%= config.bin %> <%= command.id %> --json',
  ];
  static override args = databaseArg;
  static override flags = {
    ...databaseFlags,
    to: Flags.string({
      description: 'head, a revision, or a release as mlflow==2.22',
      default: 'head',
      helpValue: 'TARGET',
    }),
    probe: Flags.boolean({
      description:
        'ask the server: run the changes on the same tables without rows, and time them on a sample of the rows, in scratch databases that are made and dropped',
    }),
    'sample-rows': Flags.integer({
      description:
        'with --probe: rows of the largest table that the sample has, or a twentieth of it where that is more',
      default: 200_000,
      min: 1,
    }),
    'max-blocked': duration({ description: 'fail when others would be kept from a table for longer, or may be' }),
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(DbPlan);
    return runPlan({ argument: args.db_uri, flags }, this.terminal());
  }
}
