/** Files of YAML, as PyYAML's safe loader reads them. */
import { parseDocument, type ScalarTag } from 'yaml';
import { Unreadable } from '../damage.js';
import { readFlatYaml } from './flat.js';
import { resolvePlain, type Yaml, type YamlMap } from './resolve.js';

/** Every plain scalar is resolved by PyYAML's expressions: those of the package differ (`1e5` is a number there). */
const PLAIN: ScalarTag = {
  tag: 'tag:yaml.org,2002:plain',
  default: true,
  test: /^/,
  resolve: (text) => resolvePlain(text),
};

/**
 * The value of a text, by the `yaml` package.
 * @throws {Unreadable} with the line, where it is no YAML
 */
export function readAnyYaml(text: string): Yaml {
  const document = parseDocument(text.includes('\u2028') || text.includes('\u2029') ? joined(text) : text, {
    version: '1.1',
    schema: 'failsafe',
    customTags: (tags) => [PLAIN, ...tags],
    uniqueKeys: false,
    logLevel: 'silent',
    prettyErrors: true,
  });
  const [error] = document.errors;
  if (error)
    throw new Unreadable(
      `is no YAML: ${error.message.split('\n')[0]?.replace(/ at line.*$/, '')}`,
      error.linePos?.[0].line,
    );
  return document.toJS({ maxAliasCount: 100 }) as Yaml;
}

/** These two end a line in YAML 1.1, and stay: what PyYAML sets around them is no part of the text. The package knows neither. */
const joined = (text: string) => text.replace(/ *([\u2028\u2029]) */g, '$1');

/**
 * The mapping that a file holds.
 * @throws {Unreadable} where it is empty, or no mapping
 */
export function readYaml(text: string): YamlMap {
  const flat = readFlatYaml(text);
  if (flat !== undefined) return flat;
  const value = readAnyYaml(text);
  if (value === null) throw new Unreadable('is empty');
  if (typeof value === 'object' && !Array.isArray(value)) return value as YamlMap;
  throw new Unreadable('is no mapping of YAML');
}
