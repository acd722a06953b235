import { Flags } from '@oclif/core';
import { runBackup } from '../../cli/backup.js';
import { BaseCommand } from '../../cli/base.js';
import { duration } from '../../cli/flags.js';
import { databaseArg, databaseFlags } from '../../cli/store.js';

export default class DbBackup extends BaseCommand {
  static override summary = 'Take a backup of a database the way its maintainers say, and read it back.';
  static override description =
    `With the online backup of SQLite, pg_dump, mariadb-dump or mysqldump, BACKUP DATABASE on SQL Server: while the database is in use, and of one state of it. The backup is written beside its name, read back to the last byte, and renamed when it is whole; beside it comes a manifest that says of which database it is, from when, and what is in it. An existing file is never overwritten.

No password shows in a list of processes or is written to a file: the tools get it in their environment.

EXIT STATUS: 0 done, 30 no backup was taken, 5 stopped by a signal, 12 the database is empty; everything else in docs/exit-codes.md.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %> sqlite:///mlflow.db',
    {
      description: 'four jobs at a time, into a folder',
      command: '<%= config.bin %> <%= command.id %> postgresql://mlflow@db/mlflow --jobs 4 --output /backups/',
    },
    {
      description: 'in a script, with the URI in MLFLOW_BACKEND_STORE_URI',
      command: '<%= config.bin %> <%= command.id %> --output /backups/ --json',
    },
  ];
  static override args = databaseArg;
  static override flags = {
    ...databaseFlags,
    output: Flags.string({
      char: 'o',
      description: 'what the backup is called; or a folder, in which it is called by database, revision and time',
      default: './',
      helpValue: 'PATH',
    }),
    format: Flags.string({
      description: 'for PostgreSQL: custom (the default), directory or plain',
      helpValue: 'NAME',
    }),
    jobs: Flags.integer({
      char: 'j',
      description: 'so many at a time (PostgreSQL, as a directory)',
      default: 1,
      min: 1,
    }),
    'lock-timeout': duration({
      description: 'how long to wait for a writer that keeps readers out',
      default: 60_000,
      defaultHelp: async () => '1m',
    }),
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(DbBackup);
    return runBackup({ argument: args.db_uri, flags }, this.terminal());
  }
}
