import { MtrackError } from '../errors.js';

/**
 * A signal that is aborted by the first SIGINT, SIGTERM or SIGHUP: work stops at its next safe point.
 * @param onSignal is told of every one; `again` of those after the first, which change nothing
 */
export function stopOnSignals(onSignal: (signal: string, again: boolean) => void): {
  signal: AbortSignal;
  release: () => void;
} {
  const controller = new AbortController();
  const stop = (name: NodeJS.Signals) => {
    onSignal(name, controller.signal.aborted);
    controller.abort(new MtrackError('INTERRUPTED', { found: `stopped by ${name}` }));
  };
  const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const name of names) process.on(name, stop);
  return {
    signal: controller.signal,
    release: () => {
      for (const name of names) process.off(name, stop);
    },
  };
}
