/** Programs that are measured: their time, and the most memory that they had. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

export interface Measured {
  readonly seconds: number;
  /** Of the process itself, not of the database's server. */
  readonly peakMegabytes: number;
  /** It was not stopped for taking too long. */
  readonly finished: boolean;
}

export interface RunOptions {
  readonly input?: string | undefined;
  /** Seconds after which it is stopped. */
  readonly limit?: number | undefined;
  readonly env?: NodeJS.ProcessEnv | undefined;
  readonly cwd?: string | undefined;
}

/** @throws {Error} with the end of what it wrote to stderr, when it fails */
export function measured(command: readonly string[], options: RunOptions = {}): Promise<Measured> {
  const [program = '', ...args] = command;
  const began = performance.now();
  const child = spawn(program, args, {
    stdio: ['pipe', 'ignore', 'pipe'],
    env: { ...process.env, NO_COLOR: '1', CI: '1', ...options.env },
    cwd: options.cwd,
  });
  let errors = '';
  child.stderr.on('data', (text: Buffer) => {
    errors = (errors + text.toString()).slice(-4000);
  });
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.input ?? '');
  let peak = 0;
  const watch = setInterval(() => {
    peak = Math.max(peak, peakOf(child.pid));
  }, 20);
  let stopped = false;
  const limit = options.limit
    ? setTimeout(() => {
        stopped = true;
        child.kill('SIGKILL');
      }, options.limit * 1000)
    : undefined;
  return new Promise((done, failed) => {
    child.on('close', (code) => {
      clearInterval(watch);
      clearTimeout(limit);
      const seconds = (performance.now() - began) / 1000;
      if (code !== 0 && !stopped) failed(new Error(`${command.join(' ')} ended with ${code}:\n${errors}`));
      else done({ seconds, peakMegabytes: peak, finished: !stopped });
    });
  });
}

/** VmHWM is the most memory that a process has had, in kB (proc(5)). */
function peakOf(pid: number | undefined): number {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}
