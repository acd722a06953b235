CREATE TABLE latest_metrics (
    [key] VARCHAR(250) NOT NULL, 
    value FLOAT(53) NOT NULL, 
    timestamp BIGINT NULL, 
    step BIGINT NOT NULL, 
    is_nan BIT NOT NULL, 
    run_uuid VARCHAR(32) NOT NULL, 
    CONSTRAINT latest_metric_pk PRIMARY KEY ([key], run_uuid), 
    FOREIGN KEY(run_uuid) REFERENCES runs (run_uuid)
);

GO
