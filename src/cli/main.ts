import { execute } from '@oclif/core';

/** Runs the command that the arguments name. @param url of the file that was started, from which oclif finds its package */
export async function main(url: string): Promise<void> {
  // Started by another process to run in its place: when that one dies, stop as if it had passed on the signal.
  if (process.channel) {
    process.channel.unref();
    process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
  }
  await execute({ dir: url });
}
