/** A whole question, filter and order, in the sequence in which MLflow's stores read it: it says what is refused first. */
import type { Comparison, Entity, Order } from './ast.js';
import { checkFilter, type StoreKind } from './check.js';
import { parseFilter } from './filter.js';
import { type LoggedModelOrder, parseLoggedModelOrder } from './logged-model-order.js';
import { parseOrderBy } from './order.js';

export interface Search {
  readonly where: readonly Comparison[];
  readonly orderBy: readonly Order[];
}

type OrderBy<Named extends Entity> = Named extends 'loggedModels' | 'loggedModelFiles' ? LoggedModelOrder : string;

/** @throws StoreError in the words of MLflow's store of that kind */
export function parseSearch<Named extends Entity>(
  entity: Named,
  filter: string | null | undefined,
  orderBy: readonly OrderBy<Named>[] | null | undefined,
  store: StoreKind = 'database',
): Search {
  const order = () => orderOf(entity, orderBy, store);
  if (entity === 'traces' && store === 'database') {
    const ordered = order();
    return { where: checkFilter(entity, parseFilter(entity, filter), store), orderBy: ordered };
  }
  const clauses = parseFilter(entity, filter);
  if (store === 'database' && (entity === 'runs' || entity === 'registeredModels')) {
    const ordered = order();
    return { where: checkFilter(entity, clauses, store), orderBy: ordered };
  }
  return { where: checkFilter(entity, clauses, store), orderBy: order() };
}

function orderOf(entity: Entity, list: readonly (string | LoggedModelOrder)[] | null | undefined, store: StoreKind) {
  if (entity === 'loggedModels' || entity === 'loggedModelFiles') {
    return parseLoggedModelOrder(
      list?.filter((each) => typeof each !== 'string'),
      store,
    );
  }
  return parseOrderBy(
    entity,
    list?.filter((each) => typeof each === 'string'),
    store,
  );
}
