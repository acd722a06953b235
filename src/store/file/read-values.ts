/** What is kept as a file for each key: tags, params, metadata, and the points of metrics. */
import { join } from 'node:path';
import { StoreError } from '../errors.js';
import type { KeyValue } from '../records.js';
import { validateName } from '../validate.js';
import { Damage, orReport, type Report } from './damage.js';
import { decoded, type Files, isFresh, readText } from './files.js';
import { latestPlainLine } from './latest-line.js';
import { type Point, parseModelLine, parseRunLine } from './metric-lines.js';
import { latestByDataset, latestOf, readSeries, type Series } from './series.js';

const asIs = (text: string): string => text;

/** MLflow empties a file before it writes to it: for so many milliseconds an empty one may be between the two. */
const IS_EMPTIED_MS = 50;

/** What was made of a tree in which nothing was wrong: for as long as nothing changes it is the same tree. */
const known = new WeakMap<object, readonly unknown[]>();

/** @param make of what is read under a key, or nothing where it is damaged and reported */
function readTree<Value, Made>(
  files: Files,
  folder: string,
  decode: (text: string) => Value,
  report: Report,
  make: (key: string, value: Value, report: Report) => readonly Made[],
): readonly Made[] {
  const tree = files.tree(folder, decode);
  const before = known.get(tree);
  // A tree is read by one decoder, and one decoder is of one reader.
  if (before !== undefined) return before as readonly Made[];
  const made: Made[] = [];
  let isWhole = true;
  const noting: Report = (damage) => {
    isWhole = false;
    report(damage);
  };
  for (const [key, value] of tree) {
    if (value instanceof Damage) noting(value);
    else if (isKey(key, folder, noting)) made.push(...make(key, value, noting));
  }
  if (isWhole) known.set(tree, made);
  return made;
}

/** Keys and values, sorted by key. A fresh empty value is reported as passing, and is there. */
export function readValues(files: Files, folder: string, report: Report): readonly KeyValue[] {
  return readTree(files, folder, asIs, report, (key, value, noting) => {
    if (value === '') reportEmptied(join(folder, key), noting);
    return [{ key, value }];
  });
}

function reportEmptied(path: string, report: Report, withinMs = IS_EMPTIED_MS): void {
  if (isFresh(path, withinMs)) report(new Damage({ path, reason: 'is empty' }, WRITTEN_NOW));
}

/**
 * The value of one key; undefined where there is none.
 * @param emptiedMs for how long an empty file may be one that is written to at this moment
 */
export function readValue(
  files: Files,
  folder: string,
  key: string,
  report: Report,
  emptiedMs = IS_EMPTIED_MS,
): string | undefined {
  if (!isKeyName(key)) return undefined;
  const path = join(folder, key);
  const value = orReport(report, () => files.read(path, asIs));
  if (value === '') reportEmptied(path, report, emptiedMs);
  return value;
}

const WRITTEN_NOW = { passing: true, slight: true };

/** Whether a text is the path of a key, and leads nowhere else. */
function isKeyName(key: string): boolean {
  try {
    validateName(key, 'name');
    return true;
  } catch (error) {
    if (error instanceof StoreError) return false;
    throw error;
  }
}

/** What MLflow could not have written is no key. */
function isKey(key: string, folder: string, report: Report): boolean {
  try {
    validateName(key, 'name');
    return true;
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    report(new Damage({ path: join(folder, key), reason: `has no name that a key can have: ${error.message}` }));
    return false;
  }
}

/** The points that count of a file, and what was wrong with others. */
interface Latest extends Omit<Series, 'points'> {
  readonly latest: readonly Point[];
}

function latestIn(
  text: string,
  parse: (line: string) => Point,
  choose: (points: readonly Point[]) => readonly Point[],
): Latest {
  const { points, bad, whole } = readSeries(text, parse);
  return { latest: choose(points), bad, whole };
}

function ofRun(text: string): Latest {
  const line = latestPlainLine(text);
  if (line !== undefined) return { latest: [parseRunLine(line)], bad: [], whole: true };
  return latestIn(text, parseRunLine, (points) => [latestOf(points) ?? []].flat());
}

const ofModel = (text: string): Latest => latestIn(text, parseModelLine, latestByDataset);

export interface KeyedPoint {
  readonly key: string;
  readonly point: Point;
}

/** The latest point of each metric of a run, sorted by key. Lines that cannot be read are reported, and do not count. */
export const readRunMetrics = (files: Files, folder: string, report: Report) =>
  readLatest(files, folder, ofRun, report);

/** The latest point of each metric of a logged model on each dataset. */
export const readModelMetrics = (files: Files, folder: string, report: Report) =>
  readLatest(files, folder, ofModel, report);

/** The latest point of one metric of a run; undefined where there is none. */
export function readRunMetric(files: Files, folder: string, key: string, report: Report): Point | undefined {
  if (!isKeyName(key)) return undefined;
  const path = join(folder, key);
  const series = orReport(report, () => files.read(path, ofRun));
  if (series && (series.bad.length > 0 || !series.whole)) reportBad(series, path, report);
  return series?.latest[0];
}

function readLatest(
  files: Files,
  folder: string,
  decode: (text: string) => Latest,
  report: Report,
): readonly KeyedPoint[] {
  return readTree(files, folder, decode, report, (key, series, noting) => {
    if (series.bad.length > 0 || !series.whole) reportBad(series, join(folder, key), noting);
    return series.latest.map((point) => ({ key, point }));
  });
}

function reportBad({ bad, whole }: Omit<Series, 'points'>, path: string, report: Report): void {
  const passing = isFresh(path);
  for (const { message, line } of bad) report(new Damage({ path, line, reason: message }, { passing }));
  if (!whole && passing) report(new Damage({ path, reason: 'ends within a line' }, WRITTEN_NOW));
}

/** All points of a metric of a run, in the order of the file; undefined where there is none. Always read from the disk. */
export const readHistory = (path: string, report: Report) => readRunSeries(path, report)?.points;

/** The same with what was wrong. */
export const readRunSeries = (path: string, report: Report) => readSeriesAt(path, parseRunLine, report);

/** All points of a metric of a logged model. */
export const readModelHistory = (path: string, report: Report) => readModelSeries(path, report)?.points;

/** The same with what was wrong. */
export const readModelSeries = (path: string, report: Report) => readSeriesAt(path, parseModelLine, report);

function readSeriesAt(path: string, parse: (line: string) => Point, report: Report): Series | undefined {
  const text = readText(path);
  if (text === undefined) return undefined;
  const series = decoded(path, text, (all) => readSeries(all, parse));
  if (series.bad.length > 0 || !series.whole) reportBad(series, path, report);
  return series;
}
