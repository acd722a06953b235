CREATE TABLE scheduler_leases (
    lease_key VARCHAR(255) NOT NULL, 
    acquired_at BIGINT NOT NULL, 
    ttl_seconds INTEGER NOT NULL, 
    CONSTRAINT scheduler_leases_pk PRIMARY KEY (lease_key)
);

GO

CREATE TABLE job_locks (
    lock_key VARCHAR(255) NOT NULL, 
    job_id VARCHAR(36) NOT NULL, 
    acquired_at BIGINT NOT NULL, 
    CONSTRAINT job_locks_pk PRIMARY KEY (lock_key), 
    CONSTRAINT fk_job_locks_job_id FOREIGN KEY(job_id) REFERENCES jobs (id) ON DELETE CASCADE
);

GO

CREATE INDEX index_job_locks_job_id ON job_locks (job_id);

GO

ALTER TABLE jobs ADD executor_backend VARCHAR(255) NULL;

GO

ALTER TABLE jobs ADD lease_expires_at BIGINT NULL;

GO

ALTER TABLE jobs ADD status_message VARCHAR(max) NULL;

GO

ALTER TABLE jobs ADD progress NVARCHAR(max) NULL;

GO

ALTER TABLE jobs ADD progress_updated_at BIGINT NULL;

GO

ALTER TABLE jobs ADD token_hash VARCHAR(64) NULL;

GO

ALTER TABLE jobs ADD scoped_permissions NVARCHAR(max) NULL;

GO

ALTER TABLE jobs ADD next_attempt_at BIGINT NULL;

GO

CREATE INDEX index_jobs_status_lease_expires_at ON jobs (status, lease_expires_at);

GO
