import {
  addForeignKey,
  alterColumn,
  alterTable,
  dropForeignKey,
  requireThat,
  revision,
  varchar,
  where,
} from '../src/schema/operations.js';

const exactVersion = varchar(128, { caseSensitive: true });

/** Versions that are referred to in another case than they are written in, which would lose their reference. */
const referencesExactly = (table: string, nameColumn: string, versionColumn: string) =>
  where(
    'foldsCase',
    requireThat({
      title: `${table}.${versionColumn} is written as the version it refers to`,
      reads: [table, 'mcp_server_versions'],
      offending: ({ id, exactly }) =>
        `SELECT r.${id('workspace')} AS a, r.${id(nameColumn)} AS b, r.${id(versionColumn)} AS c, v.${id('version')} AS d
FROM ${id(table)} r JOIN ${id('mcp_server_versions')} v
  ON v.${id('workspace')} = r.${id('workspace')} AND v.${id('name')} = r.${id(nameColumn)} AND v.${id('version')} = r.${id(versionColumn)}
WHERE ${exactly(`r.${id(versionColumn)}`)} <> ${exactly(`v.${id('version')}`)}`,
      explain: ({ a, b, c, d }) =>
        `${table}.${versionColumn} says ${JSON.stringify(c)} for MCP server ${JSON.stringify(b)} in workspace ${JSON.stringify(a)}, but the version is called ${JSON.stringify(d)}`,
      fix: `write the version in ${table}.${versionColumn} exactly as in mcp_server_versions.version`,
    }),
  );

export default revision('f4a9b2c7d1e6', {
  parent: '8b6ad64cb8f5',
  title: 'MCP versions that differ in case only are different versions',
  operations: [
    referencesExactly('mcp_server_version_tags', 'name', 'version'),
    referencesExactly('mcp_server_aliases', 'name', 'version'),
    referencesExactly('mcp_access_endpoints', 'server_name', 'server_version'),
    where(
      'foldsCase',
      alterTable('mcp_server_version_tags', dropForeignKey(['workspace', 'name', 'version'], 'mcp_server_versions')),
    ),
    alterTable('mcp_server_versions', alterColumn('version', { type: exactVersion })),
    alterTable('mcp_server_version_tags', alterColumn('version', { type: exactVersion })),
    alterTable('mcp_server_aliases', alterColumn('version', { type: exactVersion })),
    alterTable('mcp_access_endpoints', alterColumn('server_version', { type: exactVersion })),
    where(
      'foldsCase',
      alterTable(
        'mcp_server_version_tags',
        addForeignKey('mcp_server_version_tags_version_fkey', {
          columns: ['workspace', 'name', 'version'],
          table: 'mcp_server_versions',
          onDelete: 'cascade',
          onUpdate: 'cascade',
        }),
      ),
    ),
  ],
});
