/** The order of logged models: not a text but objects, `{ field_name, ascending, dataset_name, dataset_digest }`. */
import { invalidParameter } from '../errors.js';
import type { Order } from './ast.js';
import type { StoreKind } from './check.js';
import { GRAMMARS, LOGGED_MODEL_ALIASES } from './grammars.js';
import { strip } from './python.js';

export interface LoggedModelOrder {
  readonly field_name?: string | null | undefined;
  readonly ascending?: boolean | null | undefined;
  readonly dataset_name?: string | null | undefined;
  readonly dataset_digest?: string | null | undefined;
}

/**
 * The whole order: behind what is asked for, the newest first, and then by id. NULLs come last.
 * @throws StoreError in the words of MLflow's store of that kind
 */
export function parseLoggedModelOrder(
  list: readonly LoggedModelOrder[] | null | undefined,
  store: StoreKind = 'database',
): Order[] {
  const orders = (list ?? []).map((order) => ({ ...(store === 'file' ? inFile(order) : inDatabase(order)) }));
  const created = store === 'file' ? 'creation_timestamp' : 'creation_timestamp_ms';
  const ties: Order[] = [
    { kind: 'attribute', key: created, ascending: false },
    { kind: 'attribute', key: 'model_id', ascending: true },
  ];
  const has = ({ key }: Order) => orders.some((order) => order.kind === 'attribute' && order.key === key);
  return [...orders, ...ties.filter((tie) => !has(tie))];
}

function named({ field_name: name }: LoggedModelOrder): [name: string, dot: number] {
  if (name === undefined || name === null) {
    throw invalidParameter('`field_name` in the `order_by` clause must be specified.');
  }
  return [name, name.indexOf('.')];
}

function metric(key: string, order: LoggedModelOrder): Order {
  const { ascending, dataset_name: name, dataset_digest: digest } = order;
  const dataset = name || digest ? { name: name ?? '', ...(digest && { digest }) } : undefined;
  return { kind: 'metric', key, ascending: ascending ?? true, ...(dataset && { dataset }) };
}

function inDatabase(order: LoggedModelOrder): Order {
  const [name, dot] = named(order);
  if (dot !== -1) {
    if (name.slice(0, dot) === 'metrics') return metric(name.slice(dot + 1), order);
    throw invalidParameter(`Invalid order by field name: ${name}. Only metrics are supported.`);
  }
  const key = LOGGED_MODEL_ALIASES.get(name) ?? name;
  if (!GRAMMARS.loggedModels.attributes.includes(key)) throw invalidParameter(`Invalid order by field name: ${name}`);
  return { kind: 'attribute', key, ascending: order.ascending ?? true };
}

function inFile(order: LoggedModelOrder): Order {
  const [name, dot] = named(order);
  const scope = name.slice(0, Math.max(0, dot));
  if (dot !== -1 && scope !== 'metrics') {
    throw invalidParameter(`Invalid order by field name: ${scope}, only \`metrics.<name>\` is allowed.`);
  }
  const key = strip(name);
  if (dot === -1 && !GRAMMARS.loggedModelFiles.orderable.includes(key)) {
    throw invalidParameter(`Invalid order by field name: ${key}.`);
  }
  if (order.dataset_digest && !order.dataset_name) {
    throw invalidParameter('`dataset_digest` can only be specified if `dataset_name` is also specified.');
  }
  if (dot !== -1) return metric(name.slice(dot + 1), order);
  return {
    kind: 'attribute',
    key: key === 'creation_time' ? 'creation_timestamp' : key,
    ascending: order.ascending ?? true,
  };
}
