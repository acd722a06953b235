ALTER TABLE trace_info ADD trace_name VARCHAR(4096) NULL;

GO

ALTER TABLE trace_info ADD session_id VARCHAR(250) NULL;

GO

ALTER TABLE trace_info ADD input_tokens BIGINT NULL;

GO

ALTER TABLE trace_info ADD output_tokens BIGINT NULL;

GO

ALTER TABLE trace_info ADD total_tokens BIGINT NULL;

GO

ALTER TABLE trace_info ADD cache_read_input_tokens BIGINT NULL;

GO

ALTER TABLE trace_info ADD cache_creation_input_tokens BIGINT NULL;

GO

ALTER TABLE trace_info ADD cache_creation_input_tokens_above_1hr BIGINT NULL;

GO

ALTER TABLE trace_info ADD input_cost FLOAT(53) NULL;

GO

ALTER TABLE trace_info ADD output_cost FLOAT(53) NULL;

GO

ALTER TABLE trace_info ADD total_cost FLOAT(53) NULL;

GO

ALTER TABLE assessments ADD experiment_id INTEGER NULL;

GO

ALTER TABLE assessments ADD trace_timestamp_ms BIGINT NULL;

GO

ALTER TABLE assessments ADD aggregate_value FLOAT(53) NULL;

GO

ALTER TABLE assessments ADD is_numeric_value BIT NULL DEFAULT 0;

GO

ALTER TABLE spans ADD input_cost FLOAT(53) NULL;

GO

ALTER TABLE spans ADD output_cost FLOAT(53) NULL;

GO

ALTER TABLE spans ADD total_cost FLOAT(53) NULL;

GO

ALTER TABLE spans ADD model_name VARCHAR(500) NULL;

GO

ALTER TABLE spans ADD model_provider VARCHAR(500) NULL;

GO

ALTER TABLE assessments ALTER COLUMN is_numeric_value BIT NOT NULL;

GO

CREATE TABLE sql_trace_metric_daily_rollups (
    id BIGINT NOT NULL IDENTITY, 
    experiment_id INTEGER NOT NULL, 
    rollup_day DATE NOT NULL, 
    metric_name VARCHAR(250) NOT NULL, 
    grouping_set VARCHAR(50) NOT NULL, 
    trace_status VARCHAR(50) NULL, 
    sample_count BIGINT NOT NULL, 
    sum_value FLOAT(53) NULL, 
    min_value FLOAT(53) NULL, 
    max_value FLOAT(53) NULL, 
    p50_value FLOAT(53) NULL, 
    p90_value FLOAT(53) NULL, 
    p99_value FLOAT(53) NULL, 
    CONSTRAINT sql_trace_metric_daily_rollups_pk PRIMARY KEY (id)
);

GO

CREATE TABLE sql_span_cost_daily_rollups (
    id BIGINT NOT NULL IDENTITY, 
    experiment_id INTEGER NOT NULL, 
    rollup_day DATE NOT NULL, 
    metric_name VARCHAR(250) NOT NULL, 
    grouping_set VARCHAR(50) NOT NULL, 
    model_name VARCHAR(500) NULL, 
    model_provider VARCHAR(500) NULL, 
    sample_count BIGINT NOT NULL, 
    sum_value FLOAT(53) NULL, 
    min_value FLOAT(53) NULL, 
    max_value FLOAT(53) NULL, 
    CONSTRAINT sql_span_cost_daily_rollups_pk PRIMARY KEY (id)
);

GO

CREATE TABLE sql_assessment_daily_rollups (
    id BIGINT NOT NULL IDENTITY, 
    experiment_id INTEGER NOT NULL, 
    rollup_day DATE NOT NULL, 
    metric_name VARCHAR(250) NOT NULL, 
    grouping_set VARCHAR(50) NOT NULL, 
    sample_count BIGINT NOT NULL, 
    sum_value FLOAT(53) NULL, 
    min_value FLOAT(53) NULL, 
    max_value FLOAT(53) NULL, 
    CONSTRAINT sql_assessment_daily_rollups_pk PRIMARY KEY (id)
);

GO

CREATE TABLE sql_trace_rollup_rebuild_queue (
    experiment_id INTEGER NOT NULL, 
    rollup_day DATE NOT NULL, 
    rollup_family VARCHAR(50) NOT NULL, 
    CONSTRAINT sql_trace_rollup_rebuild_queue_pk PRIMARY KEY (experiment_id, rollup_day, rollup_family)
);

GO

ALTER TABLE spans DROP COLUMN dimension_attributes;

GO

CREATE INDEX index_trace_info_experiment_id_session_id ON trace_info (experiment_id, session_id);

GO

CREATE INDEX idx_trace_rollups_lookup ON sql_trace_metric_daily_rollups (experiment_id, rollup_day, metric_name, grouping_set, trace_status);

GO

CREATE INDEX idx_span_cost_rollups_lookup ON sql_span_cost_daily_rollups (experiment_id, rollup_day, metric_name, grouping_set, model_name, model_provider);

GO

CREATE INDEX idx_assessment_rollups_lookup ON sql_assessment_daily_rollups (experiment_id, rollup_day, metric_name, grouping_set);

GO

CREATE INDEX idx_spans_cost_trace_time_cover ON spans (trace_id, start_time_unix_nano);

GO

CREATE INDEX idx_spans_cost_exp_time_cover ON spans (experiment_id, start_time_unix_nano);

GO

CREATE INDEX idx_assessments_exp_trace_ts ON assessments (experiment_id, trace_timestamp_ms);

GO

CREATE INDEX idx_assessments_exp_trace_ts_name ON assessments (experiment_id, trace_timestamp_ms, name);

GO

CREATE INDEX idx_assessments_exp_name_valid ON assessments (experiment_id, name, valid);

GO
