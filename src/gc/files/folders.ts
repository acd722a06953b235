/**
 * Removing a folder of a file store so that nobody ever sees a part of it: it is moved away in one step, and removed there.
 * What a process that was killed had moved away is removed by the next one.
 */
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, renameSync, rmdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';

/** In the root of the store, so that a rename leads there. MLflow takes no folder that ends in `.trash` for an experiment. */
const AWAY = '.mtrack-gc.trash';

export const awayFolder = (root: string): string => join(root, AWAY);

/** @returns where it is now; null where it was gone already */
export function takeAway(root: string, folder: string): string | null {
  const away = awayFolder(root);
  mkdirSync(away, { recursive: true });
  const place = join(away, randomUUID());
  try {
    renameSync(folder, place);
    return place;
  } catch (error) {
    if (!existsSync(folder)) return null;
    throw error;
  }
}

export async function removeFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true, maxRetries: 3 });
}

/** What was moved away by whoever did not come to remove it. */
export async function removeLeftovers(root: string): Promise<void> {
  const away = awayFolder(root);
  if (!existsSync(away)) return;
  for (const name of readdirSync(away)) await removeFolder(join(away, name));
  forgetAway(root);
}

/** The folder itself goes when it is empty. */
export function forgetAway(root: string): void {
  try {
    rmdirSync(awayFolder(root));
  } catch {
    // Not there, or something is left in it for the next time.
  }
}
