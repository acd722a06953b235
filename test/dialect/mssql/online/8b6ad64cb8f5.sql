ALTER TABLE issues ADD last_seen_timestamp BIGINT NULL;

GO

ALTER TABLE issues ADD last_updated_by VARCHAR(255) NULL;

GO

ALTER TABLE issues ADD metadata VARCHAR(max) NULL;

GO

CREATE INDEX index_issues_experiment_last_seen ON issues (experiment_id, last_seen_timestamp);

GO

CREATE INDEX index_issues_experiment_updated ON issues (experiment_id, last_updated_timestamp);

GO

CREATE TABLE issue_categories (
    issue_id VARCHAR(36) NOT NULL, 
    category_hash VARCHAR(64) NOT NULL, 
    category VARCHAR(max) NOT NULL, 
    CONSTRAINT issue_categories_pk PRIMARY KEY (issue_id, category_hash), 
    CONSTRAINT fk_issue_categories_issue_id FOREIGN KEY(issue_id) REFERENCES issues (issue_id) ON DELETE CASCADE
);

GO

CREATE INDEX index_issue_categories_hash ON issue_categories (category_hash);

GO

UPDATE issues SET last_seen_timestamp=issues.created_timestamp;

GO
