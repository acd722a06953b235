import { Flags } from '@oclif/core';
import { BaseCommand } from '../../cli/base.js';
import { FORMATS, runCheck } from '../../cli/check.js';
import { databaseArg, databaseFlags } from '../../cli/store.js';
import { FAILURES } from '../../errors.js';
import { SEVERITIES } from '../../upgrade/rules.js';

export default class DbCheck extends BaseCommand {
  static override summary = 'Check a database, or a range of revisions, and fail where an upgrade needs a decision.';
  static override description =
    `For CI: of a database, whether it is up to date, and what its upgrade would mean; with --from, what any upgrade over that range means, without a database. Reads only.

EXIT STATUS: 0 nothing speaks against it, 26 a finding as grave as --fail-on, 10 an upgrade is pending, 11 part-way, 12 empty, 13 newer, 14 not MLflow's, 15 drifted, 16 without a version. A state other than pending comes before the findings. See docs/exit-codes.md and docs/rules.md.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %> sqlite:///mlflow.db',
    '<%= config.bin %> <%= command.id %> postgresql://mlflow@db.example.org/mlflow --to mlflow==3.17 --fail-on warning',
    {
      description: 'a pull request that raises the MLflow version, judged without a database',
      command:
        '<%= config.bin %> <%= command.id %> --from mlflow==2.9 --to mlflow==3.18 --dialect postgresql --format github --annotate requirements.txt:12',
    },
  ];
  static override args = databaseArg;
  static override flags = {
    ...databaseFlags,
    from: Flags.string({
      description: 'without a database: the revision or release that it is at',
      helpValue: 'TARGET',
    }),
    to: Flags.string({
      description: 'head, a revision, or a release as mlflow==2.22',
      default: 'head',
      helpValue: 'TARGET',
    }),
    dialect: Flags.string({
      description: 'with --from: the kind of database, as a scheme (mariadb for MariaDB)',
      helpValue: 'SCHEME',
    }),
    'fail-on': Flags.option({
      description: 'the least severity of a finding that fails the check',
      options: [...SEVERITIES, 'never'] as const,
      default: 'error' as const,
    })(),
    format: Flags.option({ description: 'how findings are written', options: FORMATS, default: 'text' as const })(),
    annotate: Flags.string({
      description: 'the file of the repository that findings are shown at, for sarif and github',
      default: 'requirements.txt',
      helpValue: 'FILE[:LINE]',
    }),
  };

  async run(): Promise<Record<string, unknown>> {
    const { args, flags } = await this.parse(DbCheck);
    const { code, json } = await runCheck(
      { argument: args.db_uri, flags, version: this.config.version },
      this.terminal(),
    );
    process.exitCode = code === null ? 0 : FAILURES[code].exit;
    return json;
  }
}
