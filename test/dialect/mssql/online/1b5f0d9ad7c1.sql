ALTER TABLE experiments DROP CONSTRAINT [UQ__experiments__name];

GO

ALTER TABLE experiments ADD workspace VARCHAR(63) NOT NULL DEFAULT 'default';

GO

ALTER TABLE experiments ADD CONSTRAINT uq_experiments_workspace_name UNIQUE (workspace, name);

GO

ALTER TABLE model_versions DROP CONSTRAINT [FK__model_versions__name];

GO

ALTER TABLE registered_model_tags DROP CONSTRAINT [FK__registered_model_tags__name];

GO

ALTER TABLE registered_model_aliases DROP CONSTRAINT registered_model_alias_name_fkey;

GO

ALTER TABLE model_version_tags DROP CONSTRAINT [FK__model_version_tags__name_version];

GO

ALTER TABLE registered_models DROP CONSTRAINT [UQ__registered_models__name];

GO

ALTER TABLE registered_models ADD workspace VARCHAR(63) NOT NULL DEFAULT 'default';

GO

ALTER TABLE registered_models DROP CONSTRAINT registered_model_pk;

GO

ALTER TABLE registered_models ADD CONSTRAINT registered_model_pk PRIMARY KEY (workspace, name);

GO

ALTER TABLE model_versions ADD workspace VARCHAR(63) NOT NULL DEFAULT 'default';

GO

ALTER TABLE model_versions DROP CONSTRAINT model_version_pk;

GO

ALTER TABLE model_versions ADD CONSTRAINT model_version_pk PRIMARY KEY (workspace, name, version);

GO

ALTER TABLE model_versions ADD CONSTRAINT fk_model_versions_registered_models FOREIGN KEY(workspace, name) REFERENCES registered_models (workspace, name) ON UPDATE CASCADE;

GO

ALTER TABLE registered_model_tags ADD workspace VARCHAR(63) NOT NULL DEFAULT 'default';

GO

ALTER TABLE registered_model_tags DROP CONSTRAINT registered_model_tag_pk;

GO

ALTER TABLE registered_model_tags ADD CONSTRAINT registered_model_tag_pk PRIMARY KEY (workspace, [key], name);

GO

ALTER TABLE registered_model_tags ADD CONSTRAINT fk_registered_model_tags_registered_models FOREIGN KEY(workspace, name) REFERENCES registered_models (workspace, name) ON UPDATE CASCADE;

GO

ALTER TABLE model_version_tags ADD workspace VARCHAR(63) NOT NULL DEFAULT 'default';

GO

ALTER TABLE model_version_tags DROP CONSTRAINT model_version_tag_pk;

GO

ALTER TABLE model_version_tags ADD CONSTRAINT model_version_tag_pk PRIMARY KEY (workspace, [key], name, version);

GO

ALTER TABLE model_version_tags ADD CONSTRAINT fk_model_version_tags_model_versions FOREIGN KEY(workspace, name, version) REFERENCES model_versions (workspace, name, version) ON UPDATE CASCADE;

GO

ALTER TABLE registered_model_aliases ADD workspace VARCHAR(63) NOT NULL DEFAULT 'default';

GO

ALTER TABLE registered_model_aliases DROP CONSTRAINT registered_model_alias_pk;

GO

ALTER TABLE registered_model_aliases ADD CONSTRAINT registered_model_alias_pk PRIMARY KEY (workspace, name, alias);

GO

ALTER TABLE registered_model_aliases ADD CONSTRAINT fk_registered_model_aliases_registered_models FOREIGN KEY(workspace, name) REFERENCES registered_models (workspace, name) ON DELETE CASCADE ON UPDATE CASCADE;

GO

ALTER TABLE evaluation_datasets ADD workspace VARCHAR(63) NOT NULL DEFAULT 'default';

GO

ALTER TABLE webhooks ADD workspace VARCHAR(63) NOT NULL DEFAULT 'default';

GO

DROP INDEX unique_secret_name ON secrets;

GO

ALTER TABLE secrets ADD workspace VARCHAR(63) NOT NULL DEFAULT 'default';

GO

ALTER TABLE secrets ADD CONSTRAINT uq_secrets_workspace_secret_name UNIQUE (workspace, secret_name);

GO

DROP INDEX unique_endpoint_name ON endpoints;

GO

ALTER TABLE endpoints ADD workspace VARCHAR(63) NOT NULL DEFAULT 'default';

GO

ALTER TABLE endpoints ADD CONSTRAINT uq_endpoints_workspace_name UNIQUE (workspace, name);

GO

DROP INDEX unique_model_definition_name ON model_definitions;

GO

ALTER TABLE model_definitions ADD workspace VARCHAR(63) NOT NULL DEFAULT 'default';

GO

ALTER TABLE model_definitions ADD CONSTRAINT uq_model_definitions_workspace_name UNIQUE (workspace, name);

GO

DROP INDEX index_jobs_name_status_creation_time ON jobs;

GO

ALTER TABLE jobs ADD workspace VARCHAR(63) NOT NULL DEFAULT 'default';

GO

CREATE INDEX index_jobs_name_status_creation_time ON jobs (job_name, workspace, status, creation_time);

GO

CREATE INDEX idx_experiments_workspace ON experiments (workspace);

GO

CREATE INDEX idx_registered_models_workspace ON registered_models (workspace);

GO

CREATE INDEX idx_experiments_workspace_creation_time ON experiments (workspace, creation_time);

GO

CREATE INDEX idx_evaluation_datasets_workspace ON evaluation_datasets (workspace);

GO

CREATE INDEX idx_webhooks_workspace ON webhooks (workspace);

GO

CREATE INDEX idx_secrets_workspace ON secrets (workspace);

GO

CREATE INDEX idx_endpoints_workspace ON endpoints (workspace);

GO

CREATE INDEX idx_model_definitions_workspace ON model_definitions (workspace);

GO

CREATE TABLE workspaces (
    name VARCHAR(63) NOT NULL, 
    description VARCHAR(max) NULL, 
    default_artifact_root VARCHAR(max) NULL, 
    CONSTRAINT workspaces_pk PRIMARY KEY (name)
);

GO

INSERT INTO workspaces (name, description) VALUES ('default', 'Default workspace for legacy resources');

GO
