import { Flags } from '@oclif/core';
import { BaseCommand } from '../../cli/base.js';
import { changeTimeouts, duration } from '../../cli/flags.js';
import { historyFlag } from '../../cli/history.js';
import { databaseArg, databaseFlags } from '../../cli/store.js';
import { runUpgrade, type UpgradeFlags } from '../../cli/upgrade.js';

export default class DbUpgrade extends BaseCommand {
  static override summary = 'Upgrade a database to the head, to a revision, or to what an MLflow release uses.';
  static override description =
    `Shows what would be done, asks, and does it under a lock; finishes what another upgrade, by mtrack or by MLflow, left half-done; makes the tables of an empty database.

A revision that cannot be undone or loses data needs an agreement of its own (--accept), which --yes does not give. Stop the MLflow servers first, and take a backup: the command for this database is shown.

EXIT STATUS: 0 done, or nothing to do; everything else in docs/exit-codes.md.`;
  static override examples = [
    {
      description: 'see what an upgrade would do',
      command: '<%= config.bin %> <%= command.id %> sqlite:///mlflow.db --dry-run',
    },
    {
      description: 'only as far as the MLflow that is installed',
      command: '<%= config.bin %> <%= command.id %> sqlite:///mlflow.db --to mlflow==2.22',
    },
    {
      description: 'in a script',
      command:
        '<%= config.bin %> <%= command.id %> --backend-store-uri-file /run/secrets/mlflow-uri --yes --accept 2d6e25af4d3e',
    },
    {
      description: 'only with a backup that was restored, and on which this upgrade was rehearsed',
      command:
        '<%= config.bin %> <%= command.id %> sqlite:///mlflow.db --require-backup mlflow.backup.receipt.json --require-rehearsal --max-age 24h',
    },
    {
      description: 'a script for a DBA',
      command: '<%= config.bin %> <%= command.id %> postgresql://db/mlflow --sql > upgrade.sql',
    },
    {
      description: 'the same without a connection',
      command: '<%= config.bin %> <%= command.id %> --sql --to acf3f17fdcc7:head --dialect postgresql',
    },
  ];
  static override args = databaseArg;
  static override flags = {
    ...databaseFlags,
    ...historyFlag,
    to: Flags.string({
      description: 'head, a revision, a release as mlflow==2.22; with --sql also a range of revisions, from:to',
      default: 'head',
      helpValue: 'TARGET',
    }),
    'dry-run': Flags.boolean({ description: 'show the plan and stop; writes nothing' }),
    sql: Flags.boolean({
      description: "write the plan as a script for the database's own client; writes nothing to the database",
      exclusive: ['dry-run'],
    }),
    dialect: Flags.string({
      description: 'with --sql and a range: the database that the script is for, as a scheme (mariadb for MariaDB)',
      helpValue: 'SCHEME',
      dependsOn: ['sql'],
    }),
    yes: Flags.boolean({ char: 'y', description: 'do not ask; does not cover what needs --accept' }),
    accept: Flags.string({
      description: 'agree to a revision that cannot be undone; can be given several times, or with commas',
      helpValue: 'REVISION',
      multiple: true,
      multipleNonGreedy: true,
      delimiter: ',',
    }),
    'require-backup': Flags.string({
      description:
        'go ahead only if this receipt of `db backup-check --restore` holds: a file, or a folder, of whose receipts the newest counts',
      helpValue: 'RECEIPT',
      helpGroup: 'PROOF',
      exclusive: ['sql'],
    }),
    'require-rehearsal': Flags.boolean({
      description: 'and only if this very upgrade was rehearsed on the restored backup',
      helpGroup: 'PROOF',
      dependsOn: ['require-backup'],
    }),
    'max-age': duration({
      description: 'and only if the backup was taken no longer ago',
      helpValue: '24h',
      helpGroup: 'PROOF',
      dependsOn: ['require-backup'],
    }),
    'restore-side-file': Flags.string({
      description: 'put back what `db downgrade` wrote to this file, at the revision that it is of',
      helpValue: 'PATH',
      multiple: true,
      multipleNonGreedy: true,
      exclusive: ['dry-run', 'sql'],
    }),
    ...changeTimeouts,
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(DbUpgrade);
    const given: UpgradeFlags = {
      ...flags,
      accept: flags.accept ?? [],
      'restore-side-file': flags['restore-side-file'] ?? [],
    };
    return runUpgrade({ argument: args.db_uri, flags: given }, this.terminal());
  }
}
