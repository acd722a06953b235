ALTER TABLE mcp_server_version_tags DROP CONSTRAINT mcp_server_version_tags_version_fkey;

GO

DROP INDEX ix_mcp_access_endpoints_version ON mcp_access_endpoints;

GO

ALTER TABLE mcp_server_version_tags DROP CONSTRAINT mcp_server_version_tags_pk;

GO

ALTER TABLE mcp_server_versions DROP CONSTRAINT mcp_server_versions_pk;

GO

ALTER TABLE mcp_server_versions ALTER COLUMN version VARCHAR(128) COLLATE SQL_Latin1_General_CP1_CS_AS NOT NULL;

GO

ALTER TABLE mcp_server_version_tags ALTER COLUMN version VARCHAR(128) COLLATE SQL_Latin1_General_CP1_CS_AS NOT NULL;

GO

ALTER TABLE mcp_server_aliases ALTER COLUMN version VARCHAR(128) COLLATE SQL_Latin1_General_CP1_CS_AS NOT NULL;

GO

ALTER TABLE mcp_access_endpoints ALTER COLUMN server_version VARCHAR(128) COLLATE SQL_Latin1_General_CP1_CS_AS NULL;

GO

ALTER TABLE mcp_server_versions ADD CONSTRAINT mcp_server_versions_pk PRIMARY KEY (workspace, name, version);

GO

ALTER TABLE mcp_server_version_tags ADD CONSTRAINT mcp_server_version_tags_pk PRIMARY KEY (workspace, name, version, [key]);

GO

ALTER TABLE mcp_server_version_tags ADD CONSTRAINT mcp_server_version_tags_version_fkey FOREIGN KEY(workspace, name, version) REFERENCES mcp_server_versions (workspace, name, version) ON DELETE CASCADE ON UPDATE CASCADE;

GO

CREATE INDEX ix_mcp_access_endpoints_version ON mcp_access_endpoints (workspace, server_name, server_version);

GO
