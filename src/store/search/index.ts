/** MLflow's search: the language of filters and orders, page tokens, and what the file store does with them. */
export type { Clause, Column, Comparator, Comparison, Entity, Kind, Order, Value } from './ast.js';
export { checkFilter, type StoreKind } from './check.js';
export { type Found, likePattern, matcher, matches, type Searchable, sorted } from './evaluate.js';
export { parseFilter } from './filter.js';
export { type LoggedModelOrder, parseLoggedModelOrder } from './logged-model-order.js';
export { type OrderedEntity, parseOrder, parseOrderBy } from './order.js';
export {
  decodeLoggedModelToken,
  decodePageToken,
  encodeLoggedModelToken,
  encodePageToken,
  type LoggedModelQuestion,
} from './page-token.js';
export { parseSearch, type Search } from './search.js';
