import { setFlagsFromString } from 'node:v8';

/**
 * What makes and forgets millions of small objects leaves much garbage behind, and V8 lets it pile up to several times of what
 * is in use. Collected sooner, a server that answers nothing but histories of 10,000 points stays at about 170 MB in place of 370,
 * for a sixth more CPU time on those (bench/server.ts), and an import below 300 MB (bench/transfer.ts). It is no limit: what is
 * in use may grow as far as Node lets it.
 */
export function keepHeapSmall(): void {
  setFlagsFromString('--heap-growing-percent=40');
  // The space for what is new is large enough by now; that of threads to come has so many megabytes, twice, from their beginning.
  setFlagsFromString('--semi-space-growth-factor=1');
  setFlagsFromString('--min-semi-space-size=4');
}
