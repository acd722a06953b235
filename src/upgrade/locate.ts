/** Where a database is in MLflow's lineage: read from its version and its schema, without writing a thing. */
import type { Dialect } from '../dialect/dialect.js';
import type { Session } from '../dialect/session.js';
import { tablesOf, titleOf } from '../schema/describe.js';
import { type Difference, differences } from '../schema/diff.js';
import {
  BASE,
  between,
  HEAD,
  initial,
  isKnown,
  positionOf,
  releasesOf,
  revisions,
  schemaAt,
} from '../schema/lineage.js';
import { EMPTY_SCHEMA, type Schema, type Table } from '../schema/model.js';
import type { Revision } from '../schema/operations.js';
import { type Progress, probe } from '../schema/probe.js';
import { isKnownVariant } from '../schema/variants.js';

export type Location =
  /** No table of MLflow's. `schema` may hold tables of other programs. */
  | { readonly state: 'empty'; readonly schema: Schema }
  /** At a revision; `partWay` when the next one was begun, by whichever tool, or a later one by a step put together with it. */
  | {
      readonly state: 'at';
      readonly revision: string;
      /** What `alembic_version` says, which for the five tables is nothing, or of another lineage; null for nothing. */
      readonly version: string | null;
      /** MLflow releases whose head this revision is, as `2.8 – 2.12`. */
      readonly releases: string | null;
      readonly partWay: PartWay | null;
      readonly drift: readonly Difference[];
      readonly schema: Schema;
    }
  /** Tables of MLflow but no version, and not the five tables that never had one. */
  | { readonly state: 'unversioned'; readonly fits: readonly string[]; readonly schema: Schema }
  | { readonly state: 'newer'; readonly version: string; readonly schema: Schema }
  | {
      readonly state: 'foreign';
      readonly versions: readonly string[];
      readonly owner: string;
      /** Of several versions in the table, those that the schema is that of. */
      readonly fits: readonly string[];
      readonly schema: Schema;
    };

export interface PartWay {
  readonly revision: Revision;
  readonly steps: readonly { readonly title: string; readonly progress: Progress }[];
}

/** The five tables, as if they were a revision: the only one that no version is written for. */
export const BASE_REVISION: Revision = {
  id: BASE,
  parent: null,
  title: 'the five tables of MLflow 0.9',
  operations: initial,
};

/**
 * The one revision of a lineage of its own that `mlflow db upgrade` of 1.0 to 1.13 takes a database of 0.9 through before
 * the first of ours: it gives checks other names. It stays where MLflow was killed just after it.
 */
const BEFORE_THE_FIRST = 'ff01da956556';

/** Reads version and schema, and says where the database is. */
export async function locate(session: Session, dialect: Dialect): Promise<Location> {
  const versions = await dialect.readVersions(session);
  return locateIn(versions, await dialect.readCatalog(session), dialect);
}

/**
 * Where a database is, whose version and schema were read.
 * @param versions the rows of `alembic_version`; null where there is no such table
 */
export function locateIn(versions: readonly string[] | null, schema: Schema, dialect: Dialect): Location {
  const [version] = versions ?? [];
  if (version !== undefined) {
    if (versions && versions.length > 1) {
      const fits = revisionsThatFit(schema, dialect).filter((id) => versions.includes(id));
      return { state: 'foreign', versions, owner: 'a lineage with several heads, which MLflow has not', fits, schema };
    }
    if (version === BEFORE_THE_FIRST) return at(BASE, version, schema, dialect);
    if (isKnown(version)) return at(version, version, schema, dialect);
    return unknownVersion(version, schema);
  }
  const ours = tablesOfMlflow(schema);
  if (ours.length === 0) return { state: 'empty', schema };
  const five = new Set(initialTables());
  // An empty version table is what a run leaves that was cut off inside the very first revision.
  if (ours.every((name) => five.has(name))) return at(BASE, null, schema, dialect);
  return { state: 'unversioned', fits: revisionsThatFit(schema, dialect), schema };
}

const COPY = '_alembic_tmp_';

/** What Alembic calls the copy of a table that it fills, in its "batch mode". */
export const copyOf = (table: string) => `${COPY}${table}`;

/** The table that a table of this name would be a copy of; null where it is none. */
export const copiedBy = (name: string) => (name.startsWith(COPY) ? name.slice(COPY.length) : null);

function at(revision: string, version: string | null, schema: Schema, dialect: Dialect): Location {
  // A table whose copy is there is not one that was not made yet.
  const isToCome = (name: string) => !schema.tables.has(name) && !schema.tables.has(copyOf(name));
  const incomplete = revision === BASE && initialTables().some(isToCome);
  const next = incomplete ? BASE_REVISION : (doneAhead(revision, schema, dialect) ?? between(revision, HEAD)[0]);
  const before = incomplete ? EMPTY_SCHEMA : schemaAt(next?.parent ?? BASE, dialect.traits);
  const partWay = next ? progressInto(next, schema, before, dialect) : null;
  return {
    state: 'at',
    revision: incomplete ? BASE : revision,
    version,
    releases: releasesOf(revision),
    partWay,
    drift: drift(revision, schema, partWay, dialect),
    schema,
  };
}

/**
 * The last revision that a table has come to before its version did. Where each statement commits by itself, changes of a
 * table that were put together (fuse.ts) are done in the turn of the first of their revisions, and a run can be cut off
 * before the last. Told by what such changes are made of: columns, primary key and checks.
 */
function doneAhead(revision: string, live: Schema, dialect: Dialect): Revision | null {
  if (dialect.transaction !== 'none') return null;
  const isAsIn = (at: string, name: string): boolean => {
    const [expected, found] = [schemaAt(at, dialect.traits).tables.get(name), live.tables.get(name)];
    return !expected || !found || isSameTable(expected, found, at, dialect);
  };
  const moved = [...schemaAt(revision, dialect.traits).tables.keys()].filter((name) => !isAsIn(revision, name));
  const reached = moved.flatMap((name) => between(revision, HEAD).find(({ id }) => isAsIn(id, name)) ?? []);
  return reached.reduce<Revision | null>(
    (last, each) => (last && positionOf(last.id) > positionOf(each.id) ? last : each),
    null,
  );
}

function isSameTable(expected: Table, live: Table, revision: string, dialect: Dialect): boolean {
  const only = (table: Table): Schema => ({ tables: new Map([[table.name, table]]), triggers: [] });
  return differences(only(expected), only(live), dialect)
    .filter(({ element }) => element === 'column' || element === 'primary key' || element === 'check')
    .every((each) => isKnownVariant(each, revision));
}

function progressInto(next: Revision, live: Schema, before: Schema, dialect: Dialect): PartWay | null {
  const steps = next.operations.map((operation) => ({
    title: titleOf(operation),
    progress: probe(operation, live, before, dialect),
  }));
  const begun = steps.some(({ progress }) => progress === 'done' || progress === 'mixed');
  return begun ? { revision: next, steps } : null;
}

/** Differences from the revision that are not explained by those after it having been begun. */
function drift(revision: string, schema: Schema, partWay: PartWay | null, dialect: Dialect): Difference[] {
  if (partWay?.revision === BASE_REVISION) return [];
  const now = differences(schemaAt(revision, dialect.traits), schema, dialect).filter(
    (each) => !isKnownVariant(each, revision),
  );
  if (!partWay) return now;
  const begun = between(revision, partWay.revision.id);
  const touched = new Set(begun.flatMap(({ operations }) => operations.flatMap(tablesOf)));
  return now.filter(({ table }) => !touched.has(table));
}

function initialTables(): string[] {
  return initial.flatMap((operation) => (operation.op === 'createTable' ? [operation.table.name] : []));
}

let everyTable: ReadonlySet<string> | undefined;

/** Tables that MLflow has had at any revision, and that hardly anything else would have together with them. */
function tablesOfMlflow(schema: Schema): string[] {
  everyTable ??= new Set(
    [BASE_REVISION, ...revisions].flatMap(({ operations }) =>
      operations.flatMap((operation) => (operation.op === 'createTable' ? [operation.table.name] : [])),
    ),
  );
  const known = everyTable;
  return [...schema.tables.keys()].filter((name) => known.has(name));
}

/** Optuna numbers its revisions by version (`v2.4.0.a`); MLflow's auth plugin has a lineage of its own. */
const OTHERS: readonly {
  readonly owner: string;
  readonly isVersion: (version: string) => boolean;
  readonly table: string;
}[] = [
  { owner: 'Optuna', isVersion: (version) => /^v\d+\.\d+\.\d+\./.test(version), table: 'studies' },
  {
    owner: "MLflow's own authentication (basic-auth), a lineage of its own",
    isVersion: () => false,
    table: 'experiment_permissions',
  },
];

function unknownVersion(version: string, schema: Schema): Location {
  const other = OTHERS.find(
    ({ isVersion, table }) => isVersion(version) || (schema.tables.has(table) && !schema.tables.has('runs')),
  );
  if (other) return { state: 'foreign', versions: [version], owner: other.owner, fits: [], schema };
  // A newer MLflow adds tables and seldom takes any away.
  const known = initialTables();
  const here = known.filter((name) => schema.tables.has(name)).length;
  return here >= known.length / 2
    ? { state: 'newer', version, schema }
    : { state: 'foreign', versions: [version], owner: 'a program that is not known here', fits: [], schema };
}

/** Revisions whose declared tables and columns are all there, and no more. */
function revisionsThatFit(schema: Schema, dialect: Dialect): string[] {
  return revisions
    .map(({ id }) => id)
    .filter((id) => {
      const expected = schemaAt(id, dialect.traits);
      return differences(expected, schema, dialect).every(({ weight, element, kind }) =>
        weight === 'harmless' ? !(kind === 'extra' && (element === 'column' || element === 'table')) : false,
      );
    });
}
