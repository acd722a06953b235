/**
 * What a file store is written with, for who moves records into one: the form of each file, and changes that nobody sees half
 * of. What is written is read back by reader.ts.
 */
export { Changes, codeOf, makeFolder, moveNew } from './changes.js';
export { isName } from './ids.js';
export { ARTIFACTS, ASSESSMENTS, DATASETS, INPUTS, NO_RUNS, OUTPUTS, TRACE_METADATA } from './layout.js';
export { formatModelLine, formatRunLine } from './metric-lines.js';
export { readAssessment } from './read-assessment.js';
export { readExperiment } from './read-experiment.js';
export { readRegisteredModel } from './read-registry.js';
export { statusNumber } from './read-run.js';
export { readTrace } from './read-trace.js';
export { linkId } from './runs-links.js';
export { formatTimestamp } from './timestamp.js';
export { writtenAssessment } from './write-assessment.js';
export { type Writable, writeYaml } from './yaml/write.js';
