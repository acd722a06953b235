/** Messages that are part of several requests. */
import type { KeyValue, ModelInput, ModelOutput } from '../../store/records.js';
import { choice, converted, int64, type Kind, message, optional, text } from '../wire/read.js';

/** A tag or a param: what is missing is an empty text, as it is to protobuf. */
export const keyValue: Kind<KeyValue> = converted(
  message('KeyValueGiven', { key: optional(text), value: optional(text) }),
  ({ key = '', value = '' }) => ({ key, value }),
);

export const modelInput: Kind<ModelInput> = converted(
  message('ModelInputGiven', { model_id: optional(text) }),
  ({ model_id = '' }) => ({ model_id }),
);

export const modelOutput: Kind<ModelOutput> = converted(
  message('ModelOutputGiven', { model_id: optional(text), step: optional(int64) }),
  ({ model_id = '', step = 0 }) => ({ model_id, step }),
);

export const viewType = choice({ ACTIVE_ONLY: 1, DELETED_ONLY: 2, ALL: 3 }, int64.looksRight);
