/** The model registry in a database: all that is here writes rows as MLflow's SqlAlchemyStore does. */
import type { Registry } from '../../store.js';
import type { Context } from '../context.js';
import { aliases } from './aliases.js';
import { models } from './models.js';
import { modelTags, versionTags } from './tags.js';
import { versions } from './versions.js';

export const registry = (context: Context): Registry => ({
  models: { ...models(context), ...modelTags(context), ...aliases(context) },
  versions: { ...versions(context), ...versionTags(context) },
});
