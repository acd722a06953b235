/** `order_by`: what was asked for, and behind it what MLflow's stores add so that no two records are equal. */
import { invalidParameter, StoreError } from '../errors.js';
import type { Column, Entity, Order } from './ast.js';
import type { StoreKind } from './check.js';
import { columnOf } from './columns.js';
import { GRAMMARS, type Grammar, RUN_ALIASES } from './grammars.js';
import { GroupingError, parse } from './grouping.js';
import type { Node } from './node.js';
import { reprList, reprSet, reprString, shellWords, strip } from './python.js';
import { resolveTraceColumn, TRACE_ANALYTICS } from './traces.js';

/** Logged models have an order that is no text; see logged-model-order.ts. */
export type OrderedEntity = Exclude<Entity, 'loggedModels' | 'loggedModelFiles'>;

const attribute = (key: string, ascending: boolean): Order => ({ kind: 'attribute', key, ascending });

interface Ordering {
  /** When nothing is asked for. */
  readonly byDefault: readonly string[];
  /** Added behind what is asked for, each unless it is there already. */
  readonly ties: readonly Order[];
  /** Only attributes can be ordered by, and what the message says otherwise. */
  readonly refusal?: (column: Column) => string;
  /** Whether the database store refuses to order by one column twice. */
  readonly refusesTwice: boolean;
}

const notAnEntity = ({ kind }: Column) => `Invalid order_by entity: ${kind}`;

const ORDERINGS: Readonly<Record<OrderedEntity, Ordering>> = {
  // NULLs come last in both directions, behind NaN.
  runs: {
    byDefault: [],
    ties: [attribute('start_time', false), attribute('run_id', true)],
    refusesTwice: true,
  },
  experiments: {
    byDefault: ['creation_time DESC', 'experiment_id ASC'],
    ties: [attribute('experiment_id', false)],
    refusal: notAnEntity,
    refusesTwice: false,
  },
  traces: {
    byDefault: [],
    ties: [attribute('timestamp_ms', false), attribute('request_id', true)],
    refusesTwice: true,
  },
  registeredModels: { byDefault: [], ties: [attribute('name', true)], refusesTwice: true },
  modelVersions: {
    byDefault: ['last_updated_timestamp DESC', 'name ASC', 'version_number DESC'],
    ties: [attribute('name', true), attribute('version_number', false)],
    refusesTwice: true,
  },
  datasets: {
    byDefault: ['created_time DESC'],
    ties: [attribute('dataset_id', false)],
    refusal: notAnEntity,
    refusesTwice: false,
  },
};

/**
 * The whole order. The file store lets one column come twice, and orders traces by attributes only.
 * @throws StoreError in the words of MLflow's store of that kind
 */
export function parseOrderBy(
  entity: OrderedEntity,
  list: readonly string[] | null | undefined,
  store: StoreKind = 'database',
): Order[] {
  const { byDefault, ties, refusal, refusesTwice } = ORDERINGS[entity];
  const asked = list?.length ? list : byDefault;
  const orders: Order[] = [];
  for (const text of asked) {
    const order = storedOrder(entity, parseOrder(entity, text), store);
    if (refusal && order.kind !== 'attribute') throw invalidParameter(refusal(order));
    if (refusesTwice && store === 'database' && orders.some((other) => isSame(other, order))) {
      throw new StoreError(
        'INTERNAL_ERROR',
        `\`order_by\` contains duplicate fields: ${reprList(asked.map(reprString))}`,
      );
    }
    orders.push(order);
  }
  return [...orders, ...ties.filter((tie) => !orders.some((order) => isSame(order, tie)))];
}

const isSame = (one: Column, other: Column) => one.kind === other.kind && one.key === other.key;

/** One clause, as it is written: `metrics.loss DESC`. */
export function parseOrder(entity: OrderedEntity, text: string): Order {
  const [name, ascending] = nameAndDirection(text);
  return { ...columnIn(entity, GRAMMARS[entity], strip(name)), ascending };
}

function columnIn(entity: OrderedEntity, grammar: Grammar, name: string): Column {
  if (entity === 'traces') return resolveTraceColumn(columnOf(grammar, name, grammar.orderable));
  if (entity === 'modelVersions') return columnOf(grammar, name, grammar.orderable, 'experiments');
  if (entity !== 'registeredModels') return columnOf(grammar, name, grammar.orderable);
  if (grammar.orderable.includes(name)) return { kind: 'attribute', key: name };
  throw invalidParameter(
    `Invalid order by key '${name}' specified. Valid keys are '${reprSet(['name', 'timestamp'])}'`,
  );
}

/** By what the store orders then: no aliases are left, and what it has no order for is refused. */
function storedOrder(entity: OrderedEntity, order: Order, store: StoreKind): Order {
  const { kind, key, ascending } = order;
  switch (entity) {
    case 'runs':
      if (kind === 'dataset') throw noOrder(order, store);
      return { ...order, key: RUN_ALIASES.get(key) ?? key };
    case 'traces':
      if (store === 'file' && kind !== 'attribute') {
        throw invalidParameter(`Invalid order_by entity \`${kind}\` with key \`${key}\``);
      }
      // It is no column of the table, and MLflow fails.
      if (store === 'database' && key === 'end_time_ms') throw invalidParameter(`Invalid order_by key '${key}'`);
      if (kind === 'request_metadata' && TRACE_ANALYTICS.includes(key)) {
        throw invalidParameter(
          `Ordering by reserved metadata '${key}' is not supported because it is represented by multiple columns.`,
        );
      }
      if (['attribute', 'tag', 'request_metadata'].includes(kind)) return order;
      throw noOrder(order, store);
    case 'registeredModels':
      return attribute(key === 'name' ? key : 'last_updated_timestamp', ascending);
    case 'modelVersions':
      // A tag is taken for the attribute of its name.
      if (GRAMMARS.modelVersions.orderable.includes(key)) return attribute(key, ascending);
      throw invalidParameter(
        `Invalid order by key '${key}' specified. Valid keys are ${reprSet(GRAMMARS.modelVersions.orderable)}`,
      );
    default:
      return order;
  }
}

const noOrder = ({ kind }: Column, store: StoreKind) =>
  invalidParameter(`Invalid ${store === 'file' ? 'order_by entity' : 'identifier'} type '${kind}'`);

const unreadable = (text: string) => invalidParameter(`Invalid order_by clause '${text}'. Could not be parsed.`);

function nameAndDirection(text: string): [name: string, ascending: boolean] {
  const clause = clauseIn(text);
  const words = shellWords(clause.replaceAll('`', '"'));
  // MLflow fails on a quote that does not end.
  if (words === undefined || words.length > 2) throw unreadable(text);
  const [name, direction] = words;
  if (name === undefined || direction === undefined) return [clause, true];
  if (!/^(?:asc|desc)$/i.test(direction)) {
    throw invalidParameter(`Invalid ordering key in order_by clause '${text}'.`);
  }
  return [name, direction.toLowerCase() === 'asc'];
}

/** One identifier, which a direction may end; `timestamp` is none, and is taken too. */
function clauseIn(text: string): string {
  const statements = statementsOf(text);
  const nodes = statements[0]?.children ?? [];
  const [first, ...rest] = nodes;
  if (statements.length !== 1 || first === undefined) throw unreadable(text);
  const timestamp = first.is('name.builtin', 'timestamp');
  if (rest.length === 0 && (timestamp || first.group === 'identifier')) return first.text;
  const last = rest.at(-1);
  if (timestamp && last?.is('keyword.order') && rest.slice(0, -1).every(({ blank }) => blank)) {
    return `timestamp ${last.text}`;
  }
  throw unreadable(text);
}

function statementsOf(text: string): Node[] {
  try {
    return parse(text);
  } catch (error) {
    if (error instanceof GroupingError) throw invalidParameter(`Error on parsing order_by clause '${text}'`);
    throw error;
  }
}
