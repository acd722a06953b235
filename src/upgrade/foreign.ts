/** What is said of a version table that is not MLflow's, or not as MLflow keeps it; and what to do about it. */
import type { Schema } from '../schema/model.js';
import type { Location } from './locate.js';

/** What was found in `alembic_version`, and what to do about it, in a sentence each. */
export function foreignWords({ versions, owner, fits }: Extract<Location, { state: 'foreign' }>): {
  readonly found: string;
  readonly fix: string;
} {
  const ids = versions.join(', ');
  if (versions.length === 1) {
    return {
      found: `alembic_version says ${ids}, which is of ${owner}`,
      fix: "check the store URI: MLflow and another program can share a server, but not one database's alembic_version",
    };
  }
  const [right, ...others] = fits;
  if (right === undefined || others.length > 0) {
    return {
      found: `alembic_version has ${versions.length} rows, and MLflow keeps one: ${ids}`,
      fix: 'check the store URI; if this is the database of MLflow, restore alembic_version from a backup',
    };
  }
  return {
    found: `alembic_version has ${versions.length} rows, and MLflow keeps one: ${ids}; the schema is that of ${right}`,
    fix: `after a backup: DELETE FROM alembic_version WHERE version_num <> '${right}'`,
  };
}

/** The tables of a database that has none of MLflow's. An empty version table is what a killed first upgrade leaves. */
export function othersIn(schema: Schema): string[] {
  return [...schema.tables.keys()].filter((name) => name !== 'alembic_version').sort();
}

const NAMED = 5;

/** Tables of other programs, the first few by name. */
export function otherTables(names: readonly string[]): string {
  const more = names.length > NAMED ? ` and ${names.length - NAMED} more` : '';
  const list = names.slice(0, NAMED).join(', ') + more;
  return names.includes(AUTH)
    ? `those of MLflow's own authentication (basic-auth): ${list}`
    : `${names.length === 1 ? 'a table' : `${names.length} tables`} of other programs: ${list}`;
}

/** The version table of MLflow's authentication since 3.6. */
const AUTH = 'alembic_version_auth';
