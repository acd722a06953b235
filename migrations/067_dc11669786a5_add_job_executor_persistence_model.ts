import {
  addColumn,
  addIndex,
  alterTable,
  backfill,
  bigint,
  createTable,
  foreignKey,
  index,
  integer,
  json,
  optional,
  primaryKey,
  required,
  revision,
  rowsIn,
  type SqlWords,
  text,
  varchar,
} from '../src/schema/operations.js';

// MLflow's job states: 0 pending, 1 running, 5 cancelled.
const unfinished = ({ id }: SqlWords) => `${id('status')} IN (0, 1)`;

export default revision('dc11669786a5', {
  parent: '75868b020152',
  title: 'jobs: leases, progress and locks of job executors',
  irreversible: {
    because: 'jobs that are pending or running are cancelled, and stay so',
    counts: [rowsIn('jobs', 'jobs pending or running', unfinished)],
  },
  operations: [
    createTable(
      'scheduler_leases',
      required('lease_key', varchar(255)),
      required('acquired_at', bigint()),
      required('ttl_seconds', integer()),
      primaryKey('scheduler_leases_pk', 'lease_key'),
    ),
    createTable(
      'job_locks',
      required('lock_key', varchar(255)),
      required('job_id', varchar(36)),
      required('acquired_at', bigint()),
      primaryKey('job_locks_pk', 'lock_key'),
      foreignKey('fk_job_locks_job_id', {
        columns: ['job_id'],
        table: 'jobs',
        references: ['id'],
        onDelete: 'cascade',
      }),
      index('index_job_locks_job_id', ['job_id']),
    ),
    alterTable(
      'jobs',
      addColumn(optional('executor_backend', varchar(255))),
      addColumn(optional('lease_expires_at', bigint())),
      addColumn(optional('status_message', text())),
      addColumn(optional('progress', json())),
      addColumn(optional('progress_updated_at', bigint())),
      addColumn(optional('token_hash', varchar(64))),
      addColumn(optional('scoped_permissions', json())),
      addColumn(optional('next_attempt_at', bigint())),
      addIndex('index_jobs_status_lease_expires_at', ['status', 'lease_expires_at']),
    ),
    backfill({
      title: 'cancel pending and running jobs',
      over: { table: 'jobs', key: 'id' },
      writes: ['jobs'],
      statements: (sql) => [
        `UPDATE ${sql.id('jobs')} SET ${sql.id('status')} = 5, ${sql.id('last_update_time')} = ${sql.now()}
WHERE ${sql.range('id')} AND ${unfinished(sql)}`,
      ],
    }),
  ],
});
