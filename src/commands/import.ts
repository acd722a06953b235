import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../cli/base.js';
import { duration } from '../cli/flags.js';
import { historyFlag } from '../cli/history.js';
import { moveFlags } from '../cli/transfer/artifacts.js';
import { importStore } from '../cli/transfer/import.js';
import { selectionFlags } from '../cli/transfer/selection.js';

export default class Import extends BaseCommand {
  static override summary = 'Move everything from one store into another, and prove that it is there.';
  static override description =
    `Reads all of the source first, and says what cannot be read, does not fit or is in the way: every file and line, before anything is written. Ids and times stay as they are. Rows that are there already and equal are passed over, so that an import can be repeated; nothing that the target has is deleted. A file store holds experiments, runs, logged models, traces and the model registry: what it has no place for is named by table and number of rows, and stays in the source. Afterwards the rows are read back from the target and compared with the source.

EXIT STATUS: 0 done and proven, 21 done but for what is named, 40 the source has what cannot be moved, 41 the target has other rows in the place, 42 not proven; everything else in docs/exit-codes.md.`;
  static override examples = [
    {
      description: 'from a folder of files into PostgreSQL',
      command: '<%= config.bin %> <%= command.id %> --from ./mlruns --to postgresql://mlflow@db/mlflow --yes',
    },
    {
      description: 'two experiments, as far as they are of this year',
      command:
        '<%= config.bin %> <%= command.id %> --from sqlite:///mlflow.db --to postgresql://mlflow@db/mlflow --experiment fraud --experiment churn --since 2026-01-01 --yes',
    },
    {
      description: 'out of a database into a folder of files',
      command: '<%= config.bin %> <%= command.id %> --from sqlite:///mlflow.db --to ./mlruns --yes',
    },
    {
      description: 'what it would do',
      command: '<%= config.bin %> <%= command.id %> --from ./mlruns --to sqlite:///mlflow.db --dry-run',
    },
    {
      description: 'with the artifacts, from this machine into a bucket',
      command:
        '<%= config.bin %> <%= command.id %> --from ./mlruns --to postgresql://mlflow@db/mlflow --artifacts copy --map /home/ann/mlruns=s3://bucket/mlflow',
    },
  ];
  static override args = {
    archive: Args.string({
      description: 'path of an archive, or - for the standard input; or the store URI of a source',
    }),
  };
  static override flags = {
    from: Flags.string({ description: 'store URI of the source, or the path of an archive', helpValue: 'URI' }),
    to: Flags.string({ description: 'store URI of the target', helpValue: 'URI', required: true }),
    revision: Flags.string({
      description:
        'of the tables that are made in a target without any: head, a revision, or a release as mlflow==2.22',
      helpValue: 'TARGET',
    }),
    'dry-run': Flags.boolean({ description: 'say what would be done; writes nothing' }),
    yes: Flags.boolean({ char: 'y', description: 'do not ask' }),
    ...selectionFlags,
    'skip-bad': Flags.boolean({ description: 'leave behind what cannot be read or does not fit, and report each' }),
    'long-values': Flags.string({
      description:
        'values of params and tags that are longer than the target holds: cut, as MLflow cuts them, and named; or fail',
      options: ['cut', 'fail'],
      default: 'cut',
    }),
    'on-conflict': Flags.string({
      description: 'what becomes of an experiment whose name or number another one has in the target',
      options: ['fail', 'rename', 'merge'],
      default: 'fail',
    }),
    'on-difference': Flags.string({
      description: 'whose values count where the target has a row with other ones',
      options: ['fail', 'source', 'target'],
      default: 'fail',
    }),
    ...moveFlags,
    ...historyFlag,
    report: Flags.string({
      description: 'a file for the report, as JSON, or as text where its name ends in .txt',
      helpValue: 'PATH',
    }),
    'transaction-rows': Flags.integer({
      description: 'rows of one transaction, about; into a SQLite file all is one',
      default: 50_000,
      min: 1,
    }),
    'wait-timeout': duration({
      description: 'how long to wait for another one that works on the target',
      default: 60_000,
      defaultHelp: async () => '1m',
    }),
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(Import);
    return importStore(args.archive, flags, this.terminal());
  }
}
