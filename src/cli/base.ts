/** What all commands have in common: how they fail, how they print, and that no secret gets out. */
import { Command, Errors } from '@oclif/core';
import { MtrackError, messageOf } from '../errors.js';
import { redactor, type Secret } from '../secrets.js';
import { failureText } from './render/failure.js';
import type { Terminal } from './terminal.js';

export abstract class BaseCommand extends Command {
  static override enableJsonFlag = true;

  #redact: (text: string) => string = (text) => text;

  /** Whether a person sits there: only then may a question be asked, and only then is progress animated. */
  protected get interactive(): boolean {
    return Boolean(process.stdin.isTTY && process.stdout.isTTY) && !this.jsonEnabled() && process.env.CI === undefined;
  }

  /** From here on these do not get out. @param known what may be shown although it is part of a secret: names of users and databases */
  protected keepSecret(secrets: Iterable<Secret>, known: Iterable<string>): void {
    this.#redact = redactor(secrets, known);
  }

  /** What the flows of the command line may do here. */
  protected terminal(): Terminal {
    return {
      program: `mtrack ${this.config.version}`,
      interactive: this.interactive,
      json: this.jsonEnabled(),
      say: (text) => this.log(text),
      note: (text) => this.note(text),
      record: (line) => void process.stderr.write(`${this.#redact(line)}\n`),
      keepSecret: (secrets, known) => this.keepSecret(secrets, known),
    };
  }

  override log(message = '', ...args: unknown[]): void {
    super.log(this.#redact(message), ...args);
  }

  /** For people: to stderr, so that stdout holds results alone. */
  protected note(message: string): void {
    if (!this.jsonEnabled()) process.stderr.write(`${this.#redact(message)}\n`);
  }

  /** Of the output of --json; null for a line for each value, where there are several. */
  protected jsonIndent: number | null = 2;

  protected override logJson(json: unknown): void {
    const clean = (_: string, value: unknown) => (typeof value === 'string' ? this.#redact(value) : value);
    const text = JSON.stringify(json, clean, this.jsonIndent ?? undefined);
    process.stdout.write(`${text}\n`);
  }

  protected override async catch(error: Error & { exitCode?: number }): Promise<void> {
    const failure = asFailure(error);
    process.exitCode = failure instanceof MtrackError ? failure.exit : 1;
    if (failure === null) return;
    if (this.jsonEnabled()) this.logJson(this.toErrorJson(failure));
    else process.stderr.write(`${this.#redact(failureText(failure))}\n`);
  }

  protected override toErrorJson(error: unknown): unknown {
    if (error instanceof MtrackError) return { error: error.toJSON() };
    return { error: { code: 'FAULT', exit: 1, found: messageOf(error) } };
  }
}

/** The error as one of ours; null when a command merely ended early (`--help`), with its own exit status. */
function asFailure(error: Error): Error | null {
  if (error instanceof Errors.ExitError && error.oclif.exit === 0) return null;
  if (error instanceof Errors.CLIError) {
    return new MtrackError('USAGE', {
      found: error.message
        .replace(/\nSee more help with --help\n?$/, '')
        .replace(/^The following errors? occurred:\s+/, ''),
      fix: ['see the options with --help'],
      cause: error,
    });
  }
  if (error.name === 'ExitPromptError') {
    return new MtrackError('CONSENT_REQUIRED', { found: 'no answer was given: nothing was changed' });
  }
  return error;
}
