/** What can be written in a filter, by hand; oracle.test.ts holds thousands of them against MLflow. */
import { describe, expect, test } from 'vitest';
import { ERROR_CODES, StoreError } from '../../../src/store/errors.js';
import { checkFilter, type Entity, parseFilter, parseSearch } from '../../../src/store/search/index.js';

type Row = readonly [kind: string, key: string, comparator: string, value: unknown];

const read = (entity: Entity, text: string): Row[] =>
  parseFilter(entity, text).map(({ kind, key, comparator, value }) => [kind, key, comparator, value]);

const refusal = (act: () => unknown): string => {
  try {
    act();
  } catch (error) {
    if (error instanceof StoreError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return 'no refusal';
};

describe('runs', () => {
  test.for<[string, Row[]]>([
    ['', []],
    [
      "metrics.loss < 0.5 AND params.lr = '1e-3'",
      [
        ['metric', 'loss', '<', 0.5],
        ['parameter', 'lr', '=', '1e-3'],
      ],
    ],
    ['metrics.`val/loss` >= -1e-3', [['metric', 'val/loss', '>=', -1e-3]]],
    ['params."batch size" != "32"', [['parameter', 'batch size', '!=', '32']]],
    ["tags.`mlflow.source.name` LIKE '%train%'", [['tag', 'mlflow.source.name', 'LIKE', '%train%']]],
    ["tags.mlflow.user ilike 'me'", [['tag', 'mlflow.user', 'ilike', 'me']]],
    ["attributes.status = 'FINISHED'", [['attribute', 'status', '=', 'FINISHED']]],
    ["status = 'FINISHED'", [['attribute', 'status', '=', 'FINISHED']]],
    ["`run name` = 'x'", [['attribute', 'run name', '=', 'x']]],
    [
      'start_time > 1700000000000 and end_time <= .5',
      [
        ['attribute', 'start_time', '>', 1700000000000],
        ['attribute', 'end_time', '<=', 0.5],
      ],
    ],
    ['run_id IN (\'a\', "b",)', [['attribute', 'run_id', 'IN', ['a', 'b']]]],
    ["run_id NOT IN ('a')", [['attribute', 'run_id', 'NOT IN', ['a']]]],
    [
      "datasets.name = 'd' AND dataset.context IN ('train')",
      [
        ['dataset', 'name', '=', 'd'],
        ['dataset', 'context', 'IN', ['train']],
      ],
    ],
    [
      'params.a IS NULL AND tags.b is not null',
      [
        ['parameter', 'a', 'IS NULL', null],
        ['tag', 'b', 'IS NOT NULL', null],
      ],
    ],
    // What nobody would expect: an AND may be missing, or come first, and a value may hold both quotes of its kind.
    [
      "params.a = '1' params.b = '2'",
      [
        ['parameter', 'a', '=', '1'],
        ['parameter', 'b', '=', '2'],
      ],
    ],
    ["AND params.a = 'it''s'", [['parameter', 'a', '=', "it''s"]]],
  ])('%s', ([text, clauses]) => {
    expect(read('runs', text)).toEqual(clauses);
  });

  test.for<[string, string]>([
    [' ', "Invalid filter ' '. Could not be parsed."],
    [
      'acc > 1',
      "Invalid attribute key 'acc' specified. Valid keys are '{'artifact_uri', 'end_time', 'run_id', 'run_name', 'start_time', 'status', 'user_id', 'created', 'Created', 'run name', 'Run name', 'Run Name'}'",
    ],
    [
      'foo.acc > 1',
      "Invalid entity type 'foo'. Valid values are ['metric', 'parameter', 'tag', 'attribute', 'dataset']",
    ],
    ["metrics.a = '1'", "Expected numeric value type for metric. Found '1'"],
    ['params.a = 1', "Expected a quoted string value for parameter (e.g. 'my-value'). Got value 1"],
    [
      'params.a = x',
      'Parameter value is either not quoted or unidentified quote types used for string value x. Use either single or double quotes.',
    ],
    ["params.a = '1' OR params.b = '2'", "Invalid clause(s) in filter string: 'OR'"],
    ["params.a = '1';", "Invalid clause(s) in filter string: ';'"],
    [
      "params.a = '1'; params.b = '2'",
      "Search filter contained multiple expression \"params.a = '1'; params.b = '2'\". Provide AND-ed expression list.",
    ],
    ["(params.a = '1')", "Invalid clause(s) in filter string: '(params.a = '1')'"],
    ["params.a = '1' /* why */", "Invalid clause(s) in filter string: '/* why */'"],
    ["date = '1'", "Invalid clause(s) in filter string: 'date', '=', ''1''"],
    ["status IN ('a')", "Only ['run_id'] attributes support comparison with a list of quoted string values."],
    [
      'run_id IN ()',
      'While parsing a list in the query, expected a non-empty list of string values, but got empty list',
    ],
    [
      "run_id IN ('a' b)",
      'While parsing a list in the query, expected a non-empty list of string values, but got ill-formed list.',
    ],
    [
      "run_id IN (1, 'a')",
      "While parsing a list in the query, expected string value, punctuation, or whitespace, but got different type in list: (1, 'a')",
    ],
    ['metrics.a IS NULL', "IS NULL / IS NOT NULL is only supported for tags and params, not for 'metric' 'a'"],
    [
      `run_id = ${'('.repeat(101)}1${')'.repeat(101)}`,
      `Error on parsing filter 'run_id = ${'('.repeat(101)}1${')'.repeat(101)}'`,
    ],
  ])('%s is refused', ([text, message]) => {
    expect(refusal(() => parseFilter('runs', text))).toBe(`INVALID_PARAMETER_VALUE: ${message}`);
  });
});

describe('what a store can answer', () => {
  const checked = (entity: Entity, text: string, store: 'database' | 'file' = 'database') =>
    checkFilter(entity, parseFilter(entity, text), store).map(({ kind, key, comparator, value }) => [
      kind,
      key,
      comparator,
      value,
    ]);

  test.for<[Entity, string, Row]>([
    ['runs', 'created > 1', ['attribute', 'start_time', '>', 1]],
    ['runs', "`Run name` like 'a%'", ['attribute', 'run_name', 'LIKE', 'a%']],
    ['runs', 'metrics.created > 1', ['metric', 'start_time', '>', 1]],
    ['runs', "tags.constructor = 'a'", ['tag', 'constructor', '=', 'a']],
    ['loggedModels', 'metrics.__proto__ > 1', ['metric', '__proto__', '>', 1]],
    ['experiments', "experiment_id IN ('1', ' 2 ')", ['attribute', 'experiment_id', 'IN', ['1', '2']]],
    ['modelVersions', "version_number >= '2'", ['attribute', 'version_number', '>=', 2]],
    ['loggedModels', 'attributes.creation_time > 5', ['attribute', 'creation_timestamp_ms', '>', 5]],
    ['loggedModels', "name IN (['a', 'b'])", ['attribute', 'name', 'IN', ['a', 'b']]],
    ['loggedModels', "status = 'READY'", ['attribute', 'status', '=', 'READY']],
    ['traces', 'timestamp > 5', ['attribute', 'timestamp_ms', '>', 5]],
    ['traces', "execution_time_ms <= '1.5'", ['attribute', 'execution_time_ms', '<=', 1.5]],
    ['traces', "name = 'x'", ['tag', 'mlflow.traceName', '=', 'x']],
    ['traces', "trace.text LIKE '%x%'", ['span', 'content', 'LIKE', '%x%']],
    ['traces', "span.attributes.`a b` RLIKE '^x'", ['span', 'attributes.`a b`', 'RLIKE', '^x']],
    ['traces', "feedback.correct = 'true'", ['feedback', 'correct', '=', 'true']],
    ['traces', 'expectation.score > 0.5', ['expectation', 'score', '>', 0.5]],
    ['traces', 'feedback.correct IS NOT NULL', ['feedback', 'correct', 'IS NOT NULL', null]],
    ['traces', "issue.id = 'i-1'", ['issue', 'id', '=', 'i-1']],
    ['datasets', "name IN ('a', 'b')", ['attribute', 'name', 'IN', ['a', 'b']]],
  ])('%s: %s', ([entity, text, row]) => {
    expect(checked(entity, text)).toEqual([row]);
  });

  // MLflow fails on these, and says 500 or what its database said.
  test.for<[Entity, string]>([
    ['runs', "run_id = ('a')"],
    ['runs', "tags.a == 'b'"],
    ['runs', "tags.a NOT LIKE 'b'"],
    ['modelVersions', "run_id = ('a')"],
    ['registeredModels', 'tags.a IS NULL'],
    ['loggedModels', "params.a LIKE ('b')"],
    ['loggedModels', 'metrics.a > b'],
    ['loggedModels', "owner = 'me'"],
    ['datasets', "name ilike 'a'"],
    ['traces', "tags.a = ('b')"],
    ['traces', "timestamp > 'b'"],
    ['traces', "span.attributes.a IN ('b')"],
    ['traces', "span.name = ('b')"],
  ])('%s: %s is refused', ([entity, text]) => {
    expect(refusal(() => checked(entity, text))).toMatch(/^INVALID_PARAMETER_VALUE: /);
  });

  test('in a file is less than in a database', () => {
    const refused = (text: string) => refusal(() => checked('traces', text, 'file'));
    const needs = 'filtering requires database support and cannot be performed on in-memory trace data.';
    expect(refused("span.name = 'a'")).toBe(`INVALID_PARAMETER_VALUE: Span ${needs}`);
    expect(refused("feedback.a = 'b'")).toBe(`INVALID_PARAMETER_VALUE: Assessment ${needs}`);
    expect(refused("issue.id = 'b'")).toMatch(/Invalid search key 'id', supported are \{'request_id', /);
    expect(refused("tags.a RLIKE 'b'")).toMatch(/RLIKE/);
    expect(checked('experiments', "name like 'a'", 'file')).toEqual([['attribute', 'name', 'LIKE', 'a']]);
    expect(refusal(() => checked('experiments', "name like 'a'"))).toMatch(/Invalid comparator 'like'/);
  });
});

describe('an order', () => {
  const order = (
    entity: Exclude<Entity, 'loggedModels' | 'loggedModelFiles'>,
    list: readonly string[],
    store: 'database' | 'file' = 'database',
  ) =>
    parseSearch(entity, '', list, store).orderBy.map(
      ({ kind, key, ascending }) => `${kind}.${key} ${ascending ? 'up' : 'down'}`,
    );

  test('ends with what no two records share', () => {
    expect(order('runs', [])).toEqual(['attribute.start_time down', 'attribute.run_id up']);
    expect(order('runs', ['metrics.`a b` DESC', 'created'])).toEqual([
      'metric.a b down',
      'attribute.start_time up',
      'attribute.run_id up',
    ]);
    expect(order('experiments', [])).toEqual(['attribute.creation_time down', 'attribute.experiment_id up']);
    expect(order('experiments', ['name'])).toEqual(['attribute.name up', 'attribute.experiment_id down']);
    expect(order('traces', ['name'])).toEqual([
      'tag.mlflow.traceName up',
      'attribute.timestamp_ms down',
      'attribute.request_id up',
    ]);
    expect(order('registeredModels', ['timestamp desc'])).toEqual([
      'attribute.last_updated_timestamp down',
      'attribute.name up',
    ]);
    expect(order('modelVersions', [])).toEqual([
      'attribute.last_updated_timestamp down',
      'attribute.name up',
      'attribute.version_number down',
    ]);
    expect(order('datasets', [])).toEqual(['attribute.created_time down', 'attribute.dataset_id down']);
    const logged = parseSearch('loggedModels', null, [{ field_name: 'metrics.a', dataset_name: 'd' }]).orderBy;
    expect(logged).toEqual([
      { kind: 'metric', key: 'a', ascending: true, dataset: { name: 'd' } },
      { kind: 'attribute', key: 'creation_timestamp_ms', ascending: false },
      { kind: 'attribute', key: 'model_id', ascending: true },
    ]);
  });

  test('by one column twice is refused by a database, and not by files', () => {
    const twice = ['start_time', 'created DESC'];
    expect(refusal(() => order('runs', twice))).toBe(
      "INTERNAL_ERROR: `order_by` contains duplicate fields: ['start_time', 'created DESC']",
    );
    expect(order('runs', twice, 'file')).toEqual([
      'attribute.start_time up',
      'attribute.start_time down',
      'attribute.run_id up',
    ]);
    expect(refusal(() => order('traces', ['name'], 'file'))).toBe(
      'INVALID_PARAMETER_VALUE: Invalid order_by entity `tag` with key `mlflow.traceName`',
    );
  });

  test.for<[string, string]>([
    ['metrics.a up', "Invalid ordering key in order_by clause 'metrics.a up'."],
    ['metrics.a ASC b', "Invalid order_by clause 'metrics.a ASC b'. Could not be parsed."],
    ['metrics.a desc nulls last', "Invalid order_by clause 'metrics.a desc nulls last'. Could not be parsed."],
    ["params.it's", "Invalid order_by clause 'params.it's'. Could not be parsed."],
    ['dataset.name', "Invalid identifier type 'dataset'"],
    ['', "Invalid order_by clause ''. Could not be parsed."],
  ])('%s is refused', ([text, message]) => {
    expect(refusal(() => order('runs', [text]))).toBe(`INVALID_PARAMETER_VALUE: ${message}`);
  });
});

test('a hostile filter takes no more than a moment', () => {
  const hostile = [
    '/*'.repeat(20_000),
    '$a$ '.repeat(1) + '$b'.repeat(50_000),
    "'".repeat(100_001),
    '('.repeat(9_000),
    "a = 'b' AND ".repeat(2_400),
    '"'.repeat(20_001),
    '['.repeat(9_000),
    'a.'.repeat(4_900),
    `'${"\\'".repeat(50_000)}`,
  ];
  const begun = performance.now();
  for (const text of hostile)
    expect(refusal(() => parseFilter('runs', text))).toMatch(/^INVALID_PARAMETER_VALUE|^no refusal/);
  expect(performance.now() - begun).toBeLessThan(30_000);
});

test('an error has the status and the body of MLflow', () => {
  const error = new StoreError('RESOURCE_DOES_NOT_EXIST', 'No such run');
  expect(error.status).toBe(404);
  expect(JSON.parse(JSON.stringify(error))).toEqual({
    error_code: 'RESOURCE_DOES_NOT_EXIST',
    message: 'No such run',
    sqlstate: 'KAM00',
    error_class: 'RESOURCE_NOT_FOUND',
  });
  expect(new StoreError('RESOURCE_CONFLICT', 'x').toJSON()).toEqual({ error_code: 'RESOURCE_CONFLICT', message: 'x' });
  expect(Object.values(ERROR_CODES).every((status) => status >= 400 && status < 600)).toBe(true);
});
