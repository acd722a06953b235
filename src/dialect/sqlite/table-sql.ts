/**
 * SQLite keeps a table as the text of its CREATE TABLE, and most changes of a table mean writing that text anew and
 * copying the rows (https://www.sqlite.org/lang_altertable.html#otheralter). So that nothing is lost which mtrack does
 * not know (a user's column, collation, check, conflict clause), the text is taken apart only as far as a change needs,
 * and everything else is carried over to the letter.
 */
import { type CheckExpression, type ForeignKey, type ReferentialAction, sameNames } from '../../schema/model.js';

export interface TableSql {
  /** Up to and including the opening parenthesis. */
  readonly head: string;
  readonly definitions: readonly Definition[];
  /** After the closing parenthesis: STRICT, WITHOUT ROWID. */
  readonly options: string;
}

export type Definition = ColumnDefinition | ConstraintDefinition;

export interface ColumnDefinition {
  readonly is: 'column';
  readonly name: string;
  /** The type as it is declared, maybe empty. */
  readonly type: string;
  readonly clauses: readonly Clause[];
}

/** A constraint of a column, as written, with the word that tells its kind. */
export interface Clause {
  readonly kind:
    | 'primary key'
    | 'not null'
    | 'null'
    | 'unique'
    | 'check'
    | 'default'
    | 'collate'
    | 'references'
    | 'generated';
  readonly text: string;
}

export interface ConstraintDefinition {
  readonly is: 'constraint';
  readonly kind: 'primary key' | 'unique' | 'check' | 'foreign key';
  readonly name: string | null;
  readonly text: string;
}

interface Token {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  readonly kind: 'word' | 'identifier' | 'string' | 'number' | 'sign';
}

const TOKEN =
  /(?<space>\s+|--[^\n]*(?:\n|$)|\/\*[\s\S]*?(?:\*\/|$))|(?<identifier>"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\])|(?<string>'(?:[^']|'')*')|(?<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|(?<word>[\p{L}_$][\p{L}\p{N}_$]*)|(?<sign>[\s\S])/gu;

function tokens(text: string): Token[] {
  return [...text.matchAll(TOKEN)].flatMap((match): Token[] => {
    const kind = Object.entries(match.groups ?? {}).find(([, value]) => value !== undefined)?.[0];
    if (!kind || kind === 'space') return [];
    return [{ text: match[0], start: match.index, end: match.index + match[0].length, kind: kind as Token['kind'] }];
  });
}

/** A name in quotes, whatever is in it. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** The name that a word, "word", `word` or [word] stands for. */
export function unquoteName(text: string): string {
  if (text.startsWith('"')) return text.slice(1, -1).replaceAll('""', '"');
  if (text.startsWith('`')) return text.slice(1, -1).replaceAll('``', '`');
  if (text.startsWith('[')) return text.slice(1, -1);
  return text;
}

const is = (token: Token | undefined, ...words: string[]) =>
  token?.kind === 'word' && words.includes(token.text.toUpperCase());

/** @throws {Error} when the text is not a CREATE TABLE with a list of columns (CREATE TABLE … AS is stored with one, too). */
export function parseTable(text: string): TableSql {
  const all = tokens(text);
  const open = all.findIndex(({ text }) => text === '(');
  const first = all[open];
  if (!first) throw new Error(`not a CREATE TABLE with columns: ${text.slice(0, 80)}`);
  const parts: Token[][] = [[]];
  let depth = 1;
  let at = open + 1;
  for (; at < all.length; at++) {
    const token = all[at];
    if (!token) break;
    if (token.text === '(') depth++;
    if (token.text === ')' && --depth === 0) break;
    if (token.text === ',' && depth === 1) parts.push([]);
    else parts.at(-1)?.push(token);
  }
  const last = all[at];
  if (!last) throw new Error(`unbalanced parentheses: ${text.slice(0, 80)}`);
  return {
    head: text.slice(0, first.end),
    definitions: parts.filter((part) => part.length > 0).map((part) => parseDefinition(text, part)),
    options: text.slice(last.end).trim(),
  };
}

function parseDefinition(text: string, part: Token[]): Definition {
  const [first] = part;
  if (is(first, 'CONSTRAINT', 'PRIMARY', 'UNIQUE', 'CHECK', 'FOREIGN')) {
    const named = is(first, 'CONSTRAINT');
    const word = part[named ? 2 : 0]?.text.toUpperCase();
    const kind =
      word === 'PRIMARY' ? 'primary key' : word === 'UNIQUE' ? 'unique' : word === 'CHECK' ? 'check' : 'foreign key';
    return {
      is: 'constraint',
      kind,
      name: named ? unquoteName(part[1]?.text ?? '') : null,
      text: textOf(text, part),
    };
  }
  const clauses = splitClauses(part.slice(1));
  const type = clauses.shift() ?? [];
  return {
    is: 'column',
    name: unquoteName(first?.text ?? ''),
    type: textOf(text, type),
    clauses: clauses.map((clause) => ({ kind: kindOf(clause), text: textOf(text, clause) })),
  };
}

/** The type's tokens, then each constraint's. A word that opens a constraint does not when it belongs to the one before. */
function splitClauses(part: Token[]): Token[][] {
  const clauses: Token[][] = [[]];
  let depth = 0;
  part.forEach((token, i) => {
    const before = part[i - 1];
    const clause = clauses.at(-1) ?? [];
    const opens =
      depth === 0 &&
      (is(token, 'CONSTRAINT', 'PRIMARY', 'UNIQUE', 'CHECK', 'COLLATE', 'REFERENCES', 'GENERATED') ||
        (is(token, 'NOT') && !is(part[i + 1], 'DEFERRABLE')) ||
        (is(token, 'NULL') && !is(before, 'NOT', 'SET', 'DEFAULT')) ||
        (is(token, 'DEFAULT') && !is(before, 'SET')) ||
        (is(token, 'AS') && !is(before, 'ALWAYS'))) &&
      !(is(clause[0], 'CONSTRAINT') && clause.length === 2);
    if (opens) clauses.push([token]);
    else clause.push(token);
    if (token.text === '(') depth++;
    if (token.text === ')') depth--;
  });
  return clauses;
}

function kindOf(clause: Token[]): Clause['kind'] {
  const start = is(clause[0], 'CONSTRAINT') ? 2 : 0;
  const word = clause[start]?.text.toUpperCase();
  switch (word) {
    case 'PRIMARY':
      return 'primary key';
    case 'NOT':
      return 'not null';
    case 'NULL':
      return 'null';
    case 'UNIQUE':
      return 'unique';
    case 'CHECK':
      return 'check';
    case 'DEFAULT':
      return 'default';
    case 'COLLATE':
      return 'collate';
    case 'REFERENCES':
      return 'references';
    default:
      return 'generated';
  }
}

function textOf(text: string, part: Token[]): string {
  const [first, last] = [part[0], part.at(-1)];
  return first && last ? text.slice(first.start, last.end) : '';
}

/** The CREATE TABLE again, laid out as SQLAlchemy lays it out, whose reflection of constraint names reads line by line. */
export function formatTable(table: TableSql, name?: string): string {
  const head = name === undefined ? table.head : `CREATE TABLE ${quoteName(name)} (`;
  const lines = table.definitions.map((definition) => `\n\t${formatDefinition(definition)}`);
  return `${head}${lines.join(', ')}\n)${table.options ? ` ${table.options}` : ''}`;
}

/** A line of CREATE TABLE from its parts, what was not understood of it to the letter. */
export function formatDefinition(definition: Definition): string {
  if (definition.is === 'constraint') return definition.text;
  return [quoteIfNeeded(definition.name), definition.type, ...definition.clauses.map(({ text }) => text)]
    .filter((each) => each !== '')
    .join(' ');
}

/**
 * Words that cannot name a column without quotes (https://www.sqlite.org/lang_keywords.html: those that SQLite does not
 * take for a name where they are no keyword), and `key`, which SQLAlchemy quotes. It does not quote `timestamp`.
 */
const RESERVED =
  'add|all|alter|and|as|autoincrement|between|case|check|collate|commit|constraint|create|default|deferrable|delete|distinct|drop|else|escape|except|exists|foreign|from|group|having|in|index|insert|intersect|into|is|isnull|join|key|limit|not|nothing|notnull|null|on|or|order|primary|references|returning|select|set|table|then|to|transaction|union|unique|update|using|values|when|where';
const QUOTED = new RegExp(`^(?![a-z_][a-z0-9_]*$)|^(?:${RESERVED})$`);

/** A name as Alembic writes it: in quotes only where it must be. */
export function quoteIfNeeded(name: string): string {
  return QUOTED.test(name) ? quoteName(name) : name;
}

// ---------------------------------------------------------------- what constraints say

/** The columns in the first pair of parentheses of a constraint. */
export function columnsOf(text: string): string[] {
  return listIn(tokens(text), 0);
}

function listIn(all: Token[], from: number): string[] {
  const open = all.findIndex(({ text }, i) => i >= from && text === '(');
  if (open < 0) return [];
  const names: string[] = [];
  for (let i = open + 1; i < all.length; i++) {
    const token = all[i];
    if (!token || token.text === ')') break;
    const begins = i === open + 1 || all[i - 1]?.text === ',';
    if (begins) names.push(unquoteName(token.text));
  }
  return names;
}

/** A foreign key, from the text of a table constraint, or of a column's REFERENCES clause with that column's name. */
export function foreignKeyOf(text: string, name: string | null, column?: string): ForeignKey {
  const all = tokens(text);
  const at = all.findIndex((token) => is(token, 'REFERENCES'));
  const columns = column === undefined ? listIn(all, 0) : [column];
  const hasList = all[at + 2]?.text === '(';
  return {
    name,
    columns,
    table: unquoteName(all[at + 1]?.text ?? ''),
    references: hasList ? listIn(all, at) : columns,
    onDelete: actionAfter(all, 'DELETE'),
    onUpdate: actionAfter(all, 'UPDATE'),
  };
}

function actionAfter(all: Token[], event: 'DELETE' | 'UPDATE'): ReferentialAction {
  const at = all.findIndex((token, i) => is(token, event) && is(all[i - 1], 'ON'));
  if (at < 0) return 'no action';
  const words = all
    .slice(at + 1, at + 3)
    .map(({ text }) => text.toLowerCase())
    .join(' ');
  if (words.startsWith('cascade')) return 'cascade';
  if (words === 'set null' || words === 'set default') return words;
  return 'no action';
}

/** What a check says, from the text of its clause or constraint. */
export function checkOf(text: string): CheckExpression {
  const open = text.indexOf('(');
  const inner = text.slice(open + 1, text.lastIndexOf(')')).trim();
  const [column, word, ...rest] = tokens(inner);
  if (column && is(word, 'IN') && rest[0]?.text === '(' && rest.at(-1)?.text === ')') {
    const list = rest.slice(1, -1).filter(({ text }) => text !== ',');
    if (list.every(({ kind }) => kind === 'string' || kind === 'number')) {
      return {
        column: unquoteName(column.text),
        in: list.map(({ kind, text }) => (kind === 'string' ? text.slice(1, -1).replaceAll("''", "'") : Number(text))),
      };
    }
  }
  return {
    sql: tokens(inner)
      .map(({ text }) => text)
      .join(' '),
  };
}

/** The constraints of a kind on exactly these columns. */
export function isKeyOn(definition: Definition, kind: 'primary key' | 'unique', columns: readonly string[]): boolean {
  return definition.is === 'constraint' && definition.kind === kind && sameNames(columnsOf(definition.text), columns);
}
