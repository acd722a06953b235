/** What this process takes of the machine's memory, where V8 would take what it can get. */
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';

/** Bytes of V8's space for new objects, both halves: beyond that more of it saves no time that could be measured. */
const ENOUGH = 8 * 2 ** 20;
const LOOK_EVERY_MS = 50;

/**
 * For work that makes and forgets millions of small objects: V8 lets the space for new ones grow to 128 MB, although hardly
 * any of them live on. There is no call that bounds it in a process that runs, and a flag of Node's would have to be on
 * every command line; but V8 asks by which factor it is to grow each time that it does.
 */
export function keepHeapSmall(): void {
  const timer = setInterval(() => {
    const young = getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space');
    if (young !== undefined && young.space_size < ENOUGH) return;
    setFlagsFromString('--semi-space-growth-factor=1');
    clearInterval(timer);
  }, LOOK_EVERY_MS);
  timer.unref();
}
