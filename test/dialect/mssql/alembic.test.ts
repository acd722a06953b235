/**
 * For each revision: what the dialect does to the schema equals what MLflow does, told from the SQL that Alembic writes.
 * Both are run on the model of a server in the state of the revision before. Of most revisions Alembic writes it offline
 * (shared/fixtures); of the others the DDL was taken from MLflow's migrations run on stubs (online/emit.py).
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { FIXTURES } from '../../support/fixtures.js';
import { lineage } from '../../support/mssql/lineage.js';
import { ModelServer, type ModelTable } from '../../support/mssql/model.js';
import { batchesOf, type ColumnSpec, type ConstraintSpec, read, type Statement } from '../../support/mssql/tsql.js';

const OFFLINE = join(FIXTURES, 'schema/mssql-offline');
const ONLINE = join(import.meta.dirname, 'online');

// ---------------------------------------------------------------- what may differ

/** Of types, everywhere: offline, SQLAlchemy does not know the server and takes the types that were current before 2012. */
const TYPES_WITHOUT_SERVER: Readonly<Record<string, string>> = { text: 'varchar(max)', image: 'varbinary(max)' };

interface Difference {
  readonly revision: string;
  /** What MLflow does and we do not, and the other way round. */
  readonly theirs?: readonly string[];
  readonly ours?: readonly string[];
  readonly because: string;
}

const DIFFERENCES: readonly Difference[] = [
  {
    revision: '181f10493468',
    theirs: ['metrics: alter column value float not null'],
    because: 'FLOAT is FLOAT(53) here: the column is what it is to become',
  },
  {
    revision: '39d1c3be5f05',
    theirs: ['latest_metrics: alter column is_nan bit not null', 'metrics: alter column is_nan bit not null'],
    because: 'both columns are that already; on this dialect no check of a boolean comes with it',
  },
  {
    revision: '71994744cf8e',
    theirs: [
      'evaluation_dataset_records: add {"kind":"UQ","name":"unique_dataset_input","columns":["dataset_id","input_hash"]}',
    ],
    because: 'we make the constraint together with its table',
  },
  {
    revision: '75868b020152',
    ours: [
      'assessments: add default 0 for is_numeric_value',
      'assessments: drop constraint DF__assessments__is_numeric_value',
    ],
    because:
      'the documentation of ALTER COLUMN excludes columns with a default; that NOT NULL passes is only known from MLflow',
  },
];

// ---------------------------------------------------------------- what a statement does, in words

/** One line for each thing done, so that three columns added by one statement equal three statements. */
function effects(statement: Statement, server: ModelServer): string[] {
  switch (statement.does) {
    case 'create table':
      return [`create table ${statement.table}`];
    case 'drop table':
      return [`drop table ${statement.table}`];
    case 'add columns':
      return statement.columns.map((column) => `${statement.table}: add column ${spellColumn(column)}`);
    case 'alter column':
      return [
        `${statement.table}: alter column ${spellColumn({ ...statement.column, identity: false, default: null, computed: null })}`,
      ];
    case 'drop columns':
      return statement.columns.map((column) => `${statement.table}: drop column ${column}`);
    case 'add constraint':
      return [`${statement.table}: add ${spellConstraint(statement.constraint)}`];
    case 'drop constraint':
      return [`${statement.table}: drop constraint ${statement.name}`];
    case 'drop found constraint':
      return [`${statement.table}: drop constraint ${server.find(statement.table, statement.lookup)}`];
    case 'create index':
      return [`${statement.table}: create index ${JSON.stringify(statement)}`];
    case 'drop index':
      return [`${statement.table}: drop index ${statement.name}`];
    case 'rename column':
      return [`${statement.table}: rename ${statement.from} to ${statement.to}`];
    case 'create trigger':
      return [`${statement.table}: create trigger ${statement.name}`];
    case 'other':
      return [];
  }
}

function spellColumn(column: ColumnSpec): string {
  const type = TYPES_WITHOUT_SERVER[column.type] ?? column.type;
  const value = column.default === null ? '' : ` default ${column.default}`;
  return `${column.name} ${type}${column.collation ? ` collate ${column.collation}` : ''}${column.nullable ? '' : ' not null'}${value}`;
}

function spellConstraint(constraint: ConstraintSpec): string {
  if (constraint.kind === 'DF') return `default ${constraint.value} for ${constraint.column}`;
  return JSON.stringify(constraint);
}

interface Outcome {
  readonly does: readonly string[];
  readonly leaves: readonly ModelTable[];
}

function outcomeOf(statements: readonly string[], start: Map<string, ModelTable>): Outcome {
  const server = ModelServer.from(start);
  const does = statements.flatMap((sql) => {
    const effect = effects(read(sql), server);
    server.run(sql);
    return effect;
  });
  return {
    does: does.sort(),
    leaves: [...server.tables.values()].map(comparable).sort((a, b) => (a.name < b.name ? -1 : 1)),
  };
}

/** The order of constraints and indexes means nothing, that of columns does. */
function comparable(table: ModelTable): ModelTable {
  const sorted = <T extends { name: string }>(list: T[]) => [...list].sort((a, b) => (a.name < b.name ? -1 : 1));
  return {
    ...table,
    columns: table.columns.map((column) => ({ ...column, type: TYPES_WITHOUT_SERVER[column.type] ?? column.type })),
    uniques: sorted(table.uniques),
    foreignKeys: sorted(table.foreignKeys),
    checks: sorted(table.checks),
    defaults: sorted(table.defaults),
    indexes: sorted(table.indexes),
  };
}

// ---------------------------------------------------------------- what Alembic writes

function alembics(revision: string): string[] | null {
  const online = join(ONLINE, `${revision}.sql`);
  const offline = join(OFFLINE, `${revision}.sql`);
  if (revision === 'base') {
    return readFileSync(offline, 'utf8')
      .split(/;\s*$/m)
      .map((sql) => sql.trim())
      .filter((sql) => sql !== '');
  }
  const path = existsSync(online) ? online : offline;
  if (!existsSync(path)) return null;
  return batchesOf(readFileSync(path, 'utf8')).filter((sql) => !/\balembic_version\b/.test(sql));
}

/** Moves rows and changes no schema: user_id becomes a tag. */
const WITHOUT_DDL = ['90e64c465722'];

const without = (list: readonly string[], taken: readonly string[]) => {
  const left = [...taken];
  return list.filter((each) => {
    const at = left.indexOf(each);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
};

describe('each revision does to the schema what MLflow does', () => {
  for (const { id, statements, model } of lineage) {
    test(id, () => {
      const theirSql = alembics(id);
      if (theirSql === null) {
        expect(WITHOUT_DDL).toContain(id);
        expect(statements).toEqual([]);
        return;
      }
      const ours = outcomeOf(statements, model);
      const theirs = outcomeOf(theirSql, model);
      expect(ours.leaves).toEqual(theirs.leaves);
      const known = DIFFERENCES.find(({ revision }) => revision === id);
      expect(without(theirs.does, ours.does), 'only MLflow').toEqual(known?.theirs ?? []);
      expect(without(ours.does, theirs.does), 'only mtrack').toEqual(known?.ours ?? []);
    });
  }

  test('every revision of the lineage was compared, and every difference that is declared is one', () => {
    expect(lineage).toHaveLength(71);
    const compared = lineage.filter(({ id }) => alembics(id) !== null).map(({ id }) => id);
    expect(compared).toHaveLength(70);
    expect(DIFFERENCES.filter(({ revision }) => !compared.includes(revision))).toEqual([]);
  });
});
