import { handle, run } from '@oclif/core';

/** Runs the command that the arguments name. @param url of the file that was started, from which oclif finds its package */
export async function main(url: string): Promise<void> {
  // Started by another process to run in its place: when that one dies, stop as if it had passed on the signal.
  if (process.channel) {
    process.channel.unref();
    process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
  }
  // Not oclif's `execute`, which waits for stdout to drain: where its reader has gone (`| head`), it never does.
  await run(process.argv.slice(2), url).catch(handle);
}
