/** What names, aliases, version numbers and tags of the registry may be. */
import { invalidParameter } from '../../errors.js';
import type { KeyValue } from '../../records.js';
import { parseInteger, stripSpace } from '../../search/index.js';
import { invalidValue, lengthOf, missingValue, pathRefusal, validateName, withinLength } from '../../validate.js';

const MAX_TAG_KEY = 250;
const MAX_TAG_VALUE = 100_000;
const MAX_ALIAS = 255;
/** Of the column that versions are counted in. */
const MAX_VERSION = 2n ** 31n - 1n;

/** The alias that every model has, of its newest version. */
export const isLatest = (alias: string) => alias.toLowerCase() === 'latest';
const PROMPT_TEXT = 'mlflow.prompt.text';

/** @throws StoreError where a registered model cannot be called so */
export function checkModelName(name: string): void {
  if (stripSpace(name) === '') throw invalidParameter(missingValue('name'));
  if (/[/:]/.test(name)) throw invalidParameter(`Invalid model name '${name}'. Names cannot contain '/' or ':'.`);
  const refusal = pathRefusal(name);
  if (refusal !== undefined) throw invalidParameter(invalidValue('name', name, refusal));
}

export function checkNewModelName(name: string): void {
  if (stripSpace(name) === '') throw invalidParameter(missingValue('new_name'));
  checkModelName(name);
}

/** The number of a version, -1 for one that no version can have. @throws StoreError where it is no whole number */
export function versionNumber(text: string): { readonly number: number; readonly shown: string } {
  const number = parseInteger(text);
  if (number === undefined) throw invalidParameter(`Parameter 'version' must be an integer, got '${text}'.`);
  return { number: number < 0n || number > MAX_VERSION ? -1 : Number(number), shown: String(number) };
}

export const checkTagKey = (key: string) => validateName(key, 'key');

export function checkModelTag({ key, value }: KeyValue): void {
  checkTagKey(key);
  withinLength('key', MAX_TAG_KEY, key);
  withinLength('value', MAX_TAG_VALUE, value);
}

export function checkVersionTag({ key, value }: KeyValue): void {
  checkTagKey(key);
  withinLength('key', MAX_TAG_KEY, key);
  if (key === PROMPT_TEXT && lengthOf(value) > MAX_TAG_VALUE) {
    throw invalidParameter(`Prompt text exceeds max length of ${MAX_TAG_VALUE} characters.`);
  }
  withinLength('value', MAX_TAG_VALUE, value);
}

export function checkAlias(alias: string): void {
  if (alias === '') throw invalidParameter('Registered model alias name cannot be empty.');
  if (!/^[\p{L}\p{N}_-]*$/u.test(alias)) {
    throw invalidParameter(
      `Invalid alias name: '${alias}'. Names may only contain alphanumerics, underscores (_), and dashes (-).`,
    );
  }
  withinLength('Registered model alias name', MAX_ALIAS, alias);
}

/** An alias that can be given, not only asked for. */
export function checkNewAlias(alias: string): void {
  checkAlias(alias);
  if (isLatest(alias)) throw invalidParameter("'latest' alias name (case insensitive) is reserved.");
  if (/^v\p{Nd}+$/iu.test(alias)) throw invalidParameter(`Version alias name '${alias}' is reserved.`);
}
