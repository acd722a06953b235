import { addIndex, alterTable, dropIndex, renameColumn, revision } from '../src/schema/operations.js';

export default revision('5d2d30f0abce', {
  parent: 'b7c8d9e0f1a2',
  title: 'jobs.function_fullname is called job_name',
  operations: [
    alterTable(
      'jobs',
      dropIndex('index_jobs_function_status_creation_time'),
      renameColumn('function_fullname', 'job_name'),
      addIndex('index_jobs_name_status_creation_time', ['job_name', 'status', 'creation_time']),
    ),
  ],
});
