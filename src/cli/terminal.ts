import type { Secret } from '../secrets.js';

/** What the flow may do on the terminal. */
export interface Terminal {
  /** mtrack and its version. */
  readonly program: string;
  readonly interactive: boolean;
  readonly json: boolean;
  /** A result, to stdout. */
  readonly say: (text: string) => void;
  /** A line of a log, to stderr, whoever reads stdout. */
  readonly record: (line: string) => void;
  /** Everything else, to stderr. */
  readonly note: (text: string) => void;
  readonly keepSecret: (secrets: Iterable<Secret>, known: Iterable<string>) => void;
}
