import type { Experiments } from '../store.js';
import type { Context } from './context.js';
import { notBuilt } from './placeholder.js';
export async function ensureDefaultExperiment(_: Context): Promise<void> {}
export const experiments = (_: Context): Experiments => notBuilt('experiments');
