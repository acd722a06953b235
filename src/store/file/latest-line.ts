/**
 * A fast way to the latest point of a metric: most files hold plain lines of three numbers only, which need not be made into
 * points to be compared. Any other file is left to readSeries; test/store/file/metrics.test.ts holds the two against each other.
 */
const NEWLINE = 10;
const SPACE = 32;
const PLUS = 43;
const MINUS = 45;
const DOT = 46;
const ZERO = 48;
const NINE = 57;
const E = 101;

/** So many digits are an exact number. */
const DIGITS = 15;

/**
 * The latest line of a text, without its end, by its step, then its time, then its value.
 * @returns undefined where a line is no plain one: `TIME VALUE STEP`, of digits, a value as Python writes a finite float, ended
 */
export function latestPlainLine(text: string): string | undefined {
  let [best, bestStep, bestTime, bestValue] = [-1, 0, 0, ''];
  let at = 0;
  while (at < text.length) {
    const start = at;
    at = endOfInteger(text, at);
    if (at === -1 || text.charCodeAt(at) !== SPACE) return undefined;
    const time = integerIn(text, start, at);
    const valueStart = at + 1;
    at = endOfFloat(text, valueStart);
    if (at === -1 || text.charCodeAt(at) !== SPACE) return undefined;
    const valueEnd = at;
    const stepStart = at + 1;
    at = endOfInteger(text, stepStart);
    if (at === -1 || text.charCodeAt(at) !== NEWLINE) return undefined;
    const step = integerIn(text, stepStart, at);
    at += 1;
    if (best !== -1) {
      if (step < bestStep || (step === bestStep && time < bestTime)) continue;
      if (step === bestStep && time === bestTime) {
        if (!(Number(text.slice(valueStart, valueEnd)) > Number(bestValue))) continue;
      }
    }
    [best, bestStep, bestTime, bestValue] = [start, step, time, text.slice(valueStart, valueEnd)];
  }
  return best === -1 ? undefined : text.slice(best, text.indexOf('\n', best));
}

const isDigit = (code: number): boolean => code >= ZERO && code <= NINE;

/** The place behind digits; -1 where there are none. */
function endOfDigits(text: string, from: number): number {
  let at = from;
  while (isDigit(text.charCodeAt(at))) at += 1;
  return at === from ? -1 : at;
}

function endOfInteger(text: string, from: number): number {
  const start = text.charCodeAt(from) === MINUS ? from + 1 : from;
  const end = endOfDigits(text, start);
  return end - start > DIGITS ? -1 : end;
}

function integerIn(text: string, from: number, to: number): number {
  const negative = text.charCodeAt(from) === MINUS;
  let number = 0;
  for (let at = negative ? from + 1 : from; at < to; at += 1) number = number * 10 + text.charCodeAt(at) - ZERO;
  return negative ? -number : number;
}

function endOfFloat(text: string, from: number): number {
  let at = endOfDigits(text, text.charCodeAt(from) === MINUS ? from + 1 : from);
  if (at !== -1 && text.charCodeAt(at) === DOT) at = endOfDigits(text, at + 1);
  if (at === -1 || text.charCodeAt(at) !== E) return at;
  const sign = text.charCodeAt(at + 1);
  return endOfDigits(text, sign === PLUS || sign === MINUS ? at + 2 : at + 1);
}
