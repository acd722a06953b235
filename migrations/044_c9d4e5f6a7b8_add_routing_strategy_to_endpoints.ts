import {
  addColumn,
  addIndex,
  alterTable,
  dropIndex,
  integer,
  optional,
  required,
  revision,
  text,
  varchar,
} from '../src/schema/operations.js';

export default revision('c9d4e5f6a7b8', {
  parent: '5d2d30f0abce',
  title: 'endpoints: routing strategy and fallbacks',
  operations: [
    alterTable(
      'endpoints',
      addColumn(optional('routing_strategy', varchar(64))),
      addColumn(optional('fallback_config_json', text())),
    ),
    alterTable(
      'endpoint_model_mappings',
      addColumn(required('linkage_type', varchar(64), { default: 'PRIMARY' })),
      addColumn(optional('fallback_order', integer())),
      dropIndex('unique_endpoint_model_mapping'),
      addIndex('unique_endpoint_model_linkage_mapping', ['endpoint_id', 'model_definition_id', 'linkage_type'], {
        unique: true,
      }),
    ),
  ],
});
