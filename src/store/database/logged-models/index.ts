import type { LoggedModels } from '../../store.js';
import type { Context } from '../context.js';
import { notBuilt } from '../placeholder.js';

export const loggedModels = (_: Context): LoggedModels => notBuilt('logged models');
