/**
 * What a store can answer of a filter that reads well: which comparators a column has, and values of the type it compares.
 * MLflow does this in its stores, and the two differ in a few things: a database wants upper case for experiments, takes no
 * float for a time, and knows spans and assessments. MLflow's file store finds a wrong comparator only when a record gets as
 * far as that clause; here both find it at once.
 */
import { invalidParameter, type StoreError } from '../errors.js';
import { type Clause, COMPARATORS, type Comparator, type Comparison, type Entity, type Value } from './ast.js';
import { GRAMMARS, LOGGED_MODEL_ALIASES, RUN_ALIASES } from './grammars.js';
import { float, int, reprFloat, reprSet, reprString } from './python.js';
import { checkTraceClause, LINKED_PROMPTS, TRACE_ANALYTICS } from './traces.js';

export type StoreKind = 'database' | 'file';

const ORDERED = ['>', '>=', '!=', '=', '<', '<='];
const EQUAL = ['!=', '='];
const ALIKE = [...EQUAL, 'LIKE', 'ILIKE'];
const NULLS = ['IS NULL', 'IS NOT NULL'];
const LISTED = [...ALIKE, 'IN', 'NOT IN'];
const TRACE_TEXT = [...EQUAL, 'IN', 'NOT IN', 'LIKE', 'ILIKE', 'RLIKE'];
const TRACE_ALIKE = [...ALIKE, 'RLIKE'];
const TRACE_TAG = [...TRACE_ALIKE, ...NULLS];
const ASSESSED = [...EQUAL, '>', '>=', '<', '<=', 'LIKE', 'ILIKE', 'RLIKE', ...NULLS];

/**
 * The comparisons to make.
 * @throws StoreError (INVALID_PARAMETER_VALUE), in MLflow's words where MLflow has some
 */
export function checkFilter(entity: Entity, clauses: readonly Clause[], store: StoreKind = 'database'): Comparison[] {
  const check = (store === 'file' ? FILE[entity] : undefined) ?? CHECKS[entity];
  return clauses.map((clause) => sound(check(clause)));
}

type Check = (clause: Clause) => Clause;

/** MLflow fails where a list meets a comparator that takes none, and where it knows no such comparator. */
function sound({ kind, key, comparator, value }: Clause): Comparison {
  const known = COMPARATORS.find((each) => each === comparator);
  const wants = known === 'IN' || known === 'NOT IN';
  if (known === undefined) throw invalidParameter(`Invalid comparator '${comparator}'`);
  if (wants !== Array.isArray(value)) {
    throw invalidParameter(`Invalid comparator '${comparator}' for ${wants ? 'a single value' : 'a list of values'}`);
  }
  return { kind, key, comparator: known satisfies Comparator, value };
}

function mustBe(comparators: readonly string[], comparator: string, refusal: (set: string) => string): void {
  if (!comparators.includes(comparator)) throw invalidParameter(refusal(reprSet(comparators)));
}

/** MLflow's messages close the quote for some kinds only. */
function oneOf({ comparator }: Clause, comparators: readonly string[], quote: "'" | '', shown = comparators): void {
  mustBe(comparators, comparator, () => `Invalid comparator '${comparator}' not one of '${reprSet(shown)}${quote}`);
}

const upper = (clause: Clause): Clause => ({ ...clause, comparator: clause.comparator.toUpperCase() });
const numeric = (entity: Entity, key: string) => GRAMMARS[entity].numeric.includes(key);

const unknownType = ({ kind }: Clause) => invalidParameter(`Invalid search expression type '${kind}'`);

/** An alias is one whatever the kind: `metrics.created` is the metric start_time. */
function run(written: Clause): Clause {
  const clause = { ...upper(written), key: RUN_ALIASES.get(written.key) ?? written.key };
  switch (clause.kind) {
    case 'metric':
      oneOf(clause, ORDERED, '');
      return clause;
    case 'parameter':
      oneOf(clause, [...ALIKE, ...NULLS], "'");
      return clause;
    case 'tag':
      oneOf(clause, [...ALIKE, ...NULLS], '');
      return clause;
    case 'dataset':
      oneOf(clause, LISTED, '');
      return clause;
    case 'attribute':
      attribute('runs', clause, LISTED);
      return clause;
    default:
      throw unknownType(clause);
  }
}

function attribute(entity: Entity, clause: Clause, textual: readonly string[]): void {
  if (numeric(entity, clause.key)) oneOf(clause, ORDERED, '', textual);
  else oneOf(clause, textual, "'");
}

const refusedValue = (key: string, written: string) =>
  invalidParameter(`Invalid value for numeric attribute '${key}': ${written}`);

/** A whole number, which may be written as a text. */
function whole({ key, value, float: isFloat }: Clause, written: (value: number) => string): number {
  if (typeof value === 'number') {
    if (isFloat) throw refusedValue(key, written(value));
    return value;
  }
  const number = typeof value === 'string' ? int(value) : undefined;
  if (number === undefined) throw refusedValue(key, typeof value === 'string' ? reprString(value) : String(value));
  return Number(number);
}

/** MLflow leaves a quoted number of a trace to its database, and what comes of one that is none hangs on which that is. */
function quotedNumber(key: string, value: Value): Value {
  if (typeof value !== 'string') return value;
  const number = float(value);
  if (number === undefined) throw refusedValue(key, reprString(value));
  return number;
}

const quotedFloat = (value: number) => reprString(reprFloat(value));

function experimentId(text: Value | undefined): number {
  const id = typeof text === 'string' ? int(text) : undefined;
  if (id !== undefined) return Number(id);
  throw invalidParameter(`Invalid experiment ID '${text}'. Experiment ID must be a valid integer.`);
}

function experiment(clause: Clause): Clause {
  const { kind, key, comparator, value } = clause;
  if (kind === 'tag') {
    mustBe([...ALIKE, ...NULLS], comparator, () => `Invalid comparator for tag: ${comparator}`);
    return clause;
  }
  if (key === 'experiment_id') {
    mustBe([...EQUAL, 'IN', 'NOT IN'], comparator, () => `Invalid comparator for experiment_id: ${comparator}`);
    const ids = Array.isArray(value) ? value.map((each: string) => String(experimentId(each))) : undefined;
    return { ...clause, value: ids ?? String(experimentId(value)) };
  }
  attribute('experiments', clause, LISTED);
  if (numeric('experiments', key)) return { ...clause, value: whole(clause, quotedFloat) };
  mustBe(ALIKE, comparator, () => `Invalid comparator for string attribute: ${comparator}`);
  return clause;
}

function trace(written: Clause): Clause {
  const clause = upper(written);
  const { kind, key, comparator, value } = clause;
  switch (kind) {
    case 'issue':
      if (key !== 'id') throw invalidParameter(`Invalid issue attribute '${key}'. Supported attributes: id`);
      mustBe(['='], comparator, (set) => `issue.${key} comparator '${comparator}' not one of '${set}'`);
      return clause;
    case 'attribute':
      attribute('traces', clause, TRACE_TEXT);
      return numeric('traces', key) ? { ...clause, value: quotedNumber(key, value) } : clause;
    case 'tag':
      oneOf(clause, TRACE_TAG, '');
      if (key === LINKED_PROMPTS) prompt(comparator, value);
      return clause;
    case 'request_metadata':
      oneOf(clause, TRACE_TAG, "'");
      if (TRACE_ANALYTICS.includes(key)) {
        mustBe(
          [...EQUAL, ...NULLS],
          comparator,
          () =>
            `Comparator '${comparator}' is not supported for reserved metadata '${key}'. ` +
            "Only '=', '!=', 'IS NULL', and 'IS NOT NULL' are supported.",
        );
      }
      return clause;
    case 'span':
      checkTraceClause(clause, comparator);
      // MLflow looks for an attribute in the text of the span, and fails on a list.
      if (key.startsWith('attributes.'))
        mustBe(TRACE_ALIKE, comparator, () => `Invalid comparator '${comparator}' for span.${key}`);
      return clause;
    case 'feedback':
    case 'expectation':
      if (key === '') throw invalidParameter('Assessment field name cannot be empty');
      mustBe(ASSESSED, comparator, (set) => `assessment.${key} comparator '${comparator}' not one of '${set}'`);
      return clause;
    default:
      throw unknownType(clause);
  }
}

function prompt(comparator: string, value: Value): void {
  if (comparator !== '=') {
    throw invalidParameter(
      `Invalid comparator '${comparator}' for prompts filter. Only '=' is supported with format: prompt = "name/version"`,
    );
  }
  if (typeof value === 'string' && value.split('/').length !== 2) {
    throw invalidParameter(`Invalid prompts filter value '${value}'. Expected format: prompt = "name/version"`);
  }
}

function loggedModel(clause: Clause): Clause {
  if (clause.kind !== 'attribute') return clause;
  const key = LOGGED_MODEL_ALIASES.get(clause.key) ?? clause.key;
  if (GRAMMARS.loggedModels.attributes.includes(key)) return { ...clause, key };
  throw invalidParameter(`Invalid attribute key '${clause.key}' specified.`);
}

function registeredModel(clause: Clause): Clause {
  const { kind, comparator } = clause;
  const comparators = kind === 'tag' ? ALIKE : LISTED;
  mustBe(comparators, comparator, () => `Invalid comparator for ${kind}: ${comparator}`);
  return clause;
}

function modelVersion(clause: Clause): Clause {
  const { kind, key, comparator } = clause;
  if (kind === 'attribute' && numeric('modelVersions', key)) {
    mustBe(ORDERED, comparator, () => `Invalid comparator for attribute ${key}: ${comparator}`);
    return { ...clause, value: whole(clause, reprFloat) };
  }
  const inLists = GRAMMARS.modelVersions.listed?.includes(key) && kind === 'attribute';
  mustBe(inLists ? LISTED : ALIKE, comparator, () => `Invalid comparator for ${kind}: ${comparator}`);
  return clause;
}

function dataset(clause: Clause): Clause {
  const { kind, key, comparator } = clause;
  if (kind === 'tag') {
    mustBe(ALIKE, comparator, () => `Invalid comparator for tag: ${comparator}`);
    return clause;
  }
  if (numeric('datasets', key)) {
    mustBe(ORDERED, comparator, () => `Invalid comparator for numeric attribute: ${comparator}`);
    return { ...clause, value: whole(clause, quotedFloat) };
  }
  if (comparator === 'NOT IN' || (comparator === 'IN' && key !== 'name')) {
    throw invalidParameter(`Invalid comparator for string attribute: ${comparator}`);
  }
  return clause;
}

const CHECKS: Readonly<Record<Entity, Check>> = {
  runs: run,
  experiments: experiment,
  traces: trace,
  loggedModels: loggedModel,
  loggedModelFiles: loggedModelFile,
  registeredModels: registeredModel,
  modelVersions: modelVersion,
  datasets: dataset,
};

function experimentFile(written: Clause): Clause {
  const clause = upper(written);
  if (clause.kind === 'tag') oneOf(clause, [...ALIKE, ...NULLS], '');
  else attribute('experiments', clause, LISTED);
  if (!numeric('experiments', clause.key) || clause.kind === 'tag') return clause;
  return { ...clause, value: typeof clause.value === 'string' ? (float(clause.value) ?? null) : clause.value };
}

const needsDatabase = (what: string): StoreError =>
  invalidParameter(`${what} filtering requires database support and cannot be performed on in-memory trace data.`);

function traceFile(written: Clause): Clause {
  if (written.kind === 'issue') {
    throw invalidParameter(`Invalid search key '${written.key}', supported are ${reprSet(GRAMMARS.traces.attributes)}`);
  }
  const prompted = written.kind === 'tag' && written.key === LINKED_PROMPTS;
  const analytic = written.kind === 'request_metadata' && TRACE_ANALYTICS.includes(written.key);
  // Here these two are a tag and metadata like any other.
  const { key } = written;
  const clause = { ...trace(prompted || analytic ? { ...written, key: '' } : written), key };
  if (clause.kind === 'span') throw needsDatabase('Span');
  if (clause.kind === 'feedback' || clause.kind === 'expectation') throw needsDatabase('Assessment');
  if (clause.comparator === 'RLIKE') throw invalidParameter('RLIKE operator is not supported by the file store.');
  return clause;
}

function loggedModelFile(written: Clause): Clause {
  const clause = upper(written);
  const { kind, key } = clause;
  switch (kind) {
    case 'metric':
      oneOf(clause, ORDERED, '');
      return clause;
    case 'parameter':
      oneOf(clause, ALIKE, "'");
      return clause;
    case 'tag':
      oneOf(clause, ALIKE, '');
      return clause;
    default:
      if (kind === 'attribute' && numeric('loggedModelFiles', key)) oneOf(clause, ORDERED, '', LISTED);
      // `dataset.name` is taken for the name of the model.
      else if (kind === 'dataset' && key !== 'name') throw invalidParameter(`Invalid logged model search key '${key}'`);
      return { ...clause, kind: 'attribute' };
  }
}

const FILE: Partial<Record<Entity, Check>> = { experiments: experimentFile, traces: traceFile };
