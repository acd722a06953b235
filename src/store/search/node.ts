/** A statement's tokens as a tree: what the tokenizer of MLflow groups them into. */
import { isBlank, type Token, type Type } from './tokens.js';

export type Group =
  | 'assignment'
  | 'begin'
  | 'brackets'
  | 'case'
  | 'comment'
  | 'comparison'
  | 'for'
  | 'function'
  | 'identifier'
  | 'if'
  | 'list'
  | 'operation'
  | 'over'
  | 'parenthesis'
  | 'statement'
  | 'typed-literal'
  | 'values'
  | 'where';

export class Node {
  /** `null` for a group. */
  type: Type | null;
  readonly group: Group | null;
  readonly children: Node[];
  text: string;

  private constructor(type: Type | null, group: Group | null, text: string, children: Node[]) {
    this.type = type;
    this.group = group;
    this.text = text;
    this.children = children;
  }

  static of({ type, text }: Token): Node {
    return new Node(type, null, text, []);
  }

  static group(group: Group, children: Node[]): Node {
    return new Node(null, group, children.map(({ text }) => text).join(''), children);
  }

  get blank(): boolean {
    return isBlank(this.type);
  }

  get isKeyword(): boolean {
    return this.type?.startsWith('keyword') ?? false;
  }

  /** What it is when keywords have no case. */
  get word(): string {
    return this.isKeyword ? this.text.toUpperCase() : this.text;
  }

  /** Of exactly this type and, if any are given, one of these texts (keywords in upper case). */
  is(type: Type, ...texts: readonly string[]): boolean {
    return this.type === type && (texts.length === 0 || texts.includes(this.word));
  }

  in(groups: readonly Group[]): boolean {
    return this.group !== null && groups.includes(this.group);
  }

  /** Of a type or one below it: `name.builtin` is a `name`. */
  under(type: 'comment' | 'keyword.order' | 'name' | 'number'): boolean {
    return this.type !== null && (this.type === type || this.type.startsWith(`${type}.`));
  }

  /** The next child after an index, or before one, that is not whitespace; -1 if there is none. */
  next(index: number): number {
    return this.children.findIndex((child, at) => at > index && !child.blank);
  }

  previous(index: number): number {
    return this.children.findLastIndex((child, at) => at < index && !child.blank);
  }

  /** Children from one index to another become one group. A group that may grow, and is of the kind, takes in the rest. */
  join(group: Group, from: number, to: number, grows: 'grows' | 'wraps' = 'wraps'): Node {
    const first = this.children[from] as Node;
    if (grows === 'grows' && first.group === group) return this.append(from, to);
    const joined = Node.group(group, this.children.slice(from, to + 1));
    this.children.splice(from, to - from + 1, joined);
    return joined;
  }

  /** The group at an index takes in what follows, up to another index. */
  append(from: number, to: number): Node {
    const first = this.children[from] as Node;
    const rest = this.children.splice(from + 1, to - from);
    first.children.push(...rest);
    first.text += rest.map(({ text }) => text).join('');
    return first;
  }
}
