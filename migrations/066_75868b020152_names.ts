/** What the columns of revision 75868b020152 are called, and the keys that their values had before. */
import type { SqlWords } from '../src/schema/operations.js';

/** Longest values of the new columns, in characters. */
export const TRACE_NAME = 4096;
export const SESSION = 250;
export const MODEL = 500;

export const TOKENS = [
  'input_tokens',
  'output_tokens',
  'total_tokens',
  'cache_read_input_tokens',
  'cache_creation_input_tokens',
  'cache_creation_input_tokens_above_1hr',
];
export const COSTS = ['input_cost', 'output_cost', 'total_cost'];

export const NAME_TAG = 'mlflow.traceName';
export const SESSION_KEY = 'mlflow.trace.session';
export const TOKEN_USAGE_KEY = 'mlflow.trace.tokenUsage';
export const COST_KEY = 'mlflow.trace.cost';
export const GATEWAY_KEY = 'mlflow.gateway.endpointId';
export const MODEL_ATTRIBUTE = 'mlflow.llm.model';
export const PROVIDER_ATTRIBUTE = 'mlflow.llm.provider';

export const oneOf = (sql: SqlWords, column: string, values: string[]) =>
  `${column} IN (${values.map(sql.literal).join(', ')})`;
