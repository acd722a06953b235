import { MtrackError } from '../../errors.js';

/** An error for people: what was found, what was expected, what to do. Only a fault of mtrack itself shows its stack. */
export function failureText(error: Error): string {
  if (!(error instanceof MtrackError)) {
    return `${error.stack ?? error.message}\n\nThis is a fault of mtrack. Please report it with the lines above.`;
  }
  const { found, expected, fix = [] } = error.failure;
  const [first = '', ...more] = found.split('\n');
  return [
    `Error ${error.code}: ${first}`,
    ...more.map((line) => `  ${line}`.trimEnd()),
    ...(expected ? [`  expected: ${expected.replaceAll('\n', '\n            ')}`] : []),
    ...fix.map((line, i) => `  ${i === 0 ? 'to do:   ' : '         '} ${line.replaceAll('\n', '\n            ')}`),
  ].join('\n');
}
