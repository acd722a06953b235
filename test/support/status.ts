/** `mtrack db status` as a person and as a script see it. */
import { expect } from 'vitest';
import { mtrack, type RunOptions } from './cli.js';

export interface Said {
  readonly code: number | null;
  readonly text: string;
  readonly stderr: string;
  readonly json: Record<string, unknown> & { readonly error?: Record<string, unknown> };
}

/** Asks twice: for people, and with --json; both end with the same exit status. */
export async function statusOf(uri: string, options: RunOptions = {}): Promise<Said> {
  return bothWays(['db', 'status', uri], options);
}

export async function bothWays(args: readonly string[], options: RunOptions = {}): Promise<Said> {
  const [people, machine] = await Promise.all([mtrack(args, options), mtrack([...args, '--json'], options)]);
  expect(machine.code, machine.stderr).toBe(people.code);
  expect(machine.stderr, 'nothing but JSON where JSON is asked for').toBe('');
  return {
    code: people.code,
    text: people.stdout,
    stderr: people.stderr,
    json: JSON.parse(machine.stdout) as Said['json'],
  };
}
