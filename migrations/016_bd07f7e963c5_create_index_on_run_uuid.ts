import { addIndex, alterTable, revision } from '../src/schema/operations.js';

export default revision('bd07f7e963c5', {
  parent: 'c48cb773bb87',
  title: 'params, metrics, latest_metrics, tags: index on run_uuid',
  operations: [
    alterTable('params', addIndex('index_params_run_uuid', ['run_uuid'])),
    alterTable('metrics', addIndex('index_metrics_run_uuid', ['run_uuid'])),
    alterTable('latest_metrics', addIndex('index_latest_metrics_run_uuid', ['run_uuid'])),
    alterTable('tags', addIndex('index_tags_run_uuid', ['run_uuid'])),
  ],
});
