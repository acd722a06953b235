import { addIndex, alterTable, dropIndex, revision } from '../src/schema/operations.js';

export default revision('c1d2e3f4a5b6', {
  parent: 'a8b9c0d1e2f3',
  title: 'spans: index on experiment and start time in place of experiment alone',
  operations: [
    alterTable(
      'spans',
      dropIndex('index_spans_experiment_id'),
      addIndex('index_spans_experiment_id_start_time', ['experiment_id', 'start_time_unix_nano']),
    ),
  ],
});
