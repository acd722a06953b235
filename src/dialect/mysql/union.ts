/**
 * Several queries as one, by UNION ALL. JSON would not do: MariaDB cuts what JSON_ARRAYAGG gives after group_concat_max_len
 * bytes, and orders no subquery (https://mariadb.com/kb/en/json_arrayagg/).
 */
import { type RawBuilder, sql } from 'kysely';
import { bracketed, type ColumnKind, type Columns, type Union } from '../query-words.js';

/** Columns of one type are one column of the union. */
const TYPES: Readonly<Record<ColumnKind, string>> = {
  text: 'text',
  integer: 'whole',
  bigint: 'whole',
  boolean: 'whole',
  double: 'double',
};

/** The column of the union that holds each of a query's. */
function placesOf(columns: Columns<never>): Map<string, string> {
  const used: Record<string, number> = {};
  const place = (type: string) => {
    used[type] = (used[type] ?? 0) + 1;
    return `${type}${used[type]}`;
  };
  return new Map(Object.entries<ColumnKind>(columns).map(([name, kind]) => [name, place(TYPES[kind])]));
}

export const union: Union = {
  unite: (parts) => {
    const places = parts.map(({ columns }) => placesOf(columns));
    const all = [...new Set(places.flatMap((each) => [...each.values()]))].sort();
    const selects = parts.map(({ query }, at) => {
      const names = new Map([...(places[at] ?? [])].map(([name, place]) => [place, name]));
      const columns = all.map((place) => sql`${valueAt(place, names.get(place))} AS ${sql.ref(place)}`);
      return sql`SELECT ${sql.lit(at)} AS part, ${sql.join(columns)} FROM ${bracketed(query)} AS q`;
    });
    return sql<Record<string, unknown>>`${sql.join(selects, sql` UNION ALL `)}`;
  },
  rowsOf: (parts, united) => {
    const rows = parts.map((): unknown[] => []);
    const places = parts.map(({ columns }) => [...placesOf(columns)]);
    for (const row of united) {
      const at = Number(row.part);
      rows[at]?.push(Object.fromEntries((places[at] ?? []).map(([name, place]) => [name, row[place]])));
    }
    return rows;
  },
};

/** Texts of different collations cannot be in one column. */
function valueAt(place: string, name: string | undefined): RawBuilder<unknown> {
  if (name === undefined) return sql`NULL`;
  const column = sql.ref(`q.${name}`);
  return place.startsWith(TYPES.text) ? sql`CONVERT(${column} USING utf8mb4) COLLATE utf8mb4_bin` : column;
}
