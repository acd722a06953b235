/**
 * What a plain scalar of YAML 1.1 is, by the expressions of PyYAML, which writes the files: `1e5` and `0o7` are texts,
 * `017` is fifteen, `1:30` ninety, `on` is true. A date stays the text that it is written as: no field is one.
 */

/** What a file of YAML holds. An integer that a number does not hold exactly is a bigint. */
export type Yaml = string | number | bigint | boolean | null | readonly Yaml[] | YamlMap;
export interface YamlMap {
  readonly [key: string]: Yaml;
}

const BOOL = /^(?:yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF)$/;
const TRUE = /^(?:yes|true|on)$/i;
const NULL = /^(?:~|null|Null|NULL|)$/;
const INT =
  /^(?:[-+]?0b[0-1_]+|[-+]?0[0-7_]+|[-+]?(?:0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+|[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+)$/;
const FLOAT =
  /^(?:[-+]?(?:[0-9][0-9_]*)\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/;
const TIMESTAMP =
  /^(?:\d{4}-\d\d-\d\d|\d{4}-\d\d?-\d\d?(?:[Tt]|[ \t]+)\d\d?:\d\d:\d\d(?:\.\d*)?(?:[ \t]*(?:Z|[-+]\d\d?(?::\d\d)?))?)$/;

/** Only scalars that begin so can be anything but a text. */
const SPECIAL = /^[-+.\d~yYnNtTfFoO=<]/;
const PLAIN_NUMBER = /^(?:0|-?[1-9]\d{0,14})$/;

export function resolvePlain(text: string): Yaml {
  if (PLAIN_NUMBER.test(text)) return Number(text);
  if (text === '') return null;
  if (!SPECIAL.test(text)) return text;
  if (NULL.test(text)) return null;
  if (BOOL.test(text)) return TRUE.test(text);
  if (INT.test(text)) return toInteger(text);
  return FLOAT.test(text) ? toFloat(text) : text;
}

/** Whether PyYAML takes a plain scalar for a text: all others are quoted where they are texts. */
export function isPlainText(text: string): boolean {
  if (text === '') return false;
  if (!SPECIAL.test(text)) return true;
  return ![NULL, BOOL, INT, FLOAT, TIMESTAMP].some((kind) => kind.test(text)) && text !== '=' && text !== '<<';
}

function toInteger(text: string): number | bigint {
  const digits = text.replaceAll('_', '').replace(/^[-+]/, '');
  const size = digits.includes(':')
    ? digits.split(':').reduce((sum, part) => sum * 60n + BigInt(part), 0n)
    : /^0[0-7]+$/.test(digits)
      ? BigInt(`0o${digits}`)
      : BigInt(digits);
  return exact(text.startsWith('-') ? -size : size);
}

/** A number where that is exact. */
export function exact(integer: bigint): number | bigint {
  const number = Number(integer);
  return Number.isSafeInteger(number) ? number : integer;
}

function toFloat(text: string): number {
  const digits = text.replaceAll('_', '').toLowerCase();
  const sign = digits.startsWith('-') ? -1 : 1;
  const size = digits.replace(/^[-+]/, '');
  if (size === '.inf') return sign * Infinity;
  if (size === '.nan') return Number.NaN;
  if (!size.includes(':')) return sign * Number(size);
  return sign * size.split(':').reduce((sum, part) => sum * 60 + Number(part), 0);
}
