import {
  bigint,
  createTable,
  foreignKey,
  index,
  optional,
  primaryKey,
  required,
  revision,
  varchar,
} from '../src/schema/operations.js';

export default revision('1a0cddfcaa16', {
  parent: 'de4033877273',
  title: 'webhooks, webhook_events: new tables',
  operations: [
    createTable(
      'webhooks',
      required('webhook_id', varchar(256)),
      required('name', varchar(256)),
      optional('description', varchar(1000)),
      required('url', varchar(500)),
      required('status', varchar(20), { default: 'ACTIVE' }),
      optional('secret', varchar(1000)),
      optional('creation_timestamp', bigint()),
      optional('last_updated_timestamp', bigint()),
      optional('deleted_timestamp', bigint()),
      primaryKey('webhook_pk', 'webhook_id'),
      index('idx_webhooks_status', ['status']),
      index('idx_webhooks_name', ['name']),
    ),
    createTable(
      'webhook_events',
      required('webhook_id', varchar(256)),
      required('entity', varchar(50)),
      required('action', varchar(50)),
      primaryKey('webhook_event_pk', 'webhook_id', 'entity', 'action'),
      foreignKey(null, { columns: ['webhook_id'], table: 'webhooks', onDelete: 'cascade' }),
      index('idx_webhook_events_entity', ['entity']),
      index('idx_webhook_events_action', ['action']),
      index('idx_webhook_events_entity_action', ['entity', 'action']),
    ),
  ],
});
