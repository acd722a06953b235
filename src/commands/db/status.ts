import { BaseCommand } from '../../cli/base.js';
import { waitingNotes } from '../../cli/progress.js';
import { locationJson } from '../../cli/render/json.js';
import { codeOfLocation, locationText } from '../../cli/render/location.js';
import { databaseArg, databaseFlags, namedDatabase, withDatabase } from '../../cli/store.js';
import type { Database } from '../../dialect/dialect.js';
import { FAILURES } from '../../errors.js';
import { locate } from '../../upgrade/locate.js';
import { secretsOf, wordsOf } from '../../uri.js';

const PATIENCE_MS = 10_000;

export default class DbStatus extends BaseCommand {
  static override summary = 'Say where a database is in the lineage of MLflow revisions.';
  static override description =
    `Looks at the version and at every table, column, key, index, check and trigger, and changes nothing.

EXIT STATUS: 0 at the head, 10 older, 11 part-way into a revision, 12 empty, 13 newer than this build, 14 not MLflow's, 15 drifted, 16 without a version. See docs/exit-codes.md.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %> sqlite:///mlflow.db',
    '<%= config.bin %> <%= command.id %> postgresql://mlflow@db.example.org/mlflow --json',
    'MLFLOW_BACKEND_STORE_URI=mysql+pymysql://mlflow@db/mlflow <%= config.bin %> <%= command.id %>',
  ];
  static override args = databaseArg;
  static override flags = databaseFlags;

  async run(): Promise<Record<string, unknown>> {
    const { args, flags } = await this.parse(DbStatus);
    const store = namedDatabase({ argument: args.db_uri, flags });
    this.keepSecret(secretsOf(store.uri), wordsOf(store.uri));
    return withDatabase(
      store,
      (statement) => this.note(statement),
      (database) => this.show(database),
    );
  }

  private async show(database: Database): Promise<Record<string, unknown>> {
    const session = await database.reader(
      PATIENCE_MS,
      waitingNotes((line) => this.note(line)),
    );
    try {
      const location = await locate(session, database.dialect);
      const code = codeOfLocation(location);
      this.log(locationText(location, database));
      process.exitCode = code === null ? 0 : FAILURES[code].exit;
      return { ...locationJson(location), code, database: database.shown, absent: database.absent };
    } finally {
      await session.close();
    }
  }
}
