/** Searches that can be read, or nearly: what a column of its kind can be compared with, lists, orders. */
import fc from 'fast-check';
import type { Entity } from '../../../src/store/search/index.js';
import { anything, ENTITIES, edited, glued } from './texts.js';

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

/**
 * [entity, filter, order_by], whose texts can mostly be read. Without what MLflow hands on to a database that then fails,
 * `run_id = ('a')`: filter.test.ts has those.
 */
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
