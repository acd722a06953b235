/** What a filter or an order says, once it is read. The kinds have MLflow's own names. */

/** What can be searched for. The two stores read filters on logged models by two grammars; `loggedModelFiles` is the file store's. */
export type Entity =
  | 'runs'
  | 'experiments'
  | 'traces'
  | 'loggedModels'
  | 'loggedModelFiles'
  | 'registeredModels'
  | 'modelVersions'
  | 'datasets';

export type Kind =
  | 'attribute'
  | 'metric'
  | 'parameter'
  | 'tag'
  | 'dataset'
  | 'request_metadata'
  | 'span'
  | 'feedback'
  | 'expectation'
  | 'issue';

export interface Column {
  readonly kind: Kind;
  readonly key: string;
}

export type Value = string | number | readonly string[] | null;

/** One comparison as it was written: all of them together must hold. */
export interface Clause extends Column {
  /** In the case in which it was written. */
  readonly comparator: string;
  readonly value: Value;
  /** The value of an attribute was written with a point or an exponent, which some refuse even if it is whole. */
  readonly float?: true;
}

export const COMPARATORS = [
  '=',
  '!=',
  '<',
  '<=',
  '>',
  '>=',
  'LIKE',
  'ILIKE',
  'RLIKE',
  'IN',
  'NOT IN',
  'IS NULL',
  'IS NOT NULL',
] as const;
export type Comparator = (typeof COMPARATORS)[number];

/** A clause that its store can answer: the key without an alias, the value of the type that is compared. */
export interface Comparison extends Column {
  readonly comparator: Comparator;
  readonly value: Value;
}

export interface Order extends Column {
  readonly ascending: boolean;
  /** For a metric of logged models: only as measured on this dataset. */
  readonly dataset?: { readonly name: string; readonly digest?: string };
}
