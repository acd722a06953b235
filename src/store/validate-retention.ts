/** Two tags of experiments say how long traces are kept, and must be JSON that says it. */
import { invalidParameter } from './errors.js';
import { type Json, readJson, stripSpace } from './search/index.js';

const LONGEST = 32;

/** @throws StoreError when the tag is one of the two, and its value is not what it should be */
export function validateTraceRetentionTag(key: string, value: string): void {
  if (key === 'mlflow.trace.archivalRetention') {
    const { type, value: duration } = objectOf(value);
    if (type !== 'duration') throw invalidParameter("Trace archival config must use type 'duration'.");
    validateDuration(duration);
  } else if (key === 'mlflow.trace.archiveNow') {
    const { older_than } = objectOf(value);
    if (older_than !== undefined && older_than !== null) validateDuration(older_than);
  }
}

function objectOf(text: string): { readonly [key: string]: Json } {
  const parsed = readJson(Buffer.from(text, 'utf8'));
  if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return parsed as { [key: string]: Json };
  throw invalidParameter('Trace archival config must be encoded as a JSON object.');
}

function validateDuration(duration: Json | undefined): void {
  const form = "Trace archival retention must be in the form `<int><unit>`, where unit is one of 'm', 'h', or 'd'.";
  if (typeof duration !== 'string') throw invalidParameter(form);
  const text = stripSpace(duration);
  if ([...text].length > LONGEST) throw invalidParameter('Trace archival duration must be at most 32 characters.');
  if (!/^[1-9]\d*[mhd]$/.test(text)) throw invalidParameter(form);
}
