/** From a name in a filter or an order to the column that it means. */
import { invalidParameter } from '../errors.js';
import type { Column, Kind } from './ast.js';
import { DATASET_KEYS, type Grammar } from './grammars.js';
import { reprSet } from './python.js';

export const isQuoted = (text: string, quote: string) =>
  text.length >= 2 && text.startsWith(quote) && text.endsWith(quote);

const unquote = (text: string) => (isQuoted(text, "'") || isQuoted(text, '"') ? text.slice(1, -1) : text);
const untick = (text: string) => (isQuoted(text, '`') ? text.slice(1, -1) : text);

/** Before and after the first dot. */
function parts(name: string): [scope: string | undefined, key: string] {
  const dot = name.indexOf('.');
  return dot === -1 ? [undefined, name] : [name.slice(0, dot), name.slice(dot + 1)];
}

function known(key: string, attributes: readonly string[]): void {
  if (attributes.includes(key)) return;
  throw invalidParameter(`Invalid attribute key '${key}' specified. Valid keys are '${reprSet(attributes)}'`);
}

/** @throws StoreError where no such column exists */
type Reader = (grammar: Grammar, name: string, attributes: readonly string[]) => Column;

function kindOf(grammar: Grammar, scope: string | undefined, refusal: (scope: string) => string): Kind {
  if (scope === undefined) return 'attribute';
  const kind = Object.hasOwn(grammar.scopes, scope) ? grammar.scopes[scope] : undefined;
  if (kind === undefined) throw invalidParameter(refusal(scope));
  return kind;
}

const fewScopes = (grammar: Grammar) => (scope: string) =>
  `Invalid entity type '${scope}'. Valid entity types are ${grammar.scopesWritten}`;

const READERS: Readonly<Record<Exclude<Grammar['columns'], 'loggedModels'>, Reader>> = {
  scoped(grammar, name, attributes) {
    const [scope, rest] = parts(name);
    const kind = kindOf(
      grammar,
      scope === undefined ? undefined : untick(scope),
      (unknown) => `Invalid entity type '${unknown}'. Valid values are ${grammar.scopesWritten}`,
    );
    const key = untick(unquote(rest));
    if (kind === 'attribute') known(key, attributes);
    if (kind === 'dataset' && !DATASET_KEYS.includes(key)) {
      throw invalidParameter(`Invalid dataset key '${key}' specified. Valid keys are '${reprSet(DATASET_KEYS)}'`);
    }
    return { kind, key };
  },
  experiments(grammar, name, attributes) {
    const [scope, rest] = parts(name);
    const kind = kindOf(grammar, scope, fewScopes(grammar));
    const key = untick(unquote(rest));
    if (kind === 'attribute') known(key, attributes);
    return { kind, key };
  },
  // Here the name of an attribute may not be quoted.
  registry(grammar, name, attributes) {
    const [scope, rest] = parts(name);
    const kind = kindOf(grammar, scope, fewScopes(grammar));
    if (kind === 'attribute') known(rest, attributes);
    return { kind, key: untick(unquote(rest)) };
  },
  // Here nothing is unquoted: tags.`a` is a tag whose name holds backticks.
  datasets(grammar, name, attributes) {
    const [scope, key] = parts(name);
    const kind = kindOf(grammar, scope, (unknown) => `Invalid identifier token '${unknown}' specified`);
    if (kind === 'attribute' && !attributes.includes(key)) {
      throw invalidParameter(`Invalid attribute key '${key}' specified. Valid keys are: ${reprSet(attributes)}`);
    }
    return { kind, key };
  },
};

export function columnOf(
  grammar: Grammar,
  name: string,
  attributes: readonly string[] = grammar.attributes,
  columns: Grammar['columns'] = grammar.columns,
): Column {
  if (columns === 'loggedModels') throw new TypeError('logged models of a database have a reader of their own');
  return READERS[columns](grammar, name, attributes);
}
