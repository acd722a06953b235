/**
 * What a plan, or the state of a database, is warned about: each rule with a stable id, what it means and what to do.
 * docs/rules.md is generated from this table, and `mtrack explain` shows it.
 */

/** `note`: good to know. `warning`: plan a window for it. `error`: somebody should decide about it first. */
export const SEVERITIES = ['note', 'warning', 'error'] as const;
export type Severity = (typeof SEVERITIES)[number];

export interface Rule {
  readonly name: string;
  /** The severity in general; a finding on the database at hand can be less. */
  readonly severity: Severity;
  readonly means: string;
  readonly todo: string;
}

export const RULES = {
  MTK001: {
    name: 'blocks-reads-and-writes',
    severity: 'error',
    means:
      'A table with rows is locked so that nobody can read or write it while its rows are worked through: every request of an MLflow server that touches it waits.',
    todo: 'Stop the MLflow servers for that time. How long it is: `mtrack db plan --probe`, or a rehearsal: `mtrack db backup-check --restore --rehearse`.',
  },
  MTK002: {
    name: 'blocks-writes',
    severity: 'warning',
    means: 'A table with rows can be read but not written while its rows are worked through: logging waits.',
    todo: 'Choose an hour in which nobody trains, or pause the writers. How long it is: `mtrack db plan --probe`.',
  },
  MTK003: {
    name: 'brief-lock',
    severity: 'note',
    means:
      'Only the catalog changes, but the lock for it queues behind the longest transaction on that table, and everybody else queues behind the lock.',
    todo: 'End long transactions first. mtrack gives up after a short wait and tries again, so that the queue behind it stays short (--lock-timeout).',
  },
  MTK004: {
    name: 'rewrites-table',
    severity: 'warning',
    means:
      'The table, with its indexes, is written again whole: while it lasts the database needs about that much space again, and the log of the server grows by it.',
    todo: 'Look at the free space of the database and of its log, and of replicas.',
  },
  MTK005: {
    name: 'lock-kept-to-commit',
    severity: 'warning',
    means:
      'The lock of this step is over at once by itself, but it is kept until the transaction of its revision ends, and other steps of that revision take time.',
    todo: 'Count the time of the whole revision, not of this step alone.',
  },
  MTK006: {
    name: 'locks-whole-database',
    severity: 'warning',
    means:
      'There is one lock for the whole database, held to the end of the upgrade: nobody writes in that time, and at its end nobody reads.',
    todo: 'Stop whatever uses the file.',
  },
  MTK007: {
    name: 'commits-each-statement',
    severity: 'note',
    means:
      'The database commits every change of its schema by itself: an upgrade that is cut off stays where it is, part-way into a revision.',
    todo: 'Run `mtrack db upgrade` again: it finds out what is done and goes on. `mlflow db upgrade` cannot.',
  },
  MTK010: {
    name: 'cannot-be-undone',
    severity: 'error',
    means: 'No later command brings back what this revision does to the rows of this database.',
    todo: 'Take a backup and prove it: `mtrack db backup`, `mtrack db backup-check`. Agree with `--accept REVISION`.',
  },
  MTK011: {
    name: 'drops-column',
    severity: 'warning',
    means: 'A column goes, with what is in it. Programs other than MLflow that read it fail.',
    todo: 'Look for dashboards and scripts of your own that read the column.',
  },
  MTK012: {
    name: 'moves-rows',
    severity: 'note',
    means: 'Rows are read and written, in chunks, which takes time in proportion to their number.',
    todo: '`mtrack db plan --probe` says how long it takes here.',
  },
  MTK013: {
    name: 'may-refuse-rows',
    severity: 'warning',
    means:
      'A constraint or a condition is new for rows that are there already: one that breaks it would stop the upgrade. The preflight of `mtrack db upgrade` looks for such rows before the first change.',
    todo: 'Run `mtrack db upgrade --dry-run` against the database: it names such rows.',
  },
  MTK014: {
    name: 'breaks-older-servers',
    severity: 'error',
    means:
      'MLflow servers of a release before this revision fail on the schema after it, also those that run already: they read or write what is no longer there as it was.',
    todo: 'Stop all of them before the upgrade, and start the new release after it.',
  },
  MTK015: {
    name: 'older-servers-do-not-start',
    severity: 'note',
    means:
      'An MLflow server compares the revision of the database with its own when it opens it, and refuses any other. One that runs already goes on, as long as no other rule says that it fails, until it is started again.',
    todo: 'Plan the change of the server release together with the upgrade.',
  },
  MTK016: {
    name: 'creates-trigger',
    severity: 'note',
    means: 'A trigger is made, for which some databases ask for a privilege of its own, more so under binary logging.',
    todo: 'The preflight of `mtrack db upgrade` checks it and names the statement that grants it.',
  },
  MTK101: {
    name: 'upgrade-pending',
    severity: 'note',
    means: 'The database is at an older revision than the target.',
    todo: '`mtrack db plan`, then `mtrack db upgrade`.',
  },
  MTK102: {
    name: 'part-way',
    severity: 'error',
    means: 'An upgrade was cut off inside a revision, by whichever tool.',
    todo: '`mtrack db upgrade` finishes it.',
  },
  MTK103: {
    name: 'empty-database',
    severity: 'warning',
    means: 'The database has no tables of MLflow.',
    todo: 'Check that it is the right one; `mtrack db upgrade` makes the tables.',
  },
  MTK104: {
    name: 'newer-than-known',
    severity: 'error',
    means: 'The database is at a revision that this build does not know, or beyond the target.',
    todo: 'Update mtrack, or name a later target.',
  },
  MTK105: {
    name: 'foreign-database',
    severity: 'error',
    means: 'The version table belongs to another program, or cannot be understood.',
    todo: 'Name the database of MLflow tracking.',
  },
  MTK106: {
    name: 'unversioned',
    severity: 'error',
    means: 'There are tables of MLflow, but no version, and not the schema that never had one.',
    todo: '`mtrack db status` says which revisions the schema fits.',
  },
  MTK107: {
    name: 'drifted',
    severity: 'error',
    means: 'The schema lacks, or has otherwise, what MLflow or a later revision needs at its revision.',
    todo: 'Put the differences right by hand or from a backup; `mtrack db status` lists them.',
  },
  MTK108: {
    name: 'weakened',
    severity: 'warning',
    means: 'The schema lacks an index, a check or a reference: MLflow works, but slower or less guarded.',
    todo: 'Make them again: `mtrack db status` names them.',
  },
  MTK109: {
    name: 'preflight-refuses',
    severity: 'error',
    means: 'The upgrade could not succeed as things are, and would not be begun.',
    todo: 'Do what the finding says.',
  },
  MTK110: {
    name: 'preflight-warns',
    severity: 'note',
    means: 'Something about the server or the data should be known before the upgrade.',
    todo: 'Read the finding.',
  },
} as const satisfies Record<string, Rule>;

export type RuleId = keyof typeof RULES;

export const isRule = (id: string): id is RuleId => Object.hasOwn(RULES, id);

/** Whether a severity is as grave as another one, or graver. */
export const isAtLeast = (severity: Severity, least: Severity): boolean =>
  SEVERITIES.indexOf(severity) >= SEVERITIES.indexOf(least);
