import { Flags } from '@oclif/core';
import { BaseCommand } from '../cli/base.js';
import { duration } from '../cli/flags.js';
import { mapFlag } from '../cli/transfer/artifacts.js';
import { exportStore } from '../cli/transfer/export.js';
import { selectionFlags } from '../cli/transfer/selection.js';

export default class Export extends BaseCommand {
  static override summary = 'Write everything in a store into an archive, which `mtrack import` reads.';
  static override description =
    `The store is read in one snapshot, whoever goes on writing, and is not changed. An archive is neutral: JSON Lines for each table, with counts and checksums, described in docs/archive.md. The same store gives the same bytes.

EXIT STATUS: 0 done, 21 done but for what is named, 40 the source has what cannot be read, 44 there is something of that name; everything else in docs/exit-codes.md.`;
  static override examples = [
    {
      description: 'into one file',
      command: '<%= config.bin %> <%= command.id %> --from postgresql://mlflow@db/mlflow --to mlflow.tar.zst',
    },
    {
      description: 'one registered model, with the runs of its versions',
      command: '<%= config.bin %> <%= command.id %> --from ./mlruns --to fraud.tar.zst --model fraud',
    },
    {
      description: 'through a pipe, into another store',
      command:
        '<%= config.bin %> <%= command.id %> --from ./mlruns --to - | ssh other mtrack import - --to sqlite:///mlflow.db --yes',
    },
  ];
  static override flags = {
    from: Flags.string({ description: 'store URI of the source', helpValue: 'URI', required: true }),
    to: Flags.string({
      description: 'a folder, a file (.tar.zst, .tar.gz, .tar), or - for the standard output',
      helpValue: 'PATH',
      required: true,
    }),
    revision: Flags.string({
      description: 'whose tables a file store is written as; a database is exported as it is',
      helpValue: 'TARGET',
    }),
    ...selectionFlags,
    ...mapFlag,
    'skip-bad': Flags.boolean({ description: 'leave behind what cannot be read, and report each' }),
    'wait-timeout': duration({
      description: 'how long to wait for a writer that keeps readers out',
      default: 60_000,
      defaultHelp: async () => '1m',
    }),
  };

  async run(): Promise<unknown> {
    const { flags } = await this.parse(Export);
    return exportStore(flags, this.terminal());
  }
}
