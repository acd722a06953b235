import { Flags } from '@oclif/core';
import { artifactFlags } from '../cli/artifacts.js';
import { BaseCommand } from '../cli/base.js';
import { duration } from '../cli/flags.js';
import { runGc } from '../cli/gc.js';
import { historyFlag } from '../cli/history.js';
import { databaseFlags, storeArg } from '../cli/store.js';

export default class Gc extends BaseCommand {
  static override summary = 'Remove deleted runs, experiments and logged models for good, with their artifacts.';
  static override description =
    `Takes what has been deleted for as long as --older-than says, by the clock of the store, and nothing else: artifacts first, then rows, each thing whole or not at all. Works on a database at any revision; nothing is upgraded.

Runs that a registered model, an alias or a living logged model depends on are kept, and named. What cannot be removed is left whole for the next time, and the others go on.

EXIT STATUS: 0 done, or nothing to do; 21 done, but for what is named; everything else in docs/exit-codes.md.`;
  static override examples = [
    {
      description: 'see what would go',
      command: '<%= config.bin %> <%= command.id %> sqlite:///mlflow.db --older-than 30d --dry-run',
    },
    {
      description: 'every night, from cron',
      command:
        '<%= config.bin %> <%= command.id %> --backend-store-uri-file /run/secrets/mlflow-uri --older-than 30d --yes',
    },
    {
      description: 'only these runs, as soon as they are deleted',
      command: '<%= config.bin %> <%= command.id %> sqlite:///mlflow.db --run-ids 3f2a…,9c41… --yes',
    },
    {
      description: 'what was left behind by runs that are gone',
      command: '<%= config.bin %> <%= command.id %> sqlite:///mlflow.db --orphans',
    },
  ];
  static override args = storeArg;
  static override flags = {
    ...databaseFlags,
    ...artifactFlags,
    ...historyFlag,
    'older-than': Flags.string({
      description: 'only what was deleted so long ago or longer: 30d, 1d2h3m4s, 1.5d',
      helpValue: 'AGE',
    }),
    undated: Flags.string({
      description: 'what has no time of its deletion (MLflow before 1.28)',
      options: ['skip', 'treat-as-old'],
      default: 'skip',
    }),
    'run-ids': Flags.string({ description: 'only these runs, with commas', helpValue: 'IDS' }),
    'experiment-ids': Flags.string({
      description: 'only these experiments and what is in them, with commas',
      helpValue: 'IDS',
    }),
    'experiment-name': Flags.string({
      description: 'only this experiment and what is in it; can be given several times',
      helpValue: 'NAME',
      multiple: true,
      multipleNonGreedy: true,
    }),
    'logged-model-ids': Flags.string({ description: 'only these logged models, with commas', helpValue: 'IDS' }),
    jobs: Flags.boolean({ description: 'finished jobs as well' }),
    'job-ids': Flags.string({ description: 'only these jobs, with commas', helpValue: 'IDS' }),
    force: Flags.boolean({
      description:
        'also what a registered model or a living logged model depends on; with --delete-orphans also where most folders seem to be orphans',
    }),
    children: Flags.string({
      description: 'what happens to runs that are nested in one that goes',
      options: ['keep', 'with-parent'],
      default: 'keep',
    }),
    'dry-run': Flags.boolean({ description: 'show what would be removed; writes nothing' }),
    yes: Flags.boolean({ char: 'y', description: 'do not ask' }),
    orphans: Flags.boolean({
      description: 'instead: artifact folders that nothing in the store refers to, with their sizes; deletes nothing',
      helpGroup: 'ORPHANS',
    }),
    'delete-orphans': Flags.boolean({ description: 'the same, and delete them', helpGroup: 'ORPHANS' }),
    grace: Flags.string({
      description: 'orphans that were written to more lately than this stay',
      helpValue: 'AGE',
      default: '7d',
      helpGroup: 'ORPHANS',
    }),
    concurrency: Flags.integer({
      description: 'things whose artifacts are deleted at a time',
      default: 16,
      min: 1,
      max: 1000,
    }),
    'max-runs': Flags.integer({ description: 'stop after so many runs', min: 1 }),
    'max-duration': duration({ description: 'stop after this time' }),
    throttle: Flags.integer({ description: 'remove no more than so many things a second', helpValue: 'RATE', min: 1 }),
    vacuum: Flags.boolean({
      description: 'then give the room of the removed rows back, as far as the database can',
    }),
    'wait-timeout': duration({
      description: 'how long to wait for another gc of the same store to end',
      default: 60_000,
      defaultHelp: async () => '1m',
    }),
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(Gc);
    return runGc({ argument: args.store_uri, flags }, this.terminal());
  }
}
