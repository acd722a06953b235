/** Filters and orders to be compared with MLflow: valid ones, odd ones, and broken ones. */
import fc from 'fast-check';
import type { Entity } from '../../../src/store/search/index.js';

export const ENTITIES: readonly Entity[] = [
  'runs',
  'experiments',
  'traces',
  'loggedModels',
  'loggedModelFiles',
  'registeredModels',
  'modelVersions',
  'datasets',
];

const SCOPES =
  'metric metrics param params parameter parameters tag tags attr attribute attributes run dataset datasets trace span feedback expectation issue metadata request_metadata `tags` "tags" Tags foo mlflow'.split(
    ' ',
  );
const KEYS = [
  ...'run_id run_name status start_time end_time artifact_uri user_id created Created name experiment_id'.split(' '),
  ...'creation_time last_update_time creation_timestamp last_updated_timestamp version_number source_path'.split(' '),
  ...'timestamp timestamp_ms execution_time execution_time_ms end_time_ms request_id client_request_id'.split(' '),
  ...'prompt text content type id model_id model_type source_run_id digest context created_time created_by'.split(' '),
  ...'version date key value order user state level acc val/loss a.b.c a-b a1 1a _x é 日本 in like null and'.split(' '),
  ...['run name', '`run name`', '"run name"', "'run name'", '`a.b`', '"a b"', '``', '""', '', '`a``b`', 'a b', '`a`.b'],
  ...['attributes.x', 'attributes.`a b`', '"mlflow.user"', '`mlflow.prompt.is_prompt`', '[a]', 'a[1]', '*', '@x', '#x'],
];
const COMPARED = '= != < <= > >= == <> => ! ~ LIKE like ILIKE ilike RLIKE rlike REGEXP BETWEEN IS IN in'
  .split(' ')
  .concat('NOT LIKE', ':=', '::', '->', 'not  ilike', 'NOT IN');
const VALUES = [
  ...[
    "'a'",
    '"a"',
    '`a`',
    'a',
    "'it''s'",
    "'it\\'s'",
    '\'say "x"\'',
    '"it\'s"',
    "''",
    '""',
    "'",
    '"',
    "'%a_b%'",
    "'é日😀'",
  ],
  ...['1', '-1', '1.5', '.5', '1.', '-.5', '1e5', '1E-5', '1.5e+3', '0x1F', '1_000', '01', '1a', '+1', '- 1', '1..2'],
  ...[
    'NaN',
    'inf',
    'nan',
    'Infinity',
    'NULL',
    'null',
    'TRUE',
    '99999999999999999999',
    '1e400',
    '٣',
    '½',
    '(1)',
    '(1.5)',
  ],
  ...[
    'a.b',
    'b.c',
    "'a' 'b'",
    "'a', 'b'",
    "'a' || 'b'",
    '1 + 2',
    '1 * 2',
    'f(x)',
    '[1]',
    "E'a'",
    '$$a$$',
    '$1',
    '?',
    '%s',
  ],
  ...["'a' -- c", "'a' /* c */", "'a' # c", '/* c */ 1', "'a';", "'a'::text", "'1' desc", '1 AS b', "'a' AS b"],
];
const LISTS = [
  "('a')",
  "('a','b')",
  "('a', 'b',)",
  '("a", \'b\')',
  "('a' 'b')",
  '()',
  '(1)',
  "('a', 1)",
  "('a', 1.50, -2, 1_0, 0x1F, None, True)",
  '(a)',
  "('a' b)",
  "(['a','b'])",
  "(('a','b'))",
  "(('a',),'b')",
  "(r'\\a', u'b')",
  "('\\x41\\u00e9\\n\\'')",
  "(b'a')",
  "('a'",
  "'a'",
  "('a\nb')",
  "( 'a'\n, 'b' )",
  "(f'a')",
  "('''a''')",
  "(,'a')",
  "('a',,'b')",
  "('\\xZZ')",
  "('é日😀')",
];
const JOINS = [
  'AND',
  'and',
  'And',
  'OR',
  ',',
  ';',
  '&&',
  'AND AND',
  '',
  '\nAND\n',
  '\tand\t',
  'AND NOT',
  '-- x\nAND',
  '/* x */ AND',
];
const NULLS = [
  'IS NULL',
  'is null',
  'IS NOT NULL',
  'is not null',
  'IS  NULL',
  'IS NOT  NULL',
  'NOT NULL',
  'IS',
  'ISNULL',
  "IS 'a'",
];

const spaced = fc.constantFrom(' ', ' ', ' ', ' ', '', '  ', '\n', '\t');
const glued = (...parts: fc.Arbitrary<string>[]) => fc.tuple(...parts).map((each) => each.join(''));

const word = fc.string({ unit: fc.constantFrom(...'abz_09AZé./-`"\' %$#@'), maxLength: 5 });
const key = fc.oneof({ weight: 6, arbitrary: fc.constantFrom(...KEYS) }, { weight: 1, arbitrary: word });
const dot = fc.constantFrom('.', '.', '.', '.', '.', '.', ' . ', '. ', ' .', '..');
const name = fc.oneof(
  { weight: 4, arbitrary: glued(fc.constantFrom(...SCOPES), dot, key) },
  { weight: 3, arbitrary: key },
);
const value = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...VALUES) },
  { weight: 1, arbitrary: word.map((text) => `'${text}'`) },
  { weight: 1, arbitrary: fc.double({ noNaN: true }).map(String) },
);
const simple = glued(name, spaced, fc.constantFrom(...COMPARED), spaced, value);
const listed = glued(
  name,
  fc.constant(' '),
  fc.constantFrom('IN', 'in', 'NOT IN', 'not in', 'NOT  IN', '=', 'LIKE'),
  spaced,
  fc.constantFrom(...LISTS),
);
const nulled = glued(name, fc.constant(' '), fc.constantFrom(...NULLS));
const clause = fc.oneof(
  { weight: 5, arbitrary: simple },
  { weight: 2, arbitrary: listed },
  { weight: 1, arbitrary: nulled },
);

const wrapped = fc
  .tuple(
    clause,
    fc.constantFrom<[string, string]>(
      ['', ''],
      ['', ''],
      ['', ''],
      ['', ''],
      [' ', ' '],
      ['(', ')'],
      ['((', '))'],
      ['(', ''],
      ['', ')'],
      ['WHERE ', ''],
      ['NOT ', ''],
      ['', ' desc'],
      ['', ' x'],
    ),
  )
  .map(([text, [before, after]]) => before + text + after);

const composed = fc
  .array(fc.tuple(wrapped, fc.constantFrom('AND', 'AND', 'AND', 'AND', ...JOINS)), { minLength: 1, maxLength: 4 })
  .map((parts) => parts.map(([text, join], index) => (index === 0 ? text : `${join} ${text}`)).join(' '));

/** A character or a piece of a text is dropped, doubled, or another put in. */
const edits = fc.array(
  fc.tuple(
    fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
    fc.nat(4),
    fc.constantFrom(
      '',
      '',
      ...' .,;()[]\'"`=<>!-+*/%$#@:?\\|~&^\n\ta1_é·',
      '--',
      '/*',
      '*/',
      '$$',
      ' AND ',
      ' IN ',
      ' AS ',
      ' END ',
      ' CASE ',
      ' VALUES ',
      ' OVER ',
      ' IF ',
      'x',
    ),
  ),
  { minLength: 1, maxLength: 3 },
);

const edited = (texts: fc.Arbitrary<string>) =>
  fc.tuple(texts, edits).map(([text, all]) =>
    all
      .reduce((so, [where, gone, put]) => {
        const at = Math.floor(where * so.length);
        return so.slice(0, at) + put + so.slice(at + gone);
      }, text)
      .toWellFormed(),
  );

/** Words of SQL in any order: what the grouping does with keywords. */
const soup = fc
  .array(
    fc.constantFrom(
      ...'a b name tags.x metrics.a "q" \'s\' 1 1.5 = != < LIKE IN ( ) [ ] , . ; * + - :: := AS AND OR NOT NULL IS IF CASE END WHEN FOR OVER WHERE VALUES LIMIT desc ASC timestamp date BEGIN DECLARE CREATE LOOP WHILE DO GO ;'.split(
        ' ',
      ),
      'IS NOT NULL',
      'END LOOP',
      'ORDER BY',
      '/* c */',
      '-- c\n',
      '\n',
    ),
    { minLength: 1, maxLength: 9 },
  )
  .map((words) => words.join(' '));

/** Characters that every Unicode since 2020 knows: Python's is older than ours. */
const unit = fc.oneof(
  fc.integer({ min: 0, max: 0x377 }).map((code) => String.fromCodePoint(code)),
  fc.constantFrom(...'\u2002\u2028\u2029\u202f\u3000\ufeff\u00ad·²½Ⅷ٣१𝟝日本😀ßẞſKÅıİ\ud55c'),
);

const anything = fc.oneof(
  { weight: 4, arbitrary: composed },
  { weight: 3, arbitrary: edited(composed) },
  { weight: 2, arbitrary: soup },
  { weight: 1, arbitrary: fc.string({ unit, maxLength: 12 }) },
);

const direction = fc.constantFrom(
  '',
  '',
  ' ASC',
  ' DESC',
  ' asc',
  ' desc',
  ' Desc',
  ' up',
  ' desc nulls last',
  '  DESC',
  ' DESC ',
  ' DESC DESC',
  ' ASC x',
  ';',
  ' -- x',
  ', b',
);
export const orders = fc.oneof(
  { weight: 6, arbitrary: glued(name, direction) },
  { weight: 1, arbitrary: glued(spaced, key, direction) },
  { weight: 1, arbitrary: soup },
  { weight: 1, arbitrary: word },
);

export const ORDERED = ENTITIES.filter((entity) => entity !== 'loggedModels' && entity !== 'loggedModelFiles');

/** Columns that exist, so that a search fails, if at all, by what is compared. */
const COLUMNS: Readonly<Record<Exclude<Entity, 'loggedModelFiles'>, readonly string[]>> = {
  runs: 'run_id status start_time end_time `created` run_name metrics.a metrics.created params.a tags.a dataset.name dataset.context'.split(
    ' ',
  ),
  experiments: 'name experiment_id creation_time last_update_time tags.a attribute.name'.split(' '),
  traces:
    'request_id timestamp_ms attributes.timestamp end_time execution_time status client_request_id name run_id prompt trace.text tags.a metadata.a metadata.mlflow.trace.tokenUsage metadata.mlflow.trace.session span.name span.status span.type span.content span.attributes.a feedback.a expectation.a issue.id issue.name feedback.'.split(
      ' ',
    ),
  loggedModels:
    'name model_id status creation_time creation_timestamp last_updated_timestamp params.a tags.a metrics.a attributes.name'.split(
      ' ',
    ),
  registeredModels: 'name tags.a attribute.name tags.`mlflow.prompt.is_prompt`'.split(' '),
  modelVersions: 'name version_number run_id source_path tags.a attribute.run_id'.split(' '),
  datasets: 'name created_time last_update_time created_by last_updated_by tags.a'.split(' '),
};

const stored = fc.constantFrom(...ENTITIES.filter((entity) => entity !== 'loggedModelFiles'));

/** MLflow hands `run_id = ('a')` on to the database, which fails: those come elsewhere. A search whose texts can be read, mostly: [entity, filter, order_by]. */
export const searches = stored.chain((entity) => {
  const columns = fc.constantFrom(...COLUMNS[entity]);
  const number = fc.constantFrom('1', "'1'", '1.0', '1.5', "'a'", "' 1_0 '", "'1.0'", "'n/1'", '2', '"b"');
  const compared = fc.tuple(
    columns,
    fc.constantFrom('=', '!=', '<', '>=', 'LIKE', 'ilike', 'ILIKE', 'RLIKE', '=', '>', '=='),
    number,
  );
  const lists = fc.tuple(columns, fc.constantFrom('IN', 'NOT IN', 'in'), fc.constantFrom("('1')", "('a', '2')"));
  const nulls = fc.tuple(columns, fc.constantFrom('IS NULL', 'IS NOT NULL', 'is null'));
  const clauses = fc.oneof({ weight: 4, arbitrary: compared }, lists, nulls).map((parts) => parts.join(' '));
  const text = fc
    .array(clauses, { maxLength: 2 })
    .map((parts) => parts.join(' AND '))
    // What a quoted number of a trace means hangs on the database.
    .filter((all) => entity !== 'traces' || !/(?:timestamp|time)(?:_ms)? \S+ ['"]/.test(all));
  const order =
    entity === 'loggedModels'
      ? fc.array(
          fc.record(
            {
              field_name: fc.constantFrom(
                'name',
                'creation_time',
                'creation_timestamp',
                'metrics.a',
                'foo',
                'params.a',
                'model_id',
                'metrics.a.b',
              ),
              ascending: fc.boolean(),
              dataset_name: fc.constantFrom('d'),
              dataset_digest: fc.constantFrom('1'),
            },
            { requiredKeys: ['field_name'] },
          ),
          { maxLength: 2 },
        )
      : fc.array(glued(columns, fc.constantFrom('', ' DESC', ' asc')), { maxLength: 2 });
  return fc.tuple(fc.constant(entity), text, order as fc.Arbitrary<never[]>);
});

/** Literals of Python, whole and broken, in the list of an IN. */
const literal = fc.letrec<{ one: string }>((tie) => ({
  one: fc.oneof(
    { maxDepth: 2 },
    fc
      .tuple(
        fc.constantFrom('', '', '', '', 'r', 'u', 'b', 'f', 'Rb', 'x'),
        fc.constantFrom("'", '"', "'''"),
        fc.array(
          fc.constantFrom(
            'a',
            'é',
            '😀',
            '\\n',
            '\\',
            "\\'",
            '\\x41',
            '\\x4',
            '\\u00e9',
            '\\U0001F600',
            '\\777',
            '\\q',
            '\n',
            '"',
            '\\N',
            '\\\n',
            ' ',
            '#',
          ),
          { maxLength: 3 },
        ),
      )
      .map(([prefix, quote, parts]) => prefix + quote + parts.join('') + quote),
    fc.constantFrom("'a'", "'b'", '"c"', "'d'"),
    fc.constantFrom(
      '1',
      '-1',
      '+1',
      '- 1',
      '--1',
      '1.50',
      '1e16',
      '1e-5',
      '0x1F',
      '0b1',
      '0o17',
      '1_0',
      '01',
      '00',
      '.5',
      '5.',
      '-0',
      '-0.0',
      '1e400',
      'None',
      'True',
      'x',
      '',
      '12345678901234567890',
    ),
    fc.tuple(tie('one'), fc.constantFrom(', ', ' ', ',', ',\n', ' # c\n, '), tie('one')).map((parts) => parts.join('')),
    tie('one').map((text) => `(${text})`),
    tie('one').map((text) => `[${text},]`),
  ),
})).one;
const inList = literal.map((text) => ['runs', `run_id IN (${text})`] as const);

/** [entity, filter]: a good part can be read, as many nearly, and the rest is anything. */
export const filters = fc.oneof(
  fc.tuple(fc.constantFrom(...ENTITIES), anything),
  searches.map(([entity, text]) => [entity, text] as const),
  inList,
  searches.chain(([entity, text]) => fc.tuple(fc.constant(entity), edited(fc.constant(text)))),
);

/** Clauses of the file store's order of logged models. */
export const modelOrders = fc.record(
  {
    field_name: fc.option(
      fc.constantFrom(
        'name',
        ' name ',
        'creation_time',
        'creation_timestamp',
        'metrics.a',
        'metrics.a.b',
        'params.a',
        'foo',
        '',
        '.',
      ),
      { nil: null, freq: 10 },
    ),
    ascending: fc.boolean(),
    dataset_name: fc.constantFrom('d', ''),
    dataset_digest: fc.constantFrom('1', ''),
  },
  { requiredKeys: [] },
);
