import type { Metrics } from '../store.js';
import type { Context } from './context.js';
import { notBuilt } from './placeholder.js';
export const metrics = (_: Context): Metrics => notBuilt('metrics');
