/** Where one SQL statement ends and the next begins: MLflow takes one statement only. */
import { isBlank, type Token, tokenize } from './tokens.js';

/** The statements of a text; text of nothing but whitespace has none. */
export function statements(text: string): Token[][] {
  const found: Token[][] = [];
  let tokens: Token[] = [];
  let nesting = new Nesting();
  let ended = false;
  for (const token of tokenize(text)) {
    if (ended && token.type !== 'whitespace' && token.type !== 'comment.single') {
      found.push(tokens);
      [tokens, nesting, ended] = [[], new Nesting(), false];
    }
    tokens.push(token);
    nesting.take(token);
    if (isMark(token, ';')) ended ||= nesting.isOut;
    // Between batches of SQL Server, where only the upper case counts.
    else ended ||= token.type === 'keyword' && /^GO(?:\s|$)/.test(token.text);
  }
  if (!tokens.every(({ type }) => isBlank(type))) found.push(tokens);
  return found;
}

const isMark = ({ type, text }: Token, mark: string) => type === 'punctuation' && text === mark;

/** What each closing word may close. */
const CLOSES: Readonly<Record<string, readonly string[]>> = {
  'END IF': ['IF'],
  'END FOR': ['FOR'],
  'END WHILE': ['WHILE'],
  'END LOOP': ['LOOP', 'FOR', 'WHILE'],
  'END CASE': ['CASE'],
};
const TRANSACTIONS = ['TRANSACTION', 'WORK', 'TRAN', 'DISTRIBUTED', 'DEFERRED', 'IMMEDIATE', 'EXCLUSIVE'];

/** Whether a semicolon stands inside something: parentheses, or a block from BEGIN to END. */
class Nesting {
  #level = 0;
  readonly #blocks: string[] = [];
  /** FOR or WHILE, until its LOOP or DO comes. */
  #loop: string | undefined;
  #creates = false;
  /** BEGIN was the last word: BEGIN TRANSACTION, or a mere `BEGIN;`, opens no block. */
  #begun = false;

  get isOut(): boolean {
    return this.#level <= 0 && !this.#blocks.includes('BEGIN');
  }

  take(token: Token): void {
    const { type } = token;
    if (isMark(token, '(')) this.#level += 1;
    else if (isMark(token, ')')) this.#level -= 1;
    else if (isMark(token, ';')) {
      this.#loop = undefined;
      if (this.#begun) this.#drop('BEGIN');
    } else if (type.startsWith('keyword')) {
      this.#begun = this.#word(type, token.text.toUpperCase());
      return;
    }
    if (!isBlank(type) && !type.startsWith('comment')) this.#begun = false;
  }

  /** Whether it was BEGIN. */
  #word(type: Token['type'], word: string): boolean {
    if (type === 'keyword.ddl' && word.startsWith('CREATE')) this.#creates = true;
    else if (word === 'DECLARE' && this.#creates && this.#blocks.length === 0) this.#push(word);
    else if (word === 'BEGIN') {
      if (this.#blocks.at(-1) === 'DECLARE') this.#blocks[this.#blocks.length - 1] = word;
      else this.#push(word);
      return true;
    } else if (this.#begun && type === 'keyword' && TRANSACTIONS.includes(word)) this.#drop('BEGIN');
    else if (!this.#blocks.includes('BEGIN') || !this.#opens(word)) this.#close(word);
    return false;
  }

  #opens(word: string): boolean {
    if (word === 'FOR' || word === 'WHILE') this.#loop = word;
    else if (this.#loop !== undefined && (word === 'LOOP' || word === 'DO')) {
      this.#push(this.#loop);
      this.#loop = undefined;
    } else if (['LOOP', 'IF', 'CASE'].includes(word)) this.#push(word);
    else return false;
    return true;
  }

  #close(word: string): void {
    if (word === 'END') {
      this.#blocks.pop();
      this.#level -= 1;
    } else this.#drop(...(CLOSES[word] ?? []));
  }

  #push(block: string): void {
    this.#blocks.push(block);
    this.#level += 1;
  }

  #drop(...blocks: readonly string[]): void {
    if (!blocks.includes(this.#blocks.at(-1) ?? '')) return;
    this.#blocks.pop();
    this.#level -= 1;
  }
}
