/** A plan as a script for the database's own client, for operators who must not, or may not, run anything else. */
import type { Dialect, Statement } from '../dialect/dialect.js';
import { inOnePiece } from '../dialect/ranges.js';
import type { Session } from '../dialect/session.js';
import { tablesOf } from '../schema/describe.js';
import { BASE, initial, positionOf, revisions } from '../schema/lineage.js';
import { EMPTY_SCHEMA, type Schema } from '../schema/model.js';
import { type DeriveRows, type DeriveValues, isComputed } from '../schema/operations.js';
import type { Literal, SqlWords } from '../schema/words.js';
import { type Plan, type PlannedRevision, planUpgrade, type Step } from './plan.js';
import { rowsOf, type SourceRow, sourceOf, valuesOf } from './steps.js';

/** Where the rows come from that TypeScript has to compute; null when the script is written without a database. */
export interface ScriptSource {
  readonly session: Session;
  readonly live: Schema;
  /** Whether there is a version table yet. */
  readonly hasVersionTable: boolean;
}

/** The whole script of a plan. @param about lines for its head, said by the one who asks for it */
export async function scriptOf(
  plan: Plan,
  dialect: Dialect,
  source: ScriptSource | null,
  about: readonly string[],
): Promise<string> {
  const { script } = dialect;
  const whole = dialect.transaction === 'upgrade';
  const parts: string[] = [script.header(about)];
  if (whole && script.begin) parts.push(script.begin);
  parts.push(...versionGuard(plan, dialect, source));
  parts.push(...plan.cleanup.map(({ sql }) => script.statement(sql)));
  let { version } = plan;
  let hasTable = source?.hasVersionTable ?? version !== null;
  let open = whole;
  for (const planned of plan.revisions) {
    const { id, title, irreversible } = planned.revision;
    parts.push(
      `-- ${id}: ${title}${irreversible && !plan.initial ? `\n-- ! cannot be undone: ${irreversible.because}` : ''}`,
    );
    if (!open && script.begin) parts.push(script.begin);
    open = true;
    for (const step of planned.steps) parts.push(...(await stepText(step, dialect, source)));
    if (!planned.commits) continue;
    if (planned.revision.id !== BASE) {
      if (!hasTable) parts.push(script.statement(dialect.createVersionTable));
      hasTable = true;
      parts.push(script.statement(stamp(planned, version, dialect)));
      version = planned.revision.id;
    }
    if (!whole && script.commit) parts.push(script.commit);
    open = whole;
  }
  if (whole && script.commit) parts.push(script.commit);
  if (script.footer) parts.push(script.footer);
  return `${parts.join('\n\n')}\n`;
}

/** The script is right for one version only. */
function versionGuard({ version }: Plan, dialect: Dialect, source: ScriptSource | null): string[] {
  const { words, script } = dialect;
  const table = words.id('alembic_version');
  const column = words.id('version_num');
  if (version === null) {
    if (!source?.hasVersionTable) return [];
    return [script.stopIf(`SELECT 1 AS n FROM ${table}`, 'this script is for a database without a version')];
  }
  const others = `SELECT 1 AS n FROM (SELECT COUNT(*) AS n FROM ${table} WHERE ${column} = ${words.literal(version)}) v WHERE v.n <> 1`;
  return [script.stopIf(others, `this script is for a database at revision ${version}`)];
}

function stamp({ revision }: PlannedRevision, version: string | null, { words }: Dialect): string {
  const table = words.id('alembic_version');
  const column = words.id('version_num');
  return version === null
    ? `INSERT INTO ${table} (${column}) VALUES (${words.literal(revision.id)})`
    : `UPDATE ${table} SET ${column} = ${words.literal(revision.id)} WHERE ${column} = ${words.literal(version)}`;
}

async function stepText(step: Step, dialect: Dialect, source: ScriptSource | null): Promise<string[]> {
  const { operation } = step;
  if (operation.op === 'require') {
    return [
      dialect.script.stopIf(
        operation.offending(dialect.words),
        `${operation.title} - this does not hold: ${operation.fix}`,
      ),
    ];
  }
  const text = ({ sql }: Statement) => dialect.script.statement(inOnePiece(sql));
  const statements = step.statements.map(text);
  return isComputed(operation) ? [...statements, ...(await derivedText(operation, dialect, source))] : statements;
}

/** Rows per INSERT of a script. */
const ROWS = 50;

/**
 * What TypeScript computes from rows is written out, from the rows that are there now; the script stops where there are
 * others when it runs.
 */
async function derivedText(
  operation: DeriveRows | DeriveValues,
  dialect: Dialect,
  source: ScriptSource | null,
): Promise<string[]> {
  const { words, script } = dialect;
  const query = inOnePiece(sourceOf(operation, words));
  const rows = source && isReadable(operation, source.live) ? await source.session.rows<SourceRow>(query) : null;
  const guard = script.stopIf(
    `SELECT 1 AS n FROM (SELECT ${words.count()} AS n FROM (${query}) s) c WHERE c.n <> ${rows?.length ?? 0}`,
    rows
      ? `rows of ${operation.over.table} have changed since this was written: write it again`
      : `${operation.over.table} has rows that SQL cannot convert: run mtrack db upgrade instead`,
  );
  return [guard, ...derivedStatements(operation, rows ?? [], words).map(script.statement)];
}

/** Whether the rows can be read before the revisions of the script are applied. */
function isReadable(operation: DeriveRows | DeriveValues, live: Schema): boolean {
  if (operation.op === 'deriveValues') return tablesOf(operation).every((table) => live.tables.has(table));
  const { over, present } = operation;
  return live.tables.get(over.table)?.columns.some(({ name }) => name === present) ?? false;
}

function derivedStatements(
  operation: DeriveRows | DeriveValues,
  source: readonly SourceRow[],
  words: SqlWords,
): string[] {
  const { id, literal } = words;
  if (operation.op === 'deriveValues') {
    return source.map((row) => {
      const values = Object.entries(valuesOf(operation, row)).map(([name, value]) => `${id(name)} = ${literal(value)}`);
      const isIt = operation.identity.map((name) => `${id(name)} = ${literal(String(row[name]))}`);
      return `UPDATE ${id(operation.over.table)} SET ${values.join(', ')} WHERE ${isIt.join(' AND ')}`;
    });
  }
  const { over, into, owner } = operation;
  const derived = source.flatMap((row) => rowsOf(operation, row));
  const statements: string[] = [];
  // A run that was cut off may have made some of them already.
  for (let at = 0; at < source.length; at += ROWS) {
    const owners = source.slice(at, at + ROWS).map((row) => literal(String(row[over.key])));
    statements.push(`DELETE FROM ${id(into)} WHERE ${id(owner)} IN (${owners.join(', ')})`);
  }
  for (let at = 0; at < derived.length; at += ROWS) {
    statements.push(insertText(into, derived.slice(at, at + ROWS), words));
  }
  return statements;
}

function insertText(table: string, rows: readonly Readonly<Record<string, Literal>>[], words: SqlWords): string {
  const names = Object.keys(rows[0] ?? {});
  const values = rows.map((row) => `  (${names.map((name) => words.literal(row[name] ?? null)).join(', ')})`);
  return `INSERT INTO ${words.id(table)} (${names.map(words.id).join(', ')}) VALUES\n${values.join(',\n')}`;
}

/** The plan from one revision to another, on a database as the lineage itself makes it. */
export function planOffline(from: string, to: string, dialect: Dialect): Plan {
  const schema = [...initial, ...revisions.slice(0, positionOf(from)).flatMap(({ operations }) => operations)].reduce(
    (state, operation) => dialect.compile(operation, state).after,
    EMPTY_SCHEMA,
  );
  const version = from === BASE ? null : from;
  return planUpgrade(
    { state: 'at', revision: from, version, releases: null, partWay: null, drift: [], schema },
    to,
    dialect,
  );
}
