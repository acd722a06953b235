/** Where artifacts have moved to: beginnings of URIs, and what takes their place. */
import { MtrackError } from '../../errors.js';

/** A beginning of URIs, and what takes its place; without a slash at its end. */
interface Rule {
  readonly from: string;
  readonly to: string;
}

export class UriMap {
  readonly #rules: readonly Rule[];

  /** @param rules `old=new` each @throws {MtrackError} USAGE for one that cannot be read, and for two of the same beginning */
  constructor(rules: readonly string[]) {
    const byStart = new Map<string, Rule>();
    for (const rule of rules.map(ruleOf).flatMap(spellingsOf)) {
      const { from, to } = rule;
      if ((byStart.get(from)?.to ?? to) !== to) {
        throw new MtrackError('USAGE', { found: `--map gives ${from} two places`, fix: ['give one of them'] });
      }
      byStart.set(from, rule);
    }
    this.#rules = [...byStart.values()].sort((a, b) => b.from.length - a.from.length);
  }

  get isEmpty(): boolean {
    return this.#rules.length === 0;
  }

  /** The URI in its new place, by the longest beginning that it has; null for one that stays where it is. */
  moved(uri: string): string | null {
    const rule = this.#rules.find(({ from }) => isBelow(uri, from));
    if (!rule) return null;
    return rule.to + respelled(uri.slice(rule.from.length), isFileUri(rule.from), isFileUri(rule.to));
  }
}

/** Names are compared whole: what is below `s3://a/b` is not below `s3://a/bc`. A query or a fragment may follow. */
const isBelow = (uri: string, place: string) =>
  uri.startsWith(place) && (uri.length === place.length || '/?#'.includes(uri.charAt(place.length)));

const isFileUri = (place: string) => /^file:/i.test(place);

/** In a file: URI signs are percent-encoded, and nowhere else where MLflow writes one. */
function respelled(rest: string, isEncoded: boolean, encodes: boolean): string {
  if (isEncoded === encodes) return rest;
  try {
    return encodes ? encodeURI(rest).replaceAll(/[?#]/g, encodeURIComponent) : decodeURIComponent(rest);
  } catch {
    return rest;
  }
}

function ruleOf(text: string): Rule {
  // A name in a path can hold the sign as well: where a URI or a path begins behind it, that is the place.
  const at = /=(?=[a-z][a-z\d+.-]*:|\/)/i.exec(text)?.index ?? text.indexOf('=');
  const [from, to] = [text.slice(0, at), text.slice(at + 1)].map((each) => each.trim().replace(/\/+$/, ''));
  if (at <= 0 || !from || !to) {
    throw new MtrackError('USAGE', {
      found: `--map ${text}`,
      expected: 'where artifacts were and where they are: --map s3://old/path=s3://new/path',
    });
  }
  return { from, to };
}

/** A local place is a path or a URI; from one path to another one, each stays what it is. */
function spellingsOf({ from, to }: Rule): readonly Rule[] {
  const path = isFileUri(from) ? from.replace(/^file:(?:\/\/(?:localhost)?(?=\/))?/i, '') : from;
  if (!path.startsWith('/')) return [{ from, to }];
  const plain = isFileUri(from) ? respelled(path, true, false) : path;
  const isOfPaths = !isFileUri(from) && to.startsWith('/');
  const toUri = isOfPaths ? `file://${respelled(to, false, true)}` : to;
  const uris = [respelled(plain, false, true), plain].flatMap((each) => [`file://${each}`, `file:${each}`]);
  return [{ from, to }, { from: plain, to }, ...uris.map((uri) => ({ from: uri, to: toUri }))];
}
