/** The command line on a terminal of its own (a pseudo-terminal, by terminal.py), where it asks and shows its progress. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { stripVTControlCharacters } from 'node:util';
import { environment, ROOT, RUN, type RunOptions } from './cli.js';

export interface Answer {
  /** What must have come on the screen since the last answer. */
  readonly after: string;
  /** Keys: `\r` is Enter, `\x03` Ctrl-C. */
  readonly send: string;
}

export interface Screen {
  readonly code: number | null;
  readonly signal: number | null;
  /** All that was written, in the order of writing, without colours and movements of the cursor. */
  readonly screen: string;
  /** Answers that nothing asked for. */
  readonly unanswered: number;
}

export async function onTerminal(
  args: readonly string[],
  answers: readonly Answer[],
  { node = [], env = {}, ...others }: Pick<RunOptions, 'node' | 'env'> = {},
): Promise<Screen> {
  return programOnTerminal([process.execPath, ...node, RUN, ...args], answers, { env, ...others });
}

/** Any program, as `mtrack` is run by `onTerminal`. */
export async function programOnTerminal(
  command: readonly string[],
  answers: readonly Answer[],
  { env = {}, cwd = ROOT }: Pick<RunOptions, 'env' | 'cwd'> = {},
): Promise<Screen> {
  const child = spawn('python3', [join(import.meta.dirname, 'terminal.py'), ...command], {
    cwd,
    env: environment({ TERM: 'xterm-256color', ...env }),
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdin.end(JSON.stringify(answers));
  const result = JSON.parse(await text(child.stdout)) as Screen;
  return { ...result, screen: stripVTControlCharacters(result.screen).replaceAll('\r', '') };
}
