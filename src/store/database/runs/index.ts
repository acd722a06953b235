import type { Runs } from '../../store.js';
import type { Context } from '../context.js';
import { notBuilt } from '../placeholder.js';
export const runs = (_: Context): Runs => notBuilt('runs');
