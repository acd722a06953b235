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
  ...'version date key value order user state level acc val/loss a.b.c a-b a1 1a _x é 日本 in like null and constructor __proto__'.split(
    ' ',
  ),
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
export const glued = (...parts: fc.Arbitrary<string>[]) => fc.tuple(...parts).map((each) => each.join(''));

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

export const edited = (texts: fc.Arbitrary<string>) =>
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

export const anything = fc.oneof(
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
