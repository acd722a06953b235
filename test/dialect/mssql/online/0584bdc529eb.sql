ALTER TABLE datasets DROP CONSTRAINT [FK__datasets__experiment_id];

GO

ALTER TABLE datasets ADD CONSTRAINT fk_datasets_experiment_id_experiments FOREIGN KEY(experiment_id) REFERENCES experiments (experiment_id) ON DELETE CASCADE;

GO
