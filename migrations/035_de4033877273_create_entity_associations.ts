import {
  bigint,
  createTable,
  index,
  optional,
  primaryKey,
  required,
  revision,
  varchar,
} from '../src/schema/operations.js';

export default revision('de4033877273', {
  parent: 'a1b2c3d4e5f6',
  title: 'entity_associations: new table',
  operations: [
    createTable(
      'entity_associations',
      required('association_id', varchar(36)),
      required('source_type', varchar(36)),
      required('source_id', varchar(36)),
      required('destination_type', varchar(36)),
      required('destination_id', varchar(36)),
      optional('created_time', bigint()),
      primaryKey('entity_associations_pk', 'source_type', 'source_id', 'destination_type', 'destination_id'),
      index('index_entity_associations_association_id', ['association_id']),
      index('index_entity_associations_reverse_lookup', [
        'destination_type',
        'destination_id',
        'source_type',
        'source_id',
      ]),
    ),
  ],
});
