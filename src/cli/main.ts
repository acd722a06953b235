import { fileURLToPath } from 'node:url';
import { Config, Errors, handle, run } from '@oclif/core';
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
  const root = fileURLToPath(url);
  await run(args, { root, userPlugins: false }).catch(async (error: Error) => {
    const unknown = error instanceof Errors.CLIError && /^command .* not found$/.test(error.message);
    if (!unknown) return handle(error);
    const failure = new MtrackError('USAGE', noSuchCommand(args, (await Config.load({ root })).commandIDs));
    process.stderr.write(`${failureText(failure)}\n`);
    process.exitCode = failure.exit;
  });
}

/** What oclif has taken for a command: perhaps the name of one, and an argument that it does not have. */
function noSuchCommand(args: readonly string[], commands: readonly string[]) {
  const flag = args.findIndex((arg) => arg.startsWith('-'));
  const words = args.slice(0, flag < 0 ? undefined : flag);
  const lengths = words.map((_, i) => words.length - i);
  const known = lengths.find((length) => commands.includes(words.slice(0, length).join(':')));
  if (known === undefined) {
    return {
      found: `there is no command \`mtrack ${words.join(' ')}\``,
      fix: ['`mtrack --help` and `mtrack db --help` list the commands'],
    };
  }
  const command = `mtrack ${words.slice(0, known).join(' ')}`;
  return {
    found: `\`${command}\` takes no argument: ${words.slice(known).join(' ')}`,
    fix: [`\`${command} --help\` lists its flags`],
  };
}
