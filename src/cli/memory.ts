/** What this process takes of the machine's memory, where V8 would take what it can get. */
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';

/** Bytes of V8's space for new objects, both halves: beyond that more of it saves no time that could be measured. */
const ENOUGH = 8 * 2 ** 20;
const LOOK_EVERY_MS = 50;

/**
 * For work that makes and forgets millions of small objects: V8 lets the space for new ones grow to 128 MB, although hardly
 * any of them live on, and what does pile up to several times of what is in use. There is no call that bounds the first in a
 * process that runs, and a flag of Node's would have to be on every command line; but V8 asks by which factor it is to grow
 * each time that it does.
 */
export function keepHeapSmall(): void {
  setFlagsFromString('--heap-growing-percent=40');
  // Of threads to come, which are not to grow either: megabytes of a half.
  setFlagsFromString('--min-semi-space-size=4');
  const timer = setInterval(() => {
    const young = getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space');
    if (young !== undefined && young.space_size < ENOUGH) return;
    setFlagsFromString('--semi-space-growth-factor=1');
    clearInterval(timer);
  }, LOOK_EVERY_MS);
  timer.unref();
}
