import type { Naming } from '../../schema/fold.js';
import type { Table } from '../../schema/model.js';
import type { Server } from './flavour.js';

/** https://dev.mysql.com/doc/refman/8.4/en/create-table-foreign-keys.html and https://mariadb.com/kb/en/constraint/ */
export function namingOf(server: Server): Naming {
  return {
    foreignKey: (table) => numbered(`${table.name}_ibfk_`, table.foreignKeys),
    unique: (table, [first = '']) => {
      const taken = new Set([...table.uniques, ...table.indexes].map(({ name }) => name));
      return taken.has(first) ? numbered(`${first}_`, [...table.uniques, ...table.indexes], 2) : first;
    },
    check: (table) =>
      server.flavour === 'mariadb'
        ? numbered('CONSTRAINT_', table.checks)
        : numbered(`${table.name}_chk_`, table.checks),
  };
}

/** One above the highest number in use. */
function numbered(
  prefix: string,
  named: Table['uniques'] | Table['checks'] | readonly { name: string | null }[],
  first = 1,
): string {
  const numbers = named.map(({ name }) => (name?.startsWith(prefix) ? Number(name.slice(prefix.length)) : 0));
  return `${prefix}${Math.max(first - 1, ...numbers.filter(Number.isInteger)) + 1}`;
}
