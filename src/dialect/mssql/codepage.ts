import { isAscii } from './spell.js';

/** The characters above ASCII of a code page of one byte. */
const characters = new Map<string, ReadonlySet<string>>();

/** Whether a text survives in a code page (as tedious calls it): `CP1252`, `utf-8`. Where it is not known, no. */
export function fits(text: string, codepage: string | undefined): boolean {
  if (isAscii(text)) return true;
  if (codepage === undefined) return false;
  if (/^utf-?8$/i.test(codepage)) return true;
  const [, number] = /^CP(125\d|874)$/i.exec(codepage) ?? [];
  if (number === undefined) return false;
  let known = characters.get(number);
  if (!known) {
    const upper = Uint8Array.from({ length: 128 }, (_, i) => 128 + i);
    known = new Set(new TextDecoder(`windows-${number}`).decode(upper));
    characters.set(number, known);
  }
  return [...text].every((character) => isAscii(character) || known.has(character));
}
