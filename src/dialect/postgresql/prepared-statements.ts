/**
 * Statements that come again are prepared once for each connection and then run by name, which spares the server the
 * parsing and planning (https://node-postgres.com/features/queries#prepared-statements).
 */
import { codeOf } from '../faults.js';

/** As much of pg's `Client` as is used. */
export interface QueryingClient {
  query(...given: unknown[]): unknown;
}

/** A statement is prepared from its second use on, so that one of its own kind does not fill the server's memory. */
const USES_BEFORE = 2;
/** Statements that are kept by name in a connection. */
const MOST_STATEMENTS = 200;
/** Texts whose uses are counted. */
const MOST_COUNTED = 2000;

/** invalid_sql_statement_name and duplicate_prepared_statement: a pooler has put another server session behind the connection. */
const NOT_PREPARED_HERE = ['26000', '42P05'];

/** Whether a statement failed because it is prepared in another session; the connection prepares none from then on. */
export function isPreparedElsewhere(error: unknown): boolean {
  return NOT_PREPARED_HERE.includes(codeOf(error) ?? '');
}

export function namingStatements(client: QueryingClient): void {
  const query = client.query.bind(client);
  const uses = new Map<string, number>();
  const names = new Map<string, string>();
  let allowed = true;
  const nameOf = (text: string): string | undefined => {
    const known = names.get(text);
    if (known !== undefined || names.size >= MOST_STATEMENTS) return known;
    const count = (uses.get(text) ?? 0) + 1;
    if (count < USES_BEFORE) {
      if (uses.size >= MOST_COUNTED) uses.clear();
      uses.set(text, count);
      return undefined;
    }
    uses.delete(text);
    const name = `mtrack_${names.size}`;
    names.set(text, name);
    return name;
  };
  client.query = (...given: unknown[]) => {
    const [text, values] = given;
    if (!allowed || typeof text !== 'string' || !Array.isArray(values) || values.length === 0 || given.length > 2) {
      return query(...given);
    }
    const name = nameOf(text);
    if (name === undefined) return query(text, values);
    return Promise.resolve(query({ name, text, values })).catch((error: unknown) => {
      if (isPreparedElsewhere(error)) allowed = false;
      throw error;
    });
  };
}
