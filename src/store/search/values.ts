/** From what stands behind a comparator to the value that is compared. */
import { invalidParameter } from '../errors.js';
import type { Column, Value } from './ast.js';
import { isQuoted } from './columns.js';
import { DATASET_KEYS, type Grammar } from './grammars.js';
import { readList } from './literal.js';
import type { Node } from './node.js';
import { asciiDigits, reprList, reprSet, reprString } from './python.js';

export const isNumber = (node: Node) => node.is('number.integer') || node.is('number.float');
/** What may be a quoted text. An identifier is one when it is quoted with ". */
export const isText = (node: Node) => node.is('string.single') || node.group === 'identifier';

/** The tokenizer has seen that it is a number; Number knows no digits but ASCII's. */
export const numberOf = (node: Node) => Number(asciiDigits(node.text));

function textOf({ text }: Node): string {
  if (isQuoted(text, "'") || isQuoted(text, '"')) return text.slice(1, -1);
  throw invalidParameter(
    'Parameter value is either not quoted or unidentified quote types used for string value ' +
      `${text}. Use either single or double quotes.`,
  );
}

const quotedExpected = (what: string, node: Node) =>
  invalidParameter(`Expected a quoted string value for ${what}. Got value ${node.text}`);
const example = (kind: string) => `${kind} (e.g. 'my-value')`;

type Reader = (grammar: Grammar, column: Column, node: Node) => Value;

function listOf({ listed }: Grammar, key: string, node: Node): readonly string[] {
  if (listed !== null && !listed.includes(key)) {
    throw invalidParameter(
      `Only ${reprList([...listed].sort().map(reprString))} attributes support comparison with a list of quoted string values.`,
    );
  }
  return readList(node.text);
}

/** By the type of the column. */
function byType(grammar: Grammar, { kind, key }: Column, node: Node): Value {
  switch (kind) {
    case 'metric':
      if (isNumber(node)) return numberOf(node);
      throw invalidParameter(`Expected numeric value type for metric. Found ${node.text}`);
    case 'parameter':
    case 'tag':
      if (isText(node)) return textOf(node);
      throw quotedExpected(example(kind), node);
    case 'attribute':
      if (grammar.numeric.includes(key)) {
        if (isNumber(node)) return numberOf(node);
        throw invalidParameter(`Expected numeric value type for numeric attribute: ${key}. Found ${node.text}`);
      }
      if (isText(node)) return textOf(node);
      if (node.group === 'parenthesis') return listOf(grammar, key, node);
      throw quotedExpected('attributes', node);
    case 'dataset':
      if (DATASET_KEYS.includes(key) && isText(node)) return textOf(node);
      if (node.group === 'parenthesis') return readList(node.text);
      throw quotedExpected('dataset attributes', node);
    default:
      throw new TypeError(`no values for ${kind}`);
  }
}

function onlyNumeric(grammar: Grammar, key: string, node: Node): number {
  if (grammar.numeric.includes(key)) return numberOf(node);
  throw invalidParameter(`Only the '${reprSet(grammar.numeric)}' attributes support comparison with numeric values.`);
}

const textOrList = (node: Node) =>
  invalidParameter(
    `Expected a quoted string value or a list of quoted string values for attributes. Got value ${node.text}`,
  );

/** Numbers may be quoted here: the store reads them. */
function registry(grammar: Grammar, { kind, key }: Column, node: Node): Value {
  if (isText(node)) return textOf(node);
  if (kind === 'tag') throw quotedExpected(example(kind), node);
  if (node.group === 'parenthesis') return listOf(grammar, key, node);
  if (grammar.numeric.length > 0 && isNumber(node)) return onlyNumeric(grammar, key, node);
  throw textOrList(node);
}

function traces(grammar: Grammar, { kind, key }: Column, node: Node): Value {
  if (isText(node)) return textOf(node);
  const list = node.group === 'parenthesis';
  switch (kind) {
    case 'attribute':
      if (list && !grammar.listed?.includes(key)) {
        throw invalidParameter(
          `Only attributes in ${reprSet(grammar.listed ?? [])} supports comparison with a list of quoted string values.`,
        );
      }
      if (list) return readList(node.text);
      if (isNumber(node)) return onlyNumeric(grammar, key, node);
      throw textOrList(node);
    case 'tag':
    case 'span':
      if (list) return readList(node.text);
      throw quotedExpected(example(kind), node);
    case 'feedback':
    case 'expectation':
      return numberOf(node); // anything else was refused with the comparator
    default:
      throw quotedExpected(example(kind), node);
  }
}

const READERS: Readonly<Record<Grammar['values'], Reader>> = { byType, registry, traces };

/** @throws StoreError where the value is not of the column's type */
export function valueIn(grammar: Grammar, column: Column, node: Node): Value {
  return READERS[grammar.values](grammar, column, node);
}
