import { Flags } from '@oclif/core';
import { BaseCommand } from '../cli/base.js';
import { duration } from '../cli/flags.js';
import { mapFlag } from '../cli/transfer/artifacts.js';
import { verify } from '../cli/transfer/verify.js';

export default class Verify extends BaseCommand {
  static override summary = 'Say whether everything that one store has is in another one, as it is.';
  static override description =
    `Reads both, and changes neither: every row of the source is looked for in the target, and named where it is missing or differs. What the target has beside is counted. Stores of different revisions are compared at the newer one.

EXIT STATUS: 0 everything is there, 21 everything is there that files can hold, 42 something is missing or different; everything else in docs/exit-codes.md.`;
  static override examples = [
    {
      description: 'after files were imported',
      command:
        '<%= config.bin %> <%= command.id %> --from ./mlruns --to postgresql://mlflow@db/mlflow --report moved.json',
    },
    {
      description: 'an archive against the store that it was made of',
      command: '<%= config.bin %> <%= command.id %> --from sqlite:///mlflow.db --to mlflow.tar.zst',
    },
  ];
  static override flags = {
    from: Flags.string({
      description: 'store URI, or path of an archive: what is looked for',
      helpValue: 'URI',
      required: true,
    }),
    to: Flags.string({ description: 'store URI, or path of an archive: where', helpValue: 'URI', required: true }),
    'long-values': Flags.string({
      description: 'whether values of params and tags may have been cut to what the target holds',
      options: ['cut', 'fail'],
      default: 'cut',
    }),
    'on-conflict': Flags.string({
      description: 'what the import did with an experiment whose name or number was taken',
      options: ['rename', 'merge'],
      default: 'merge',
    }),
    ...mapFlag,
    report: Flags.string({
      description: 'a file for the report, as JSON, or as text where its name ends in .txt',
      helpValue: 'PATH',
    }),
    'wait-timeout': duration({
      description: 'how long to wait for a writer that keeps readers out',
      default: 60_000,
      defaultHelp: async () => '1m',
    }),
  };

  async run(): Promise<unknown> {
    const { flags } = await this.parse(Verify);
    return verify(flags, this.terminal());
  }
}
