/**
 * MLflow's search: the language of filters and orders, page tokens, and what the file store does with them. A database store
 * compiles what parseSearch gives to SQL; a file store sorts and matches records by it.
 *
 * Texts are read, and refused, as MLflow 3.17 with sqlparse 0.6.1 does it, down to the message. What differs:
 * - where MLflow fails (a 500, or its database's own words), the answer is INVALID_PARAMETER_VALUE;
 * - a set in a message has one order, Python's has another in each process;
 * - the file store finds a comparator that a column does not have at once, not when a record gets as far as that clause;
 * - the list of an IN: no characters by name (\N{...}), and what is no string, number, list, tuple or None is ill-formed;
 *   logged models of a database take lists of strings only;
 * - a page token of logged models that is no JSON is refused without the place of the error in it;
 * - letters and digits are those of Node's Unicode, which is newer than Python's.
 */
export type { Clause, Column, Comparator, Comparison, Entity, Kind, Order, Value } from './ast.js';
export { checkFilter, type StoreKind } from './check.js';
export { type Found, likePattern, matcher, matches, type Searchable, sorted } from './evaluate.js';
export { parseFilter } from './filter.js';
export { type LoggedModelOrder, parseLoggedModelOrder } from './logged-model-order.js';
export { type OrderedEntity, parseOrder, parseOrderBy } from './order.js';
export {
  decodeHistoryToken,
  decodeLoggedModelToken,
  decodePageToken,
  encodeHistoryToken,
  encodeLoggedModelToken,
  encodePageToken,
  type LastPoint,
  type LoggedModelQuestion,
} from './page-token.js';
// What messages, names and values outside of searches are written and read with, too.
export {
  float as parseFloating,
  int as parseInteger,
  type Json,
  reprFloat,
  reprList,
  reprString,
  strip as stripSpace,
} from './python.js';
export { compactJson, readJson, readJsonText, writeJson, writeUnicodeJson } from './python-json.js';
export { parseSearch, type Search } from './search.js';
