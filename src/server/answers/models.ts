/** Logged models, registered models and their versions, as MLflow's answers have them. */
import {
  LOGGED_MODEL_STATUSES,
  type LoggedModel,
  type ModelVersion,
  type RegisteredModel,
} from '../../store/records.js';
import { choiceOf, int64, list, mapped, object, optional, record, text } from '../wire/write.js';
import { keyValue, metric } from './tracking.js';

export const loggedModel = record<LoggedModel>('LoggedModel', {
  info: record<LoggedModel['info']>('LoggedModelInfo', {
    model_id: text,
    experiment_id: text,
    name: text,
    creation_timestamp_ms: int64,
    last_updated_timestamp_ms: int64,
    artifact_uri: text,
    status: choiceOf(LOGGED_MODEL_STATUSES),
    model_type: optional(text),
    source_run_id: optional(text),
    status_message: optional(text),
    tags: list(keyValue),
  }),
  data: record<LoggedModel['data']>('LoggedModelData', { params: list(keyValue), metrics: list(metric) }),
});

/** MLflow does not send what it knows of the model behind a version: its id, params and metrics. */
export const modelVersion = mapped<ModelVersion, ModelVersion>(
  record<ModelVersion>('ModelVersion', {
    name: text,
    version: text,
    creation_timestamp: optional(int64),
    last_updated_timestamp: optional(int64),
    user_id: optional(text),
    current_stage: optional(text),
    description: optional(text),
    source: optional(text),
    run_id: optional(text),
    status: choiceOf(['PENDING_REGISTRATION', 'FAILED_REGISTRATION', 'READY']),
    status_message: optional(text),
    tags: list(keyValue),
    run_link: optional(text),
    aliases: list(text),
  }),
  (version) => ({ ...version, status_message: version.status_message || undefined }),
);

export const registeredModel = mapped<RegisteredModel, RegisteredModel>(
  record<RegisteredModel>('RegisteredModel', {
    name: text,
    creation_timestamp: optional(int64),
    last_updated_timestamp: optional(int64),
    description: optional(text),
    latest_versions: list(modelVersion),
    tags: list(keyValue),
    aliases: list(
      object<RegisteredModel['aliases'][number]>({
        alias: text,
        version: text,
      }),
    ),
  }),
  (model) => ({ ...model, description: model.description || undefined }),
);
