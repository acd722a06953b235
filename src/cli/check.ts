/** `db check`: the gate of a CI job, for a database or for a range of revisions. Reads only. */
import { offlineDialect, SCHEMES } from '../dialect/index.js';
import { type FailureCode, MtrackError } from '../errors.js';
import { positionOf, resolveTarget } from '../schema/lineage.js';
import { type Checked, type CheckFinding, checkDatabase, checkRange } from '../upgrade/check.js';
import { isAtLeast, type Severity } from '../upgrade/rules.js';
import { secretsOf, wordsOf } from '../uri.js';
import { waitingNotes } from './progress.js';
import type { Annotated } from './render/check/annotated.js';
import { githubOf } from './render/check/github.js';
import { junitOf } from './render/check/junit.js';
import { sarifOf } from './render/check/sarif.js';
import { findingsList } from './render/hazards.js';
import { locationJson } from './render/json.js';
import { codeOfLocation } from './render/location.js';
import { plural } from './render/numbers.js';
import { atText } from './render/plan.js';
import { namedDatabase, withDatabase } from './store.js';
import type { Terminal } from './terminal.js';

export const FORMATS = ['text', 'json', 'sarif', 'github', 'junit'] as const;
export type Format = (typeof FORMATS)[number];

export interface CheckFlags {
  readonly 'backend-store-uri'?: string | undefined;
  readonly 'backend-store-uri-file'?: string | undefined;
  readonly from?: string | undefined;
  readonly to: string;
  readonly dialect?: string | undefined;
  readonly 'fail-on': Severity | 'never';
  readonly format: Format;
  /** `FILE` or `FILE:LINE`. */
  readonly annotate: string;
}

interface Input {
  readonly argument: string | undefined;
  readonly flags: CheckFlags;
  /** Of mtrack. */
  readonly version: string;
}

export interface Verdict {
  /** Null when nothing speaks against it. */
  readonly code: FailureCode | null;
  readonly json: Record<string, unknown>;
}

const PATIENCE_MS = 10_000;

export async function runCheck(input: Input, terminal: Terminal): Promise<Verdict> {
  const checked = input.flags.from === undefined ? await ofDatabase(input, terminal) : await ofRange(input);
  const counts = ({ severity }: CheckFinding) => {
    const least = input.flags['fail-on'];
    return least !== 'never' && isAtLeast(severity, least);
  };
  const code = verdict(checked, counts);
  const json = {
    code,
    from: checked.from,
    to: checked.to,
    pending: checked.pending,
    ...(checked.location && { location: locationJson(checked.location) }),
    findings: checked.findings,
  };
  terminal.say(rendered(checked, input, counts, json));
  return { code, json };
}

/** Of a state that is no mere step behind, the state; else whether a finding is grave enough; else whether anything is pending. */
function verdict({ location, findings }: Checked, counts: (finding: CheckFinding) => boolean): FailureCode | null {
  const state = location ? codeOfLocation(location) : null;
  if (location && isBeyond(findings)) return 'DATABASE_NEWER';
  if (state !== null && state !== 'UPGRADE_PENDING') return state;
  if (findings.some(counts)) return 'HAZARDS';
  return findings.some(({ rule }) => rule === 'MTK101') ? 'UPGRADE_PENDING' : null;
}

const isBeyond = (findings: readonly CheckFinding[]) => findings.some(({ rule }) => rule === 'MTK104');

async function ofDatabase(input: Input, terminal: Terminal): Promise<Checked> {
  const { flags } = input;
  if (flags.dialect !== undefined) {
    throw new MtrackError('USAGE', {
      found: '--dialect without --from',
      expected: 'a dialect for a range of revisions; a database has its own',
      fix: [`mtrack db check --from mlflow==2.9 --to ${flags.to} --dialect ${flags.dialect}`],
    });
  }
  const target = resolveTarget(flags.to);
  const store = namedDatabase(input);
  terminal.keepSecret(secretsOf(store.uri), wordsOf(store.uri));
  return withDatabase(store, terminal.note, async (database) => {
    const session = await database.reader(PATIENCE_MS, waitingNotes(terminal.note));
    try {
      return await checkDatabase(database, target, session);
    } finally {
      await session.close();
    }
  });
}

async function ofRange({ argument, flags }: Input): Promise<Checked> {
  const { from = '', to, dialect } = flags;
  const example = `mtrack db check --from mlflow==2.9 --to mlflow==3.18 --dialect ${SCHEMES[0]}`;
  if (argument !== undefined) {
    throw new MtrackError('USAGE', {
      found: 'a database and --from',
      expected: 'one of the two: a database is where it is',
      fix: [example],
    });
  }
  if (dialect === undefined || !SCHEMES.includes(dialect)) {
    throw new MtrackError('USAGE', {
      found: dialect === undefined ? '--from without --dialect' : `--dialect ${dialect}`,
      expected: `--dialect with one of ${SCHEMES.join(', ')}`,
      fix: [example],
    });
  }
  const [first, last] = [resolveTarget(from), resolveTarget(to)];
  if (positionOf(first) > positionOf(last)) {
    throw new MtrackError('USAGE', {
      found: `--from ${from} --to ${to}: ${first} comes after ${last}`,
      expected: 'a range from the older revision to the newer one',
    });
  }
  return checkRange(first, last, await offlineDialect(dialect));
}

// ---------------------------------------------------------------- formats

function rendered(
  checked: Checked,
  { flags, version }: Input,
  counts: (finding: CheckFinding) => boolean,
  json: Record<string, unknown>,
): string {
  const at = annotated(flags.annotate);
  switch (flags.format) {
    case 'text':
      return textOf(checked);
    case 'json':
      return JSON.stringify(json, null, 2);
    case 'sarif':
      return JSON.stringify(sarifOf(checked.findings, version, at), null, 2);
    case 'github':
      return githubOf(checked.findings, at);
    case 'junit':
      return junitOf(checked.findings, counts);
  }
}

/** @throws {MtrackError} USAGE */
function annotated(text: string): Annotated {
  const [, file, line] = /^(.+?)(?::(\d+))?$/.exec(text) ?? [];
  const at = Number(line ?? 1);
  if (file === undefined || at < 1) {
    throw new MtrackError('USAGE', {
      found: `--annotate ${text}`,
      expected: 'a file of the repository, or FILE:LINE with lines from 1',
    });
  }
  return { file, line: at };
}

function textOf({ from, to, pending, findings }: Checked): string {
  const way =
    from === null ? `to ${atText(to)}` : `from ${atText(from)} to ${atText(to)}: ${plural(pending, 'revision')}`;
  return [way, ...(findings.length > 0 ? ['', ...findingsList(findings)] : ['nothing to report'])].join('\n');
}
