import { fileURLToPath } from 'node:url';
import { Errors, handle, run } from '@oclif/core';
import { MtrackError } from '../errors.js';
import { failureText } from './render/failure.js';

/** Runs the command that the arguments name. @param url of the file that was started, from which oclif finds its package */
export async function main(url: string): Promise<void> {
  // Started by another process to run in its place: when that one dies, stop as if it had passed on the signal.
  if (process.channel) {
    process.channel.unref();
    process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
  }
  // Whoever read the messages has gone (`2>&1 | head`, a terminal that was closed): the work is no less to be ended well.
  process.stderr.on('error', () => undefined);
  // No plugins of the user: oclif would look for them in a home folder that may not be this user's to read.
  // Not oclif's `execute`, which waits for stdout to drain: where its reader has gone (`| head`), it never does.
  const args = process.argv.slice(2);
  await run(args, { root: fileURLToPath(url), userPlugins: false }).catch((error: Error) => {
    const unknown = error instanceof Errors.CLIError && /^command .* not found$/.test(error.message);
    if (!unknown) return handle(error);
    const failure = new MtrackError('USAGE', {
      found: `there is no command \`mtrack ${args.filter((arg) => !arg.startsWith('-')).join(' ')}\``,
      fix: ['`mtrack --help` and `mtrack db --help` list the commands'],
    });
    process.stderr.write(`${failureText(failure)}\n`);
    process.exitCode = failure.exit;
  });
}
