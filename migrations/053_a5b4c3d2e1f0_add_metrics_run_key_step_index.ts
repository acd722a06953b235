import { addIndex, alterTable, revision } from '../src/schema/operations.js';

export default revision('a5b4c3d2e1f0', {
  parent: 'c3d6457b6d8a',
  title: 'metrics: index on run, key and step',
  operations: [alterTable('metrics', addIndex('index_metrics_run_uuid_key_step', ['run_uuid', 'key', 'step']))],
});
