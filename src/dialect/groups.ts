import type { Groups } from '../schema/words.js';

/**
 * The first row of each group by a window function, which every dialect has.
 * @param quote an identifier of the dialect
 * @param range the condition of the chunk on a column
 */
export function firstByWindow(
  { table, group, order, range: ranged }: Groups,
  quote: (name: string) => string,
  range: (column: string) => string,
): string {
  const columns = [...group, ...order.map(({ column }) => column)].map(quote).join(', ');
  const sorted = order.map(({ column, descending }) => `${quote(column)}${descending ? ' DESC' : ''}`).join(', ');
  return `
  SELECT ${columns} FROM (
    SELECT ${columns}, ROW_NUMBER() OVER (PARTITION BY ${group.map(quote).join(', ')} ORDER BY ${sorted}) AS place
    FROM ${quote(table)}
    WHERE ${range(ranged)}
  ) w WHERE w.place = 1
`;
}
