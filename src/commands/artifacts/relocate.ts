import { Flags } from '@oclif/core';
import { BaseCommand } from '../../cli/base.js';
import { duration } from '../../cli/flags.js';
import { historyFlag } from '../../cli/history.js';
import { relocate } from '../../cli/relocate.js';
import { databaseFlags, storeArg } from '../../cli/store.js';
import { mapFlag } from '../../cli/transfer/artifacts.js';

export default class ArtifactsRelocate extends BaseCommand {
  static override summary = 'Say in a store where its artifacts are now, after they were moved.';
  static override description =
    `Rewrites every URI of artifacts that begins as --map says: of experiments, runs, logged models, model versions (source and storage location), traces (also archived ones) and workspaces. The artifacts themselves are not touched: \`mtrack import --artifacts copy\` copies them. In a database all is one transaction; in a file store each file is written whole. Works on a database at any revision.

A URI is changed where its first names are those of OLD, name by name: s3://a/b is not the beginning of s3://a/bc. A local place is found as a path and as a file: URI.

EXIT STATUS: 0 done, 21 done but for files that cannot be read, 41 URIs in their new place would be too long; everything else in docs/exit-codes.md.`;
  static override examples = [
    {
      description: 'what would change',
      command:
        '<%= config.bin %> <%= command.id %> --backend-store-uri postgresql://mlflow@db/mlflow --map s3://old=s3://new --dry-run',
    },
    {
      description: 'a folder of files that came from another machine',
      command: '<%= config.bin %> <%= command.id %> ./mlruns --map /home/ann/mlruns=/srv/mlruns --yes',
    },
  ];
  static override args = storeArg;
  static override flags = {
    ...databaseFlags,
    ...mapFlag,
    ...historyFlag,
    'dry-run': Flags.boolean({ description: 'count what would be changed; writes nothing' }),
    yes: Flags.boolean({ char: 'y', description: 'do not ask' }),
    'wait-timeout': duration({
      description: 'how long to wait for another one that works on the database',
      default: 60_000,
      defaultHelp: async () => '1m',
    }),
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(ArtifactsRelocate);
    return relocate({ argument: args.store_uri, flags }, this.terminal());
  }
}
