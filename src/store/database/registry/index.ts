import type { Registry } from '../../store.js';
import type { Context } from '../context.js';
import { notBuilt } from '../placeholder.js';

export const registry = (_: Context): Registry => notBuilt('the model registry');
