/**
 * The lines of metric files. MLflow appends one for each point:
 *
 *     of a run            TIME VALUE                           before steps were known (0.x)
 *                         TIME VALUE STEP
 *                         TIME VALUE STEP DATASET DIGEST       since 3.0
 *     of a logged model   TIME VALUE STEP RUN [DATASET DIGEST]
 *
 * A blank in a dataset's name makes a line of more parts, which MLflow writes and cannot read again: it is read here.
 */
import { parseFloating, parseInteger, reprFloat } from '../search/index.js';
import { Unreadable } from './damage.js';
import { exact } from './yaml/resolve.js';

/** A point as its line has it. Integers that a number does not hold exactly are bigints. */
export interface Point {
  readonly timestamp: number | bigint;
  /** May be NaN or infinite. */
  readonly value: number;
  readonly step: number | bigint;
  /** The step that MLflow's file store tells: it writes that of a point measured on a dataset, and reads it as 0. */
  readonly shownStep: number | bigint;
  readonly dataset_name?: string;
  readonly dataset_digest?: string;
  /** Of a logged model: the run that measured it. */
  readonly run_id?: string;
}

/** @throws {Unreadable} */
export function parseRunLine(line: string): Point {
  const parts = line.trim().split(' ');
  const [time = '', value = '', step] = parts;
  if (parts.length < 2 || parts.length === 4) throw malformed(parts, '2, 3, or 5');
  const point = measured(time, value, step ?? '0');
  return { ...point, shownStep: parts.length === 5 ? 0 : point.step, ...datasetIn(parts, 3) };
}

/** @throws {Unreadable} */
export function parseModelLine(line: string): Point {
  const parts = line.trim().split(' ');
  const [time = '', value = '', step = '', run_id = ''] = parts;
  if (parts.length < 4 || parts.length === 5) throw malformed(parts, '4 or 6');
  const point = measured(time, value, step);
  return { ...point, shownStep: point.step, run_id, ...datasetIn(parts, 4) };
}

function datasetIn(parts: readonly string[], from: number): Pick<Point, 'dataset_name' | 'dataset_digest'> {
  if (parts.length <= from) return {};
  return { dataset_name: parts.slice(from, -1).join(' '), dataset_digest: parts.at(-1) ?? '' };
}

const malformed = (parts: readonly string[], expected: string) =>
  parts.join('') === ''
    ? new Unreadable('is blank, where a point of a metric should be')
    : new Unreadable(`holds ${parts.length} fields, where a point of a metric has ${expected}`);

const SMALL_INTEGER = /^-?\d{1,15}$/;
const DECIMAL = /^-?\d+(?:\.\d+)?(?:e[-+]?\d+)?$/;

function measured(time: string, value: string, step: string): Pick<Point, 'timestamp' | 'value' | 'step'> {
  return { timestamp: integer(time, 'time'), value: floating(value), step: integer(step, 'step') };
}

function integer(text: string, what: string): number | bigint {
  if (SMALL_INTEGER.test(text)) return Number(text);
  const read = parseInteger(text);
  if (read === undefined) throw new Unreadable(`holds "${text}" where the ${what} of a point should be`);
  return exact(read);
}

function floating(text: string): number {
  if (DECIMAL.test(text)) return Number(text);
  const read = parseFloating(text);
  if (read === undefined) throw new Unreadable(`holds "${text}" where the value of a point should be`);
  return read;
}

/** A point to be written. */
export interface NewPoint extends Pick<Point, 'timestamp' | 'value' | 'step'> {
  readonly dataset_name?: string | undefined;
  readonly dataset_digest?: string | undefined;
}

/** What MLflow would write: values as Python spells them. */
export function formatRunLine(point: NewPoint): string {
  const { timestamp, value, step } = point;
  return `${timestamp} ${reprFloat(value)} ${step}${datasetOf(point)}\n`;
}

export function formatModelLine(point: NewPoint, runId: string): string {
  const { timestamp, value, step } = point;
  return `${timestamp} ${reprFloat(value)} ${step} ${runId}${datasetOf(point)}\n`;
}

const datasetOf = ({ dataset_name: name, dataset_digest: digest }: NewPoint): string =>
  name !== undefined && digest !== undefined ? ` ${name} ${digest}` : '';

/** Whether a point is later than another, as MLflow sorts them: NaN is behind nothing, and in front of nothing. */
export function isLater(point: Point, other: Point): boolean {
  if (point.shownStep !== other.shownStep) return point.shownStep > other.shownStep;
  if (point.timestamp !== other.timestamp) return point.timestamp > other.timestamp;
  return point.value > other.value;
}
