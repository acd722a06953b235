/** Drift: how a live schema differs from the one that the migrations declare for its revision. */
import {
  type Check,
  type CheckExpression,
  type Column,
  type ForeignKey,
  type Index,
  type Schema,
  sameExpression,
  sameForeignKey,
  sameIndex,
  sameNames,
  type Table,
} from './model.js';

export interface Difference {
  readonly table: string;
  readonly element: 'table' | 'column' | 'primary key' | 'unique' | 'foreign key' | 'check' | 'index' | 'trigger';
  readonly name: string;
  readonly kind: 'missing' | 'extra' | 'different';
  readonly expected: string | null;
  readonly found: string | null;
  /**
   * `breaks`: MLflow, or a later revision, needs it. `weakens`: everything works, but slower or less guarded.
   * `harmless`: named otherwise, or additional without being in the way of what MLflow writes.
   */
  readonly weight: 'breaks' | 'weakens' | 'harmless';
}

export interface Comparison {
  spell(column: Column): string;
  /** An index that the database made by itself. */
  isBenign(extra: { readonly table: Table; readonly index: string }): boolean;
}

/** Alembic's version tables, those of other programs in the same database included. */
const isVersionTable = (name: string) => /^alembic_version(_|$)/.test(name);

/**
 * Every difference of a live schema from the one that is expected; what other programs have in the database included.
 */
export function differences(expected: Schema, live: Schema, comparison: Comparison): Difference[] {
  const tables = [...expected.tables.values()].flatMap((table): Difference[] => {
    const found = live.tables.get(table.name);
    if (!found) return [difference(table.name, 'table', table.name, 'missing', 'a table', null, 'breaks')];
    return tableDifferences(table, found, comparison);
  });
  const extra = [...live.tables.keys()]
    .filter((name) => !expected.tables.has(name) && !isVersionTable(name))
    .map((name) => difference(name, 'table', name, 'extra', null, 'a table', 'harmless'));
  const triggers = expected.triggers
    .filter(({ name }) => !live.triggersHidden && !live.triggers.some((trigger) => trigger.name === name))
    .map(({ name, table }) => difference(table, 'trigger', name, 'missing', 'a trigger', null, 'weakens'));
  return [...tables, ...triggers, ...extra];
}

function tableDifferences(expected: Table, live: Table, comparison: Comparison): Difference[] {
  const { name } = expected;
  return [
    ...columnDifferences(expected, live, comparison),
    ...(sameNames(expected.primaryKey?.columns ?? [], live.primaryKey?.columns ?? [])
      ? []
      : [
          difference(
            name,
            'primary key',
            expected.primaryKey?.name ?? name,
            live.primaryKey ? 'different' : 'missing',
            list(expected.primaryKey?.columns),
            live.primaryKey ? list(live.primaryKey.columns) : null,
            'breaks',
          ),
        ]),
    ...setDifferences(expected.uniques, live.uniques, {
      same: (a, b) => sameNames(a.columns, b.columns),
      nameOf: (key) => key.name ?? list(key.columns),
      say: (key) => list(key.columns),
      weighExtra: (key) => (refusesRows(key.columns, expected) ? 'breaks' : 'harmless'),
    }).map((each) => difference(name, 'unique', ...each)),
    ...setDifferences<ForeignKey>(expected.foreignKeys, live.foreignKeys, {
      same: sameForeignKey,
      nameOf: (key) => key.name ?? `${list(key.columns)} to ${key.table}`,
      say: foreignKeyText,
    }).map((each) => difference(name, 'foreign key', ...each)),
    ...setDifferences<Check>(expected.checks, live.checks, {
      same: (a, b) => sameExpression(a.expression, b.expression),
      nameOf: (check) => check.name ?? checkText(check.expression),
      say: (check) => checkText(check.expression),
      weighExtra: (check) => (refusesValues(check, expected.checks) ? 'breaks' : 'harmless'),
    }).map((each) => difference(name, 'check', ...each)),
    ...indexDifferences(expected, live, comparison),
  ];
}

function columnDifferences(expected: Table, live: Table, { spell }: Comparison): Difference[] {
  const found = new Map(live.columns.map((column) => [column.name, column]));
  const declared = expected.columns.flatMap((column): Difference[] => {
    const other = found.get(column.name);
    if (!other) return [difference(expected.name, 'column', column.name, 'missing', spell(column), null, 'breaks')];
    if (spell(column) === spell(other)) return [];
    return [difference(expected.name, 'column', column.name, 'different', spell(column), spell(other), 'breaks')];
  });
  const names = new Set(expected.columns.map(({ name }) => name));
  const extra = live.columns
    .filter(({ name }) => !names.has(name))
    .map((column) =>
      difference(
        expected.name,
        'column',
        column.name,
        'extra',
        null,
        spell(column),
        mustBeGiven(column) ? 'breaks' : 'harmless',
      ),
    );
  return [...declared, ...extra];
}

/** MLflow's INSERT does not name a column that it does not know. */
const mustBeGiven = ({ nullable, default: value, generated, numbered }: Column) =>
  !nullable && !value && !generated && !numbered;

/** Whether keys of columns refuse rows that the table is to take: those that no key of MLflow's refuses already. */
function refusesRows(columns: readonly string[], { primaryKey, uniques, indexes }: Table): boolean {
  const keys = [
    ...[primaryKey, ...uniques].map((key) => key?.columns ?? []),
    ...indexes.filter(({ unique, where }) => unique && where === undefined).map((each) => namesOf(each)),
  ];
  return !keys.some((key) => key.length > 0 && key.every((name) => columns.includes(name)));
}

/** Whether a check refuses values that the table is to take: those that MLflow's own check of the column allows. */
function refusesValues({ expression: given }: Check, own: readonly Check[]): boolean {
  if ('sql' in given) return false;
  return own.some(
    ({ expression }) =>
      !('sql' in expression) &&
      expression.column === given.column &&
      !expression.in.every((value) => given.in.includes(value)),
  );
}

const namesOf = ({ columns }: Index) => columns.map(({ name }) => name);

/** Indexes go by what they do: one that does the same under another name is as good. */
function indexDifferences(expected: Table, live: Table, { isBenign }: Comparison): Difference[] {
  const missing = expected.indexes
    .filter((index) => !live.indexes.some((other) => sameIndex(index, other)))
    .map((index): Difference => {
      const namesake = live.indexes.find(({ name }) => name === index.name);
      return difference(
        expected.name,
        'index',
        index.name,
        namesake ? 'different' : 'missing',
        indexText(index),
        namesake ? indexText(namesake) : null,
        'weakens',
      );
    });
  const extra = live.indexes
    .filter((index) => !expected.indexes.some((other) => sameIndex(index, other) || other.name === index.name))
    .filter((index) => !isBenign({ table: live, index: index.name }))
    .map((index) =>
      difference(
        expected.name,
        'index',
        index.name,
        'extra',
        null,
        indexText(index),
        index.unique && refusesRows(namesOf(index), expected) ? 'breaks' : 'harmless',
      ),
    );
  return [...missing, ...extra];
}

type Found = [
  name: string,
  kind: Difference['kind'],
  expected: string | null,
  found: string | null,
  weight: Difference['weight'],
];

function setDifferences<T>(
  expected: readonly T[],
  live: readonly T[],
  how: {
    same: (a: T, b: T) => boolean;
    nameOf: (element: T) => string;
    say: (element: T) => string;
    /** How much an additional one weighs; harmless where nothing is said. */
    weighExtra?: (element: T) => Difference['weight'];
  },
): Found[] {
  const left = [...live];
  const missing = expected.flatMap((each): Found[] => {
    const at = left.findIndex((other) => how.same(each, other));
    if (at < 0) return [[how.nameOf(each), 'missing', how.say(each), null, 'weakens']];
    left.splice(at, 1);
    return [];
  });
  // Where an element is there twice, the second one does no harm and says nothing new.
  const extra = left.filter((each) => !expected.some((other) => how.same(each, other)));
  const weigh = how.weighExtra ?? (() => 'harmless' as const);
  return [...missing, ...extra.map((each): Found => [how.nameOf(each), 'extra', null, how.say(each), weigh(each)])];
}

function difference(
  table: string,
  element: Difference['element'],
  name: string,
  kind: Difference['kind'],
  expected: string | null,
  found: string | null,
  weight: Difference['weight'],
): Difference {
  return { table, element, name, kind, expected, found, weight };
}

/** A difference as a sentence. */
export function describeDifference({ table, element, name, kind, expected, found }: Difference): string {
  const what = element === 'table' ? `table ${name}` : `${table}: ${element} ${name}`;
  if (kind === 'missing') return element === 'table' ? `${what} is missing` : `${what} is missing (${expected})`;
  if (kind === 'extra') return element === 'table' ? `${what} is not MLflow's` : `${what} is additional (${found})`;
  return `${what} is ${found}, expected ${expected}`;
}

const list = (names: readonly string[] | undefined) => `(${(names ?? []).join(', ')})`;

function foreignKeyText(key: ForeignKey): string {
  const on = (event: string, action: string) => (action === 'no action' ? '' : ` on ${event} ${action}`);
  return `${list(key.columns)} to ${key.table} ${list(key.references)}${on('delete', key.onDelete)}${on('update', key.onUpdate)}`;
}

function checkText(expression: CheckExpression): string {
  return 'sql' in expression ? expression.sql : `${expression.column} in (${expression.in.join(', ')})`;
}

function indexText(index: Index): string {
  const columns = index.columns.map(
    ({ name, descending, prefix }) => `${name}${prefix ? `(${prefix})` : ''}${descending ? ' desc' : ''}`,
  );
  return [
    `${index.unique ? 'unique ' : ''}(${columns.join(', ')})`,
    ...(index.include ? [`include (${index.include.join(', ')})`] : []),
    ...(index.where ? [`where ${index.where}`] : []),
  ].join(' ');
}
