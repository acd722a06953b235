/** A check in one form, whoever wrote it: `status IN 'A' 'B'`, in the order of the values. */
export function bareExpression(expression: string): string {
  const text = expression.replaceAll(/[[\]]/g, '').replaceAll(/\s+/g, ' ').trim();
  const [, column, list] = /^(\w+) IN \( ?(.*?) ?\)$/i.exec(text) ?? [];
  if (column === undefined || list === undefined) return text;
  return `${column} IN ${list.split(/ ?, ?/).sort().join(' ')}`;
}

/** What the server makes of `x IN ('A', 'B')`: `([x]='B' OR [x]='A')`. */
export function asServerWrites(expression: string): string {
  const [, column = '', list = ''] = /^(\w+) IN \( ?(.*?) ?\)$/i.exec(expression.trim()) ?? [];
  const values = list.split(/ ?, ?/).map((value) => (/^-?\d+$/.test(value) ? `(${value})` : value));
  const alternatives = values.reverse().map((value) => `[${column}]=${value}`);
  return `(${alternatives.join(' OR ')})`;
}
