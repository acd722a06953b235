import type { Traces } from '../../store.js';
import type { Context } from '../context.js';
import { notBuilt } from '../placeholder.js';

export const traces = (_: Context): Traces => notBuilt('traces');
