/**
 * Reads the T-SQL that changes a schema, as Alembic and as we write it, into what it says. Only the forms that the two use
 * are known; anything else is an error, so that nothing passes unread. Whether the SQL is good T-SQL is not told here but by
 * Microsoft's own parser (see scriptdom.ts).
 */

export interface ColumnSpec {
  readonly name: string;
  /** In small letters; `varchar(250)`, `float`, `nvarchar(max)`. */
  readonly type: string;
  readonly collation: string | null;
  readonly nullable: boolean;
  readonly identity: boolean;
  readonly default: string | null;
  /** Expression of a persisted computed column. */
  readonly computed: string | null;
}

export type ConstraintSpec = { readonly name: string | null } & (
  | { readonly kind: 'PK' | 'UQ'; readonly columns: readonly string[] }
  | {
      readonly kind: 'FK';
      readonly columns: readonly string[];
      readonly table: string;
      readonly references: readonly string[];
      readonly onDelete: string;
      readonly onUpdate: string;
    }
  | { readonly kind: 'CK'; readonly expression: string }
  | { readonly kind: 'DF'; readonly column: string; readonly value: string }
);

/** Which constraint a lookup in the catalog means. */
export interface Lookup {
  readonly kind: 'PK' | 'UQ' | 'FK' | 'CK' | 'DF';
  readonly columns: readonly string[];
  readonly references: string | null;
}

export type Statement =
  | {
      readonly does: 'create table';
      readonly table: string;
      readonly columns: readonly ColumnSpec[];
      readonly constraints: readonly ConstraintSpec[];
    }
  | { readonly does: 'drop table'; readonly table: string }
  | { readonly does: 'add columns'; readonly table: string; readonly columns: readonly ColumnSpec[] }
  | {
      readonly does: 'alter column';
      readonly table: string;
      readonly column: Omit<ColumnSpec, 'identity' | 'default' | 'computed'>;
    }
  | { readonly does: 'drop columns'; readonly table: string; readonly columns: readonly string[] }
  | { readonly does: 'add constraint'; readonly table: string; readonly constraint: ConstraintSpec }
  | { readonly does: 'drop constraint'; readonly table: string; readonly name: string }
  | { readonly does: 'drop found constraint'; readonly table: string; readonly lookup: Lookup }
  | {
      readonly does: 'create index';
      readonly table: string;
      readonly name: string;
      readonly unique: boolean;
      readonly columns: readonly { readonly name: string; readonly descending: boolean }[];
    }
  | { readonly does: 'drop index'; readonly table: string; readonly name: string }
  | { readonly does: 'rename column'; readonly table: string; readonly from: string; readonly to: string }
  | { readonly does: 'create trigger'; readonly table: string; readonly name: string; readonly body: string }
  /** Rows, transactions and settings. */
  | { readonly does: 'other'; readonly sql: string };

/** The batches of a script, without comments at their beginning. */
export function batchesOf(script: string): string[] {
  return script
    .split(/^GO\s*$/m)
    .flatMap((batch) => batch.split(/(?<=^BEGIN TRANSACTION;)$/m))
    .map((batch) =>
      batch
        .replaceAll(/^\s*--.*$/gm, '')
        .trim()
        .replace(/;+$/, '')
        .trim(),
    )
    .filter((batch) => batch !== '');
}

export function read(sql: string): Statement {
  const text = sql.trim().replace(/;+$/, '');
  if (/^(INSERT|UPDATE|DELETE|SELECT|SET|BEGIN TRANSACTION|COMMIT)\b/i.test(text)) return { does: 'other', sql: text };
  if (/^DECLARE @drop\b/.test(text)) return readLookup(text);
  if (/^CREATE TRIGGER\b/i.test(text)) return readTrigger(text);
  return new Reader(text).statement();
}

function readTrigger(text: string): Statement {
  const [, name = '', table = '', body = ''] =
    /^CREATE TRIGGER (\S+)\s+ON (\S+)\s+(AFTER UPDATE\s+AS\s.*)$/is.exec(text) ?? [];
  if (body === '') throw new Error(`cannot read the trigger ${text}`);
  return {
    does: 'create trigger',
    name: bareName(name),
    table: bareName(table),
    body: body.replaceAll(/[\s;]+/g, ' ').trim(),
  };
}

const bareName = (name: string) => name.replace(/^\[(.*)\]$/, '$1').replaceAll(']]', ']');

/** The lookups of src/dialect/mssql/lookup.ts: every part of them is read, so that a wrong one is not taken for a right one. */
function readLookup(text: string): Statement {
  const fail = () => new Error(`cannot read the lookup ${text}`);
  const outer =
    /^DECLARE @drop nvarchar\(max\) = \(\s+SELECT N'ALTER TABLE \[(\w+)\] DROP CONSTRAINT ' \+ QUOTENAME\(k\.name\)\s+FROM sys\.(\w+) k\s+WHERE k\.parent_object_id = OBJECT_ID\(N'\[\1\]'\)(.*)\s+\);\s+IF @drop IS NULL THROW 50000, N'[^\n]*', 1;\s+EXEC sys\.sp_executesql @drop$/s.exec(
      text,
    );
  const [, table, view, rest = ''] = outer ?? [];
  if (table === undefined || view === undefined) throw fail();
  const conditions = rest
    .split(/\s+AND (?=\(SELECT|EXISTS|k\.|COL_NAME\(k|LEN|CHARINDEX)/)
    .filter((part) => part.trim() !== '');
  const found = (lookup: Lookup): Statement => ({ does: 'drop found constraint', table, lookup });

  if (view === 'default_constraints') {
    const [, column] =
      /^COL_NAME\(k\.parent_object_id, k\.parent_column_id\) = N'(\w+)'$/.exec(conditions[0] ?? '') ?? [];
    if (column === undefined || conditions.length !== 1) throw fail();
    return found({ kind: 'DF', columns: [column], references: null });
  }
  if (view === 'check_constraints') {
    const values = conditions.slice(1).map((part) => /^CHARINDEX\(N'\[(\w+)\]=(.*)', k\.definition\) > 0$/.exec(part));
    const [, n] =
      /^LEN\(k\.definition\) - LEN\(REPLACE\(k\.definition, N'=', N''\)\) = (\d+)$/.exec(conditions[0] ?? '') ?? [];
    if (values.length === 0 || values.some((value) => value === null) || Number(n) !== values.length) throw fail();
    const [column = ''] = values.map((value) => value?.[1]);
    return found({
      kind: 'CK',
      columns: [column, ...values.map((value) => (value?.[2] ?? '').replaceAll("''", "'"))],
      references: null,
    });
  }
  const kinds = {
    key_constraints: /^k\.type = N'(PK|UQ)'$/,
    foreign_keys: /^k\.referenced_object_id = OBJECT_ID\(N'\[(\w+)\]'\)$/,
  };
  if (view !== 'key_constraints' && view !== 'foreign_keys') throw fail();
  const [, which] = kinds[view].exec(conditions[0] ?? '') ?? [];
  const parts = {
    key_constraints: [
      'sys.index_columns x WHERE x.object_id = k.parent_object_id AND x.index_id = k.unique_index_id AND x.key_ordinal',
      'COL_NAME(x.object_id, x.column_id)',
    ],
    foreign_keys: [
      'sys.foreign_key_columns x WHERE x.constraint_object_id = k.object_id AND x.constraint_column_id',
      'COL_NAME(x.parent_object_id, x.parent_column_id)',
    ],
  } as const;
  const [part, name] = parts[view];
  const columns = conditions.slice(2).map((condition, i) => {
    const head = `EXISTS (SELECT 1 FROM ${part} = ${i + 1} AND ${name} = N'`;
    return condition.startsWith(head) && condition.endsWith("')") ? condition.slice(head.length, -2) : null;
  });
  const isWhole = conditions[1] === `(SELECT COUNT(*) FROM ${part} > 0) = ${columns.length}`;
  if (which === undefined || !isWhole || columns.length === 0 || columns.includes(null)) throw fail();
  const names = columns.filter((column) => column !== null);
  return view === 'foreign_keys'
    ? found({ kind: 'FK', columns: names, references: which })
    : found({ kind: which as 'PK' | 'UQ', columns: names, references: null });
}

// ---------------------------------------------------------------- reading word by word

const WORD = /\s*(\[(?:[^\]]|\]\])*\]|N?'(?:[^']|'')*'|[A-Za-z_@][\w@]*|\d+(?:\.\d+)?|[^\s])/y;

class Reader {
  readonly #words: string[] = [];
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
    WORD.lastIndex = 0;
    for (let match = WORD.exec(text); match; match = WORD.exec(text)) this.#words.push(match[1] ?? '');
  }

  statement(): Statement {
    const statement = this.#statement();
    if (this.#at < this.#words.length) throw this.#error();
    return statement;
  }

  #statement(): Statement {
    if (this.#takes('CREATE', 'TABLE')) return this.#createTable();
    if (this.#takes('DROP', 'TABLE')) return { does: 'drop table', table: this.#name() };
    if (this.#takes('CREATE', 'UNIQUE', 'INDEX')) return this.#createIndex(true);
    if (this.#takes('CREATE', 'INDEX')) return this.#createIndex(false);
    if (this.#takes('DROP', 'INDEX')) {
      const name = this.#name();
      this.#expect('ON');
      return { does: 'drop index', name, table: this.#name() };
    }
    if (this.#takes('EXEC', 'sp_rename')) return this.#rename();
    this.#expect('ALTER', 'TABLE');
    return this.#alterTable(this.#name());
  }

  #createTable(): Statement {
    const table = this.#name();
    const columns: ColumnSpec[] = [];
    const constraints: ConstraintSpec[] = [];
    this.#expect('(');
    do {
      const constraint = this.#constraint();
      if (constraint) constraints.push(constraint);
      else columns.push(this.#column());
    } while (this.#takes(','));
    this.#expect(')');
    return { does: 'create table', table, columns, constraints };
  }

  #createIndex(unique: boolean): Statement {
    const name = this.#name();
    this.#expect('ON');
    const table = this.#name();
    this.#expect('(');
    const columns: { name: string; descending: boolean }[] = [];
    do {
      const column = this.#name();
      columns.push({ name: column, descending: this.#takes('DESC') });
    } while (this.#takes(','));
    this.#expect(')');
    return { does: 'create index', table, name, unique, columns };
  }

  #rename(): Statement {
    const [table = '', from = ''] = this.#string().replaceAll(/[[\]]/g, '').split('.');
    this.#expect(',');
    const to = this.#words[this.#at]?.includes("'") ? this.#string() : this.#name();
    this.#expect(',');
    if (this.#string() !== 'COLUMN') throw this.#error();
    return { does: 'rename column', table, from, to };
  }

  #alterTable(table: string): Statement {
    if (this.#takes('DROP', 'CONSTRAINT')) return { does: 'drop constraint', table, name: this.#name() };
    if (this.#takes('DROP', 'COLUMN')) {
      const columns = [this.#name()];
      while (this.#takes(',')) columns.push(this.#name());
      return { does: 'drop columns', table, columns };
    }
    if (this.#takes('ALTER', 'COLUMN')) {
      const { name, type, collation, nullable } = this.#column();
      return { does: 'alter column', table, column: { name, type, collation, nullable } };
    }
    this.#expect('ADD');
    const constraint = this.#constraint();
    if (constraint) return { does: 'add constraint', table, constraint };
    const columns = [this.#column()];
    while (this.#takes(',')) columns.push(this.#column());
    return { does: 'add columns', table, columns };
  }

  #constraint(): ConstraintSpec | null {
    const start = this.#at;
    const name = this.#takes('CONSTRAINT') ? this.#name() : null;
    if (this.#takes('PRIMARY', 'KEY')) return { kind: 'PK', name, columns: this.#names() };
    if (this.#takes('UNIQUE')) return { kind: 'UQ', name, columns: this.#names() };
    if (this.#takes('CHECK')) return { kind: 'CK', name, expression: this.#inParentheses() };
    if (this.#takes('FOREIGN', 'KEY')) return this.#foreignKey(name);
    if (this.#takes('DEFAULT')) {
      const value = this.#take();
      this.#expect('FOR');
      return { kind: 'DF', name, column: this.#name(), value };
    }
    this.#at = start;
    return null;
  }

  #foreignKey(name: string | null): ConstraintSpec {
    const columns = this.#names();
    this.#expect('REFERENCES');
    const table = this.#name();
    const references = this.#names();
    const actions = { DELETE: 'no action', UPDATE: 'no action' };
    while (this.#takes('ON')) {
      const event = this.#take().toUpperCase() as keyof typeof actions;
      const [first, second] = [this.#take(), /^(SET|NO)$/i.test(this.#words[this.#at - 1] ?? '') ? this.#take() : ''];
      actions[event] = `${first} ${second}`.trim().toLowerCase();
    }
    return { kind: 'FK', name, columns, table, references, onDelete: actions.DELETE, onUpdate: actions.UPDATE };
  }

  #column(): ColumnSpec {
    const name = this.#name();
    if (this.#takes('AS')) {
      const computed = this.#inParentheses();
      this.#expect('PERSISTED');
      return { name, type: 'bigint', collation: null, nullable: true, identity: false, default: null, computed };
    }
    const type = this.#type();
    // Left out, NULL is what tedious, ODBC and sqlcmd have the session say.
    let column: ColumnSpec = {
      name,
      type,
      collation: null,
      nullable: true,
      identity: false,
      default: null,
      computed: null,
    };
    for (;;) {
      if (this.#takes('COLLATE')) column = { ...column, collation: this.#take() };
      else if (this.#takes('NOT', 'NULL')) column = { ...column, nullable: false };
      else if (this.#takes('NULL')) column = { ...column, nullable: true };
      else if (this.#takes('IDENTITY')) column = { ...column, identity: true };
      else if (this.#takes('DEFAULT')) column = { ...column, default: this.#take() };
      else return column;
    }
  }

  #type(): string {
    const name = this.#take().toLowerCase();
    const length = this.#words[this.#at] === '(' ? `(${this.#inParentheses().toLowerCase()})` : '';
    const type = name + length;
    return { integer: 'int', 'float(53)': 'float' }[type] ?? type;
  }

  #names(): string[] {
    this.#expect('(');
    const names = [this.#name()];
    while (this.#takes(',')) names.push(this.#name());
    this.#expect(')');
    return names;
  }

  /** The words up to the parenthesis that closes, without quotes of names. */
  #inParentheses(): string {
    this.#expect('(');
    const words: string[] = [];
    for (let depth = 1; ; ) {
      const word = this.#take();
      depth += word === '(' ? 1 : word === ')' ? -1 : 0;
      if (depth === 0) return words.join(' ');
      words.push(word.startsWith('[') ? bareName(word) : word);
    }
  }

  #name(): string {
    const word = this.#take();
    if (!/^(\[.*\]|\w+)$/.test(word)) throw this.#error();
    return bareName(word);
  }

  #string(): string {
    const [, text] = /^N?'(.*)'$/s.exec(this.#take()) ?? [];
    if (text === undefined) throw this.#error();
    return text.replaceAll("''", "'");
  }

  #take(): string {
    const word = this.#words[this.#at++];
    if (word === undefined) throw this.#error();
    return word;
  }

  #takes(...words: string[]): boolean {
    const found = words.every((word, i) => this.#words[this.#at + i]?.toUpperCase() === word.toUpperCase());
    if (found) this.#at += words.length;
    return found;
  }

  #expect(...words: string[]): void {
    if (!this.#takes(...words)) throw this.#error();
  }

  #error(): Error {
    return new Error(
      `cannot read, at ${JSON.stringify(this.#words.slice(this.#at, this.#at + 5).join(' '))}: ${this.#text}`,
    );
  }
}
