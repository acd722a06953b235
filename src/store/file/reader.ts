/**
 * Reading a file store from end to end, for who moves or cleans it: every record there is, in the words of the contract, and
 * what is wrong with path, line and reason. What a record's folder holds beside it is read from that folder:
 *
 *     for (const experiment of experimentsIn(disk, root, report)) {
 *       const tags = readExperimentTags(disk, experiment.folder, report);
 *       for (const run of runsIn(disk, experiment.folder, report)) {
 *         const params = readValues(disk, join(run.folder, PARAMS), report);
 *         for (const key of filesBelow(join(run.folder, METRICS))) {
 *           const points = readHistory(join(run.folder, METRICS, key), report);
 *         }
 *         const { dataset_inputs, model_inputs } = readInputs(disk, run.folder, report);
 *       }
 *       for (const trace of tracesIn(disk, experiment.folder, report)) traceInfo(disk, trace, report);
 *     }
 *
 * `report` collects Damage, or is `strictly`, which throws the first. Damage that is `slight` MLflow passes over; one that is
 * `passing` may be a file that somebody is writing at this moment. Nothing is written, and nothing is remembered.
 */
export { Damage, type Fault, faultText, orReport, type Report, strictly } from './damage.js';
export { disk, type Files, filesBelow, isFresh } from './files.js';
export {
  ARTIFACTS,
  isExperimentFolder,
  META,
  METRICS,
  MODELS,
  PARAMS,
  TAGS,
  TRACE_INFO,
  TRACES,
  TRASH,
} from './layout.js';
export type { Point } from './metric-lines.js';
export { isTrashed, readExperimentTags, type StoredExperiment } from './read-experiment.js';
export { readModel, type StoredModel } from './read-model.js';
export { registeredModelsIn, type StoredRegisteredModel, type StoredVersion, versionsIn } from './read-registry.js';
export { readInputs, readOutputs, readRun, type StoredInputs, type StoredRun } from './read-run.js';
export { readTrace, type StoredTrace, traceInfo } from './read-trace.js';
export {
  type KeyedPoint,
  readHistory,
  readModelHistory,
  readModelMetrics,
  readModelSeries,
  readRunMetrics,
  readRunSeries,
  readValues,
} from './read-values.js';
export { latestOf } from './series.js';
export { datasetsIn, experimentFolders, experimentsIn, modelsIn, runFolders, runsIn, tracesIn } from './walk.js';
export type { Yaml, YamlMap } from './yaml/resolve.js';
