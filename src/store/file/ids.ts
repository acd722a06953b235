/** Ids, which are names of folders: what leads elsewhere is refused, in MLflow's words where it has some. */
import { randomBytes, randomInt } from 'node:crypto';
import { invalidParameter } from '../errors.js';
import { invalidValue } from '../validate.js';

/** A line break at the end passes, as Python's `$` stands before it. */
const EXPERIMENT_ID = /^[a-zA-Z0-9][\p{L}\p{N}_-]{0,63}\n?$/u;

export function validateExperimentId(id: string): void {
  if (!EXPERIMENT_ID.test(id)) throw invalidParameter(`Invalid experiment ID: '${id}'`);
}

/** Whether a text is the name of something in a folder, and of nothing elsewhere. */
export const isName = (text: string): boolean =>
  text !== '' && text !== '.' && text !== '..' && !/[/\\\0]/.test(text) && !/[ .]$/.test(text);

/** As MLflow 3.18 has it; earlier ones write and delete wherever the id leads to. */
export function validatePathName(id: string, parameter: string): void {
  if (!isName(id)) throw invalidParameter(invalidValue(parameter, id, 'must be a single path component'));
}

/** 18 digits, of which the first is no zero. */
export const newExperimentId = (): string =>
  `${randomInt(1, 10)}${String(randomInt(10 ** 9)).padStart(9, '0')}${String(randomInt(10 ** 8)).padStart(8, '0')}`;

export const newId = (): string => randomBytes(16).toString('hex');
