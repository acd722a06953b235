/** Every field of every request with values of every type: made of the table, so that no route is left out. */
import { routes } from '../../../src/server/routes/index.js';
import type { Field } from '../../../src/server/wire/read.js';
import type { Step } from './steps.js';

const VALUES = [5, 'text', true, {}, [5], null];
const WORDS = ['text', '', '-1'];

/** By path, field and value. */
const DIFFERENT: readonly (readonly [string, string, string, NonNullable<Step['differs']>])[] = [
  [
    '/mlflow/registered-models/search',
    'max_results',
    '-1',
    { because: 'MLflow takes a negative number of results', status: 400, says: 'It must be a positive integer' },
  ],
];

/** A value of the right type that names nothing: a request that is refused for it changes nothing. */
function harmless(name: string, { schema }: Field<unknown>, i: number): unknown {
  if (name === 'experiment_id') return '987654';
  if (name === 'name' || name === 'new_name') return `name ${i}`;
  if (name === 'model_json') return 'none';
  switch (schema.type) {
    case 'array':
      return ['none'];
    case 'integer':
      return 1;
    case 'boolean':
      return false;
    case undefined:
      return schema.anyOf ? 1 : {};
    case 'object':
      return {};
    default:
      return schema.enum?.[0] ?? 'none';
  }
}

/**
 * What MLflow fails on with a 500, or half reads, is refused here: those steps are marked by `mayRefuse`.
 * Routes of files are elsewhere; of a route with several paths one is enough.
 */
export function wrongValues(): readonly (Step & { readonly mayRefuse: true })[] {
  let i = 0;
  const steps: (Step & { readonly mayRefuse: true })[] = [];
  for (const { path, prefixes, methods, fields } of routes) {
    const [prefix = ''] = prefixes;
    const target = (prefix + path).replace(/\{\w+\}/g, 'none');
    for (const method of methods) {
      for (const name of Object.keys(fields)) {
        // Null makes it a run of the experiment with an empty name, of which MLflow's database speaks.
        if (path === '/mlflow/runs/create' && name === 'experiment_id') continue;
        for (const value of method === 'GET' ? WORDS : VALUES) {
          i += 1;
          const needed = Object.entries(fields).filter(([other, each]) => each.needed || other === 'experiment_id');
          const base = Object.fromEntries(needed.map(([other, each]) => [other, harmless(other, each, i)]));
          const given = { ...base, [name]: value };
          const sent = method === 'GET' ? { query: given as Record<string, string> } : { json: given };
          const differs = DIFFERENT.find(([of, field, text]) => path === of && field === name && text === value)?.[3];
          steps.push({ method, path: target, ...sent, mayRefuse: true, ...(differs && { differs }) });
        }
      }
    }
  }
  return steps;
}
