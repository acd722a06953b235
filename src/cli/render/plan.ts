/** A plan for people: whole, with what each step does to whom, or in short before an upgrade. */
import type { Dialect, Effect, Finding } from '../../dialect/dialect.js';
import { BASE, releasesOf } from '../../schema/lineage.js';
import type { Assessment } from '../../upgrade/assess.js';
import type { Consent } from '../../upgrade/consent.js';
import { type Costs, costsOf, type Measured, stepsOf } from '../../upgrade/cost.js';
import type { PlannedRevision, Step } from '../../upgrade/plan.js';
import { longest, sumOf, type Time } from '../../upgrade/time.js';
import { count, plural, timeText } from './numbers.js';

/** Every revision with its steps, tables, rows, locks and rewrites, and whether it can be undone. */
export function planText(assessment: Assessment, dialect: Dialect): string {
  const { plan } = assessment;
  const costs = costsOf(assessment);
  return [
    ...headLines(assessment, costs, dialect),
    '',
    ...plan.revisions.flatMap((planned) => revisionText(planned, assessment, costs)),
    ...consentsText(assessment.consents),
    ...findingsText(assessment.findings),
  ].join('\n');
}

/** From where to where, and the steps that take time on this database. */
export function summaryText(assessment: Assessment, dialect: Dialect): string {
  const costs = costsOf(assessment);
  const long = stepsOf(assessment.plan).filter((step) => isLong(costs.of(step).time));
  return [
    ...headLines(assessment, costs, dialect),
    ...(long.length > 0 ? ['', 'what takes time:', ...long.flatMap((step) => stepText(step, assessment, costs))] : []),
    ...findingsText(assessment.findings),
    '',
  ].join('\n');
}

const ATOMICITY = {
  upgrade: 'One transaction: if it fails or is killed, the database is as it was.',
  revision: 'Each revision is one transaction with its version: if it fails or is killed, run it again and it goes on.',
  none: 'Each statement commits by itself here: if it fails or is killed, run it again and it goes on where it stood.',
};

/** One that takes a second, or may. */
const isLong = (time: Time) => longest(time) >= 1;

function headLines({ plan, measured }: Assessment, costs: Costs, dialect: Dialect): string[] {
  const time = sumOf(stepsOf(plan).map((step) => costs.of(step).time));
  const basis = time.basis === 'rehearsed' ? ' when it was rehearsed' : '';
  return [
    plan.initial ? 'from  an empty database' : `from  ${atText(plan.from)}`,
    `to    ${atText(plan.to)}`,
    `      ${plural(plan.revisions.length, 'revision')}, ${plural(stepsOf(plan).length, 'step')}, ${timeText(time)}${basis}`,
    ...(measured?.sample ? [`      probed: timed on ${sampleText(measured.sample)}`] : []),
    ATOMICITY[dialect.transaction],
  ];
}

const sampleText = ({ table, rows, of }: NonNullable<Measured['sample']>) =>
  rows === of ? `all rows, ${count(of)} of ${table}` : `a sample: ${count(rows)} of ${count(of)} rows of ${table}`;

/** A revision with the MLflow releases that use it. */
export function atText(revision: string): string {
  if (revision === BASE) return `${BASE}  (MLflow 0.9)`;
  const releases = releasesOf(revision);
  return releases === null ? revision : `${revision}  (MLflow ${releases})`;
}

function revisionText({ revision, version, steps }: PlannedRevision, assessment: Assessment, costs: Costs): string[] {
  const isBack = version !== revision.id;
  const undo = revision.irreversible && !isBack ? '  [cannot be undone]' : '';
  return [
    `${revision.id.padEnd(13)} ${revision.title}${undo}`,
    ...steps.flatMap((step) => stepText(step, assessment, costs)),
  ];
}

function stepText(step: Step, { stats }: Assessment, costs: Costs): string[] {
  const { rows, time } = costs.of(step);
  const others = step.revisions.filter((id) => id !== step.at);
  const facts = [
    ...(rows === null ? [] : [plural(rows, 'row')]),
    ...(isLong(time) ? [timeText(time)] : []),
    ...(others.length > 0 ? [`also for ${others.join(', ')}`] : []),
  ];
  // On a table that is new or empty a lock is over at once.
  const felt = step.effects.filter(({ table }) => (stats.get(table)?.rows ?? 0) > 0);
  return [
    `    - ${step.title}${facts.length > 0 ? ` (${facts.join('; ')})` : ''}`,
    ...[...new Set(felt.map(effectText))].map((line) => `        ${line}`),
  ];
}

const WORK = {
  none: 'only the catalog changes',
  scan: 'the table is read',
  index: 'an index is built over the table',
  rewrite: 'the table is rewritten',
};

/** Which table is locked how, and whom that keeps out. */
export function effectText({ table, lock, blocks, work }: Effect): string {
  return `${table}: ${WORK[work]}; ${blocks === 'nothing' ? 'blocks nobody' : `blocks ${blocks}`} (${lock})`;
}

function consentsText(consents: readonly Consent[]): string[] {
  return consents.flatMap((consent) => ['', ...consentText(consent)]);
}

/** A revision that cannot be undone, in lines: why, the numbers of this database, and notes. */
export function consentText({ revision, title, because, facts, notes }: Consent): string[] {
  return [
    `! ${revision} cannot be undone: ${title}`,
    `    ${because}.`,
    ...(facts.length > 0
      ? [`    This database: ${facts.map(({ label, n }) => `${count(n)} ${label}`).join('; ')}.`]
      : []),
    ...notes.map((note) => `    ${note}`),
  ];
}

/** The findings of the preflight in lines, each with its fix. */
export function findingsText(findings: readonly Finding[]): string[] {
  return findings.flatMap(({ severity, found, fix }) => [
    '',
    `${severity === 'refuses' ? 'x' : 'i'} ${found}`,
    `    ${severity === 'refuses' ? 'to do: ' : ''}${fix}`,
  ]);
}
