import type { Revision } from '../src/schema/operations.js';
import { initial } from './000_initial.js';
import r001 from './001_451aebb31d03_add_metric_step.js';
import r002 from './002_90e64c465722_migrate_user_column_to_tags.js';
import r003 from './003_181f10493468_allow_nulls_for_metric_values.js';
import r004 from './004_df50e92ffc5e_add_experiment_tags_table.js';
import r005 from './005_7ac759974ad8_update_run_tags_with_larger_limit.js';
import r006 from './006_89d4b8295536_create_latest_metrics_table.js';
import r007 from './007_2b4d017a5e9b_add_model_registry_tables_to_db.js';
import r008 from './008_cfd24bdc0731_update_run_status_constraint_with_killed.js';
import r009 from './009_0a8213491aaa_drop_duplicate_killed_constraint.js';
import r010 from './010_728d730b5ebd_add_registered_model_tags_table.js';
import r011 from './011_27a6a02d2cf1_add_model_version_tags_table.js';
import r012 from './012_84291f40a231_add_run_link_to_model_version.js';
import r013 from './013_a8c4a736bde6_allow_nulls_for_run_id.js';
import r014 from './014_39d1c3be5f05_add_is_nan_constraint_for_metrics_tables_if_necessary.js';
import r015 from './015_c48cb773bb87_reset_default_value_for_is_nan_in_metrics_table_for_mysql.js';
import r016 from './016_bd07f7e963c5_create_index_on_run_uuid.js';
import r017 from './017_0c779009ac13_add_deleted_time_field_to_runs_table.js';
import r018 from './018_cc1f77228345_change_param_value_length_to_500.js';
import r019 from './019_97727af70f4d_creation_time_last_update_time_experiments.js';
import r020 from './020_3500859a5d39_add_model_aliases_table.js';
import r021 from './021_7f2a7d5fae7d_add_datasets_inputs_input_tags_tables.js';
import r022 from './022_2d6e25af4d3e_increase_max_param_val_length.js';
import r023 from './023_acf3f17fdcc7_add_storage_location_field_to_model.js';
import r024 from './024_867495a8f9d4_add_trace_tables.js';
import r025 from './025_5b0e9adcef9c_add_cascade_deletion_to_trace_tables_fk.js';
import r026 from './026_4465047574b1_increase_max_dataset_schema_size.js';
import r027 from './027_f5a4f2784254_increase_run_tag_value_limit.js';
import r028 from './028_0584bdc529eb_add_cascading_deletion_to_datasets_from_experiments.js';
import r029 from './029_400f98739977_add_logged_model_tables.js';
import r030 from './030_6953534de441_add_step_to_inputs_table.js';
import r031 from './031_bda7b8c39065_increase_model_version_tag_value_limit.js';
import r032 from './032_cbc13b556ace_add_v3_trace_schema_columns.js';
import r033 from './033_770bee3ae1dd_add_assessments_table.js';
import r034 from './034_a1b2c3d4e5f6_add_spans_table.js';
import r035 from './035_de4033877273_create_entity_associations.js';
import r036 from './036_1a0cddfcaa16_add_webhooks_and_webhook_events_tables.js';
import r037 from './037_534353b11cbc_add_scorer_table.js';
import r038 from './038_71994744cf8e_add_evaluation_datasets.js';
import r039 from './039_3da73c924c2f_add_outputs_to_dataset_record.js';
import r040 from './040_bf29a5ff90ea_add_jobs_table.js';
import r041 from './041_1bd49d398cd23_add_secrets_tables.js';
import r042 from './042_b7c8d9e0f1a2_add_trace_metrics_table.js';
import r043 from './043_5d2d30f0abce_update_job_table.js';
import r044 from './044_c9d4e5f6a7b8_add_routing_strategy_to_endpoints.js';
import r045 from './045_2c33131f4dae_add_online_scoring_configs_table.js';
import r046 from './046_d3e4f5a6b7c8_add_display_name_to_endpoint_bindings.js';
import r047 from './047_d0e1f2a3b4c5_add_experiment_id_to_endpoints.js';
import r048 from './048_c8d9e0f1a2b3_add_span_metrics_and_dimension_attributes.js';
import r049 from './049_1b5f0d9ad7c1_add_workspace_columns_and_catalog.js';
import r050 from './050_e1f2a3b4c5d6_add_budget_policies_table.js';
import r051 from './051_76601a5f987d_add_issues_table.js';
import r052 from './052_c3d6457b6d8a_add_status_details_column_to_jobs_table.js';
import r053 from './053_a5b4c3d2e1f0_add_metrics_run_key_step_index.js';
import r054 from './054_ae8bbe7743c9_add_guardrails_tables.js';
import r055 from './055_7d34483879f0_add_model_version_tags_workspace_index.js';
import r056 from './056_da6fb0208061_add_workspaces_trace_archival_location.js';
import r057 from './057_89d3d66ed43f_add_label_schemas_table.js';
import r058 from './058_b7e4c1a90f23_add_review_queue_tables.js';
import r059 from './059_a8b9c0d1e2f3_add_mcp_server_registry_tables.js';
import r060 from './060_c1d2e3f4a5b6_add_span_experiment_start_time_index.js';
import r061 from './061_c3d9e7f1a2b4_add_target_value_to_budget_policies.js';
import r062 from './062_6f8d9c3b2a1e_add_experiment_fk_cascades.js';
import r063 from './063_1971f2d9a75b_add_trace_archival_candidate_index.js';
import r064 from './064_17e22815139b_increase_experiment_tag_value_limit.js';
import r065 from './065_b7e2c1a4d9f3_add_jobs_creator.js';
import r066 from './066_75868b020152_add_sql_trace_analytics_schema.js';
import r067 from './067_dc11669786a5_add_job_executor_persistence_model.js';
import r068 from './068_e7d1f4b2a9c6_add_skill_registry_tables.js';
import r069 from './069_8b6ad64cb8f5_extend_issue_contract.js';
import r070 from './070_f4a9b2c7d1e6_make_mcp_versions_case_sensitive.js';

export { initial };

/** MLflow's revisions in their order, up to the head of MLflow 3.18.0. The only place that knows the order. */
export const revisions: readonly Revision[] = [
  r001,
  r002,
  r003,
  r004,
  r005,
  r006,
  r007,
  r008,
  r009,
  r010,
  r011,
  r012,
  r013,
  r014,
  r015,
  r016,
  r017,
  r018,
  r019,
  r020,
  r021,
  r022,
  r023,
  r024,
  r025,
  r026,
  r027,
  r028,
  r029,
  r030,
  r031,
  r032,
  r033,
  r034,
  r035,
  r036,
  r037,
  r038,
  r039,
  r040,
  r041,
  r042,
  r043,
  r044,
  r045,
  r046,
  r047,
  r048,
  r049,
  r050,
  r051,
  r052,
  r053,
  r054,
  r055,
  r056,
  r057,
  r058,
  r059,
  r060,
  r061,
  r062,
  r063,
  r064,
  r065,
  r066,
  r067,
  r068,
  r069,
  r070,
];
