import { alterColumn, alterTable, revision, rowsIn, varchar } from '../src/schema/operations.js';

export default revision('2d6e25af4d3e', {
  parent: '7f2a7d5fae7d',
  title: 'params.value: 500 to 8000 characters',
  irreversible: {
    because:
      "MLflow's own downgrade of it does nothing, so that an older MLflow put back on this database reads values longer than it allows; and shrinking the column would cut them",
    always: true,
    counts: [
      rowsIn('params', 'rows in params'),
      {
        label: 'characters in the longest value of params',
        tables: ['params'],
        query: ({ id, characters }) => `SELECT COALESCE(MAX(${characters(id('value'))}), 0) AS n FROM ${id('params')}`,
      },
    ],
  },
  notes: ['The column will take 8000 characters; MLflow itself accepts at most 6000 in a param.'],
  operations: [alterTable('params', alterColumn('value', { type: varchar(8000) }))],
});
