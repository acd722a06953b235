/**
 * What SQL Server keeps of a schema, and the rules by which it refuses to change it, each with the number of the error that
 * the server gives. It stands in for a server in tests: it cannot prove that a statement runs on a real one, but it fails
 * where one of these rules is broken.
 *
 * Names that the server would make up are made of what they name (`FK__runs__experiment_id`), so that they are the same
 * whoever made the constraint.
 */
import { bareExpression } from './expression.js';
import { type ColumnSpec, type ConstraintSpec, type Lookup, read, type Statement } from './tsql.js';

export interface ModelColumn {
  name: string;
  type: string;
  /** Null: the database's own. */
  collation: string | null;
  nullable: boolean;
  identity: boolean;
  computed: string | null;
}
export interface ModelKey {
  name: string;
  columns: string[];
}
export interface ModelForeignKey extends ModelKey {
  table: string;
  references: string[];
  onDelete: string;
  onUpdate: string;
}
export interface ModelTable {
  name: string;
  columns: ModelColumn[];
  primaryKey: ModelKey | null;
  uniques: ModelKey[];
  foreignKeys: ModelForeignKey[];
  checks: { name: string; expression: string }[];
  defaults: { name: string; column: string; value: string }[];
  indexes: { name: string; unique: boolean; columns: { name: string; descending: boolean }[] }[];
  triggers: { name: string; body: string }[];
}

/** An error as the server would raise it. */
export class ModelError extends Error {
  readonly number: number;
  constructor(number: number, message: string) {
    super(`${message} (${number})`);
    this.number = number;
  }
}

/** The database's own: that of MLflow's CI (tests/db in its repository), and the server's default in English. */
export const COLLATION = 'SQL_Latin1_General_CP1_CI_AS';

const sameNames = (a: readonly string[], b: readonly string[]) =>
  a.length === b.length && a.every((name, i) => name === b[i]);

/** https://learn.microsoft.com/en-us/sql/sql-server/maximum-capacity-specifications-for-sql-server */
const LARGEST_KEY = { clustered: 900, index: 1700 };

export class ModelServer {
  #tables = new Map<string, ModelTable>();

  get tables(): ReadonlyMap<string, ModelTable> {
    return this.#tables;
  }

  snapshot(): Map<string, ModelTable> {
    return structuredClone(this.#tables);
  }

  restore(snapshot: Map<string, ModelTable>): void {
    this.#tables = structuredClone(snapshot);
  }

  static from(snapshot: Map<string, ModelTable>): ModelServer {
    const server = new ModelServer();
    server.restore(snapshot);
    return server;
  }

  /** Runs a statement; null when it is none that changes the schema. @throws {ModelError} */
  run(sql: string): Statement | null {
    const statement = read(sql);
    if (statement.does === 'other') return null;
    this.#apply(statement);
    return statement;
  }

  table(name: string): ModelTable {
    const table = this.#tables.get(name);
    if (!table) throw new ModelError(4902, `Cannot find the object "${name}"`);
    return table;
  }

  #apply(statement: Exclude<Statement, { does: 'other' }>): void {
    switch (statement.does) {
      case 'create table':
        this.#createTable(statement.table, statement.columns, statement.constraints);
        return;
      case 'drop table':
        this.#refuseIfReferenced(statement.table);
        this.#tables.delete(statement.table);
        return;
      case 'add columns':
        for (const column of statement.columns) this.#addColumn(this.table(statement.table), column);
        return;
      case 'alter column':
        this.#alterColumn(this.table(statement.table), statement.column);
        return;
      case 'drop columns':
        for (const name of statement.columns) this.#dropColumn(this.table(statement.table), name);
        return;
      case 'add constraint':
        this.#addConstraint(this.table(statement.table), statement.constraint);
        return;
      case 'drop constraint':
        this.#dropConstraint(this.table(statement.table), statement.name);
        return;
      case 'drop found constraint':
        this.#dropConstraint(this.table(statement.table), this.find(statement.table, statement.lookup));
        return;
      case 'create index':
        this.#createIndex(this.table(statement.table), statement);
        return;
      case 'drop index':
        this.#dropIndex(this.table(statement.table), statement.name);
        return;
      case 'rename column':
        this.#rename(this.table(statement.table), statement.from, statement.to);
        return;
      case 'create trigger':
        this.#newName(statement.name);
        this.table(statement.table).triggers.push({ name: statement.name, body: statement.body });
        return;
    }
  }

  /** The one constraint that a lookup finds. */
  find(table: string, lookup: Lookup): string {
    const { primaryKey, uniques, foreignKeys, checks, defaults } = this.table(table);
    const [first = '', ...values] = lookup.columns;
    const found = {
      PK: primaryKey && sameNames(primaryKey.columns, lookup.columns) ? [primaryKey] : [],
      UQ: uniques.filter(({ columns }) => sameNames(columns, lookup.columns)),
      FK: foreignKeys.filter((key) => key.table === lookup.references && sameNames(key.columns, lookup.columns)),
      // As the server rewrites IN.
      CK: checks.filter(
        ({ expression }) => bareExpression(expression) === `${first} IN ${[...values].sort().join(' ')}`,
      ),
      DF: defaults.filter(({ column }) => column === first),
    }[lookup.kind];
    if (found.length !== 1 || !found[0])
      throw new ModelError(50000, `${table}: ${found.length} constraints for ${JSON.stringify(lookup)}`);
    return found[0].name;
  }

  // -------------------------------------------------------------- tables and columns

  #createTable(name: string, columns: readonly ColumnSpec[], constraints: readonly ConstraintSpec[]): void {
    this.#newName(name);
    const table: ModelTable = {
      name,
      columns: [],
      primaryKey: null,
      uniques: [],
      foreignKeys: [],
      checks: [],
      defaults: [],
      indexes: [],
      triggers: [],
    };
    this.#tables.set(name, table);
    for (const column of columns) this.#addColumn(table, column, true);
    for (const constraint of constraints) this.#addConstraint(table, constraint);
  }

  #addColumn(table: ModelTable, spec: ColumnSpec, isNew = false): void {
    const { default: value, ...column } = spec;
    if (table.columns.some(({ name }) => name === column.name))
      throw new ModelError(2705, `Column names in each table must be unique: ${table.name}.${column.name}`);
    if (!isNew && !column.nullable && value === null && !column.identity)
      throw new ModelError(
        4901,
        `ALTER TABLE only allows columns to be added that can contain nulls, or have a DEFAULT: ${column.name}`,
      );
    if (column.computed !== null) {
      const names = [...column.computed.matchAll(/[a-z_]+/gi)].map(([word]) => word);
      for (const each of names) this.#column(table, each);
    }
    table.columns.push({ ...column });
    if (value !== null) this.#addConstraint(table, { kind: 'DF', name: null, column: column.name, value });
  }

  #column(table: ModelTable, name: string): ModelColumn {
    const column = table.columns.find((each) => each.name === name);
    if (!column) throw new ModelError(207, `Invalid column name '${table.name}.${name}'`);
    return column;
  }

  #alterColumn(table: ModelTable, given: Pick<ModelColumn, 'name' | 'type' | 'collation' | 'nullable'>): void {
    const column = this.#column(table, given.name);
    const spec = { ...given, collation: given.collation === COLLATION ? null : given.collation };
    const unchanged = column.type === spec.type && column.collation === spec.collation;
    if (unchanged && column.nullable === spec.nullable) return;
    // Only NOT NULL of a column with a default is known to pass: MLflow's own CI runs it (75868b020152).
    const holders = this.#holdersOf(table, spec.name).filter(({ kind }) => !(unchanged && kind === 'DF'));
    if (holders.length > 0)
      throw new ModelError(
        5074,
        `${holders.map(({ name }) => name).join(', ')}: dependent on column '${table.name}.${spec.name}'`,
      );
    Object.assign(column, spec);
  }

  #dropColumn(table: ModelTable, name: string): void {
    this.#column(table, name);
    const [holder] = this.#holdersOf(table, name);
    if (holder) throw new ModelError(5074, `${holder.name} is dependent on column '${table.name}.${name}'`);
    table.columns = table.columns.filter((column) => column.name !== name);
  }

  /** Objects that keep a column from being changed. */
  #holdersOf(table: ModelTable, column: string): { kind: string; name: string }[] {
    const has = (columns: readonly string[]) => columns.includes(column);
    const as = (kind: string) => (of: { name: string }) => ({ kind, name: of.name });
    const referencing = [...this.#tables.values()].flatMap(({ foreignKeys }) =>
      foreignKeys.filter((key) => key.table === table.name && has(key.references)),
    );
    return [
      ...(table.primaryKey && has(table.primaryKey.columns) ? [table.primaryKey] : []).map(as('PK')),
      ...table.uniques.filter(({ columns }) => has(columns)).map(as('UQ')),
      ...table.foreignKeys.filter(({ columns }) => has(columns)).map(as('FK')),
      ...referencing.map(as('FK')),
      ...table.checks.filter(({ expression }) => expression.split(/\W+/).includes(column)).map(as('CK')),
      ...table.defaults.filter((each) => each.column === column).map(as('DF')),
      ...table.indexes.filter((index) => has(index.columns.map(({ name }) => name))).map(as('index')),
      ...table.columns.filter(({ computed }) => computed?.split(/\W+/).includes(column)).map(as('column')),
    ];
  }

  #rename(table: ModelTable, from: string, to: string): void {
    const column = this.#column(table, from);
    if (table.columns.some(({ name }) => name === to)) throw new ModelError(15335, `${to} is already in use`);
    const holders = this.#holdersOf(table, from).filter(({ kind }) => kind === 'CK' || kind === 'column');
    if (holders.length > 0) throw new ModelError(15336, `${table.name}.${from} participates in enforced dependencies`);
    const name = (each: string) => (each === from ? to : each);
    for (const key of [table.primaryKey, ...table.uniques, ...table.foreignKeys])
      if (key) key.columns = key.columns.map(name);
    for (const index of table.indexes) for (const part of index.columns) part.name = name(part.name);
    for (const value of table.defaults) value.column = name(value.column);
    column.name = to;
  }

  // -------------------------------------------------------------- constraints

  #addConstraint(table: ModelTable, spec: ConstraintSpec): void {
    const name = spec.name ?? this.#generated(table, spec);
    this.#newName(name);
    switch (spec.kind) {
      case 'PK': {
        if (table.primaryKey) throw new ModelError(1779, `Table '${table.name}' already has a primary key`);
        const nullable = spec.columns.filter((column) => this.#column(table, column).nullable);
        if (nullable.length > 0)
          throw new ModelError(8111, `Cannot define PRIMARY KEY on nullable column ${nullable.join(', ')}`);
        this.#checkKey(table, spec.columns, 'clustered');
        table.primaryKey = { name, columns: [...spec.columns] };
        return;
      }
      case 'UQ':
        this.#checkKey(table, spec.columns, 'index');
        table.uniques.push({ name, columns: [...spec.columns] });
        return;
      case 'FK': {
        const key = { ...spec, name, columns: [...spec.columns], references: [...spec.references] };
        this.#checkReference(table, key);
        table.foreignKeys.push(key);
        this.#checkCascades();
        return;
      }
      case 'CK':
        table.checks.push({ name, expression: spec.expression });
        return;
      case 'DF':
        this.#column(table, spec.column);
        if (table.defaults.some(({ column }) => column === spec.column))
          throw new ModelError(1781, `Column already has a DEFAULT bound to it: ${table.name}.${spec.column}`);
        table.defaults.push({ name, column: spec.column, value: spec.value });
        return;
    }
  }

  #generated(table: ModelTable, spec: ConstraintSpec): string {
    const of =
      spec.kind === 'DF' ? [spec.column] : spec.kind === 'CK' ? [spec.expression.split(' ')[0] ?? ''] : spec.columns;
    const base = `${spec.kind}__${table.name}__${of.join('_')}`;
    let name = base;
    for (let n = 2; this.#names().has(name); n++) name = `${base}_${n}`;
    return name;
  }

  /** Constraints, tables and triggers share the names of a schema. */
  #names(): Set<string> {
    return new Set(
      [...this.#tables.values()].flatMap((table) =>
        [
          table,
          table.primaryKey,
          ...table.uniques,
          ...table.foreignKeys,
          ...table.checks,
          ...table.defaults,
          ...table.triggers,
        ].flatMap((each) => (each ? [each.name] : [])),
      ),
    );
  }

  #newName(name: string): void {
    if (this.#names().has(name))
      throw new ModelError(2714, `There is already an object named '${name}' in the database.`);
  }

  #checkKey(table: ModelTable, columns: readonly string[], kind: keyof typeof LARGEST_KEY): void {
    const size = columns.reduce((sum, name) => sum + this.#bytesOf(table, name), 0);
    if (size > LARGEST_KEY[kind])
      throw new ModelError(
        1946,
        `The key (${columns.join(', ')}) of ${table.name} can have ${size} bytes, more than ${LARGEST_KEY[kind]}`,
      );
    if (columns.length > 32) throw new ModelError(1904, `${table.name}: more than 32 columns in a key`);
  }

  #bytesOf(table: ModelTable, name: string): number {
    const { type } = this.#column(table, name);
    const [, kind = '', length] = /^(\w+)(?:\((\w+)\))?$/.exec(type) ?? [];
    if (length === 'max')
      throw new ModelError(
        1919,
        `Column '${table.name}.${name}' is of a type that is invalid for use as a key column in an index.`,
      );
    const sizes: Record<string, number> = { int: 4, bigint: 8, bit: 1, float: 8, date: 3 };
    const size =
      sizes[kind] ?? (kind === 'varchar' ? Number(length) : kind === 'nvarchar' ? 2 * Number(length) : undefined);
    if (size === undefined) throw new Error(`no size is known of ${type}`);
    return size;
  }

  #checkReference(table: ModelTable, key: ModelForeignKey): void {
    const target = this.#tables.get(key.table);
    if (!target) throw new ModelError(1767, `Foreign key '${key.name}' references invalid table '${key.table}'.`);
    const candidates = [
      target.primaryKey?.columns,
      ...target.uniques.map(({ columns }) => columns),
      ...target.indexes.filter(({ unique }) => unique).map(({ columns }) => columns.map(({ name }) => name)),
    ];
    if (!candidates.some((columns) => columns && sameNames([...columns].sort(), [...key.references].sort())))
      throw new ModelError(
        1776,
        `There are no primary or candidate keys in '${key.table}' that match the foreign key '${key.name}'.`,
      );
    for (const [i, name] of key.columns.entries()) {
      const [own, other] = [this.#column(table, name), this.#column(target, key.references[i] ?? '')];
      const isText = [own, other].every(({ type }) => type.startsWith('varchar'));
      if (own.type !== other.type && !isText)
        throw new ModelError(
          1778,
          `Column '${key.table}.${other.name}' is not the same data type as '${table.name}.${name}'.`,
        );
      // Lengths may differ for the server, except that a cascade could then fail: MLflow's never differ.
      if (own.type !== other.type)
        throw new ModelError(
          1753,
          `Column '${key.table}.${other.name}' is not the same length as '${table.name}.${name}'.`,
        );
      if (own.collation !== other.collation)
        throw new ModelError(
          1757,
          `Column '${key.table}.${other.name}' is not of same collation as '${table.name}.${name}'.`,
        );
      if (key.onDelete === 'set null' && !own.nullable)
        throw new ModelError(1761, `Cannot create the foreign key '${key.name}' with SET NULL`);
    }
  }

  /** No table may be reached on two ways by one delete, or by one update (error 1785). */
  #checkCascades(): void {
    for (const action of ['onDelete', 'onUpdate'] as const) {
      for (const start of this.#tables.keys()) {
        const reached = new Set<string>([start]);
        const visit = (name: string): void => {
          for (const [child, table] of this.#tables) {
            for (const key of table.foreignKeys.filter((each) => each.table === name && each[action] !== 'no action')) {
              if (reached.has(child))
                throw new ModelError(
                  1785,
                  `Introducing '${key.name}' on table '${child}' may cause cycles or multiple cascade paths.`,
                );
              reached.add(child);
              // A row whose reference is set to null stays: what refers to it is not concerned.
              if (key[action] === 'cascade') visit(child);
            }
          }
        };
        visit(start);
      }
    }
  }

  #dropConstraint(table: ModelTable, name: string): void {
    const key = [table.primaryKey, ...table.uniques].find((each) => each?.name === name);
    if (key) this.#refuseIfKeyReferenced(table, key);
    const without = <T extends { name: string }>(list: T[]) => list.filter((each) => each.name !== name);
    const before = JSON.stringify(table);
    if (table.primaryKey?.name === name) table.primaryKey = null;
    table.uniques = without(table.uniques);
    table.foreignKeys = without(table.foreignKeys);
    table.checks = without(table.checks);
    table.defaults = without(table.defaults);
    if (JSON.stringify(table) === before) throw new ModelError(3728, `'${name}' is not a constraint of ${table.name}.`);
  }

  /** The server binds a reference to one key; which of two equal ones, is not known here: neither may be dropped. */
  #refuseIfKeyReferenced(table: ModelTable, key: ModelKey): void {
    for (const other of this.#tables.values()) {
      const reference = other.foreignKeys.find(
        (each) => each.table === table.name && sameNames([...each.references].sort(), [...key.columns].sort()),
      );
      if (reference)
        throw new ModelError(
          3725,
          `The constraint '${key.name}' is being referenced by table '${other.name}', foreign key constraint '${reference.name}'.`,
        );
    }
  }

  #refuseIfReferenced(name: string): void {
    const other = [...this.#tables.values()].find(
      (table) => table.name !== name && table.foreignKeys.some((key) => key.table === name),
    );
    if (other)
      throw new ModelError(
        3726,
        `Could not drop object '${name}' because it is referenced by a FOREIGN KEY constraint.`,
      );
  }

  // -------------------------------------------------------------- indexes

  #createIndex(table: ModelTable, { name, unique, columns }: Extract<Statement, { does: 'create index' }>): void {
    const taken = [...table.indexes, ...table.uniques, ...(table.primaryKey ? [table.primaryKey] : [])];
    if (taken.some((each) => each.name === name))
      throw new ModelError(1913, `An index named '${name}' already exists on table '${table.name}'.`);
    this.#checkKey(
      table,
      columns.map((column) => column.name),
      'index',
    );
    table.indexes.push({ name, unique, columns: columns.map((column) => ({ ...column })) });
  }

  #dropIndex(table: ModelTable, name: string): void {
    const index = table.indexes.find((each) => each.name === name);
    if (!index) throw new ModelError(3701, `Cannot drop the index '${table.name}.${name}', because it does not exist`);
    if (index.unique) this.#refuseIfKeyReferenced(table, { name, columns: index.columns.map((column) => column.name) });
    table.indexes = table.indexes.filter((each) => each !== index);
  }
}
