import { Args, Flags } from '@oclif/core';
import { artifactFlags } from '../../cli/artifacts.js';
import { runBackupCheck } from '../../cli/backup-check.js';
import { BaseCommand } from '../../cli/base.js';
import { duration } from '../../cli/flags.js';
import { databaseArg, databaseFlags } from '../../cli/store.js';

export default class DbBackupCheck extends BaseCommand {
  static override summary =
    'Say whether a backup can be trusted; restore it and rehearse the upgrade on it to prove it.';
  static override description =
    `Takes a backup by mtrack or by the database's own tools: a SQLite file or its .dump, a dump by pg_dump in any format, by mysqldump or mariadb-dump; each also packed by gzip or zstd. Reads it to its last byte and compares it with the database: that it is of this one, at its revision, recent, with every table. The database itself is only read.

--restore restores it into a scratch database (mtrack_scratch_…) that is made beside the database, or beside --scratch-uri, and dropped again, and compares the count and the checksum of every table. Rows that came after the backup are no damage, and are told. --rehearse runs the very upgrade there and times each step. The receipt of it all is what \`db upgrade --require-backup\` asks for.

EXIT STATUS: 0 it can be trusted, 30 no such backup, 31 cut off, 32 damaged, 33 empty, 34 of another database, 35 of another revision, 36 too old, 37 rows or tables are missing or differ, 39 restore or rehearsal failed; everything else in docs/exit-codes.md.`;
  static override examples = [
    {
      description: 'nightly, from cron',
      command: '<%= config.bin %> <%= command.id %> /backups/mlflow.dump postgresql://mlflow@db/mlflow --max-age 24h',
    },
    {
      description: 'the whole proof, before an upgrade',
      command: '<%= config.bin %> <%= command.id %> mlflow.db.gz sqlite:///mlflow.db --restore --rehearse',
    },
    {
      description: 'without the database',
      command: '<%= config.bin %> <%= command.id %> /backups/mlflow.sql.zst --alone',
    },
  ];
  static override args = {
    backup: Args.string({ description: 'the backup: a file, or a folder of pg_dump', required: true }),
    ...databaseArg,
  };
  static override flags = {
    ...databaseFlags,
    ...artifactFlags,
    alone: Flags.boolean({
      description: 'look at the backup alone, and compare it with no database',
      exclusive: ['restore', 'rehearse', 'artifacts', 'max-age', 'receipt'],
    }),
    'max-age': duration({ description: 'refuse a backup that was taken longer ago', helpValue: '24h' }),
    moved: Flags.boolean({
      description: 'the database was moved to this server since: its content alone says that it is the same',
    }),
    restore: Flags.boolean({ description: 'restore it into a scratch database, and compare every row' }),
    exact: Flags.boolean({
      description: 'the database has not changed since the backup: every row must be the same',
      dependsOn: ['restore'],
    }),
    artifacts: Flags.boolean({
      description: 'restore it, and look whether the artifacts of its models are there',
    }),
    rehearse: Flags.boolean({ description: 'restore it, and run the upgrade there, timing each step' }),
    to: Flags.string({
      description: 'with --rehearse: head, a revision, or a release as mlflow==2.22',
      default: 'head',
      helpValue: 'TARGET',
    }),
    'scratch-uri': Flags.string({
      description: 'a database, of another server say, beside which the scratch database is made',
      helpValue: 'URI',
    }),
    receipt: Flags.string({
      description: 'where the receipt goes; BACKUP.receipt.json if not said',
      helpValue: 'PATH',
    }),
    'lock-timeout': duration({
      description: 'how long to wait for a writer that keeps readers out',
      default: 60_000,
      defaultHelp: async () => '1m',
    }),
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(DbBackupCheck);
    return runBackupCheck(args.backup, { argument: args.db_uri, flags }, this.terminal());
  }
}
