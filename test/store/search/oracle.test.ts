/** Every text is read as MLflow reads it, or refused in its words: thousands of them, side by side with MLflow. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type Clause,
  decodeLoggedModelToken,
  decodePageToken,
  type Entity,
  encodeLoggedModelToken,
  encodePageToken,
  likePattern,
  matcher,
  parseFilter,
  parseLoggedModelOrder,
  parseOrder,
  parseSearch,
  sorted,
} from '../../../src/store/search/index.js';
import { float, int, reprString, shellWords } from '../../../src/store/search/python.js';
import { Oracle, type Plain } from '../../support/oracle.js';
import { type Kinds, pattern, questions, RECORDS, searchable, text, unordered } from './records.js';
import { COUNT, crashed, ours, plain, type Said, SEED, sample, theirs } from './said.js';
import { filters, modelOrders, searches } from './searches.js';
import { ORDERED, orders } from './texts.js';
import { base64, TOKENS } from './tokens.js';

const LOGGED = { attributes: 'attribute', metrics: 'metric', params: 'parameter', tags: 'tag' } as const;

interface TheirClause {
  readonly type: string;
  readonly key: string;
  readonly comparator: string;
  readonly value: unknown;
}

/** MLflow keeps the text of a metric's value until it is compared. */
function clauses(entity: Entity) {
  return (result: unknown, exact: Plain) =>
    (result as TheirClause[]).map(({ type, key, comparator, value }, index) => {
      const { value: written } = (exact as { value: Plain }[])[index] as { value: { float?: string } | null };
      const logged = entity === 'loggedModels';
      return {
        kind: logged ? LOGGED[type as keyof typeof LOGGED] : type,
        key,
        comparator,
        value: type === 'metric' ? Number(value) : value,
        ...(!logged && type === 'attribute' && written?.float !== undefined && { float: true }),
      };
    });
}

describe(`the same as MLflow (seed ${SEED})`, () => {
  let oracle: Oracle;
  beforeAll(() => {
    oracle = new Oracle();
  });
  afterAll(() => oracle[Symbol.asyncDispose]());

  test('filters', async () => {
    const cases = sample(filters);
    const said = await oracle.call<Said>('search_filters', cases);
    const isText = (value: unknown) =>
      typeof value === 'string' ||
      (Array.isArray(value) && value.length > 0 && value.every((each) => typeof each === 'string'));
    const numeric = ({ kind, key }: Clause) => kind === 'metric' || /^(?:creation|last_updated)_time/.test(key);
    const notText = ({ result }: { result: Clause[] }) =>
      result.some((clause) => !numeric(clause) && !isText(clause.value));
    for (const [index, [entity, text]] of cases.entries()) {
      const answer = said[index] as Said;
      const wanted = theirs(answer, clauses(entity));
      const context = { entity, text };
      // MLflow hands a list of something else than texts on to the database, where it fails or finds nothing.
      if (entity === 'loggedModels' && 'result' in answer && notText(wanted as { result: Clause[] })) {
        expect(() => parseFilter(entity, text)).toThrow('While parsing a list');
        continue;
      }
      expect({ ...context, ...(ours(answer, () => parseFilter(entity, text)) as object) }).toEqual({
        ...context,
        ...(wanted as object),
      });
    }
    expect(said.filter((each) => 'result' in each).length).toBeGreaterThan(COUNT / 5);
  });

  test('clauses of order_by', async () => {
    const cases = sample(fc.tuple(fc.constantFrom(...ORDERED), orders));
    const said = await oracle.call<Said>('search_orders', cases);
    for (const [index, [entity, text]] of cases.entries()) {
      const answer = said[index] as Said;
      const found = ours(answer, () => {
        const { kind, key, ascending } = parseOrder(entity, text);
        return [kind, key, ascending];
      });
      expect({ entity, text, ...(found as object) }).toEqual({ entity, text, ...(theirs(answer) as object) });
    }
    expect(said.filter((each) => 'result' in each).length).toBeGreaterThan(COUNT / 50);
  });

  test('the order of logged models in files', async () => {
    const cases = sample(modelOrders, 300);
    const said = await oracle.call<Said>(
      'search_orders',
      cases.map((order) => ['loggedModelFiles', order]),
    );
    for (const [index, order] of cases.entries()) {
      const answer = said[index] as Said;
      const found = ours(answer, () => {
        const [first] = parseLoggedModelOrder([order], 'file');
        const scope = first?.kind === 'metric' ? 'metrics.' : '';
        // Only a metric is measured on a dataset; MLflow keeps the names, and does not look at them.
        const dataset =
          scope === '' ? [order.dataset_name, order.dataset_digest] : [first?.dataset?.name, first?.dataset?.digest];
        return [scope + first?.key, first?.ascending, ...dataset.map((each) => each || null)];
      });
      const read = (result: unknown) => (result as unknown[]).map((each) => (each === '' ? null : each));
      expect([order, found]).toEqual([order, theirs(answer, read)]);
    }
  });

  test('what the stores on a database take', async () => {
    const cases = sample(searches, COUNT / 4);
    const said = await oracle.call<Said>('search_stores', cases);
    for (const [index, [entity, text, order]] of cases.entries()) {
      const answer = said[index] as Said;
      const found = ours(answer, () => {
        parseSearch(entity, text, order);
        return true;
      });
      expect({ entity, text, order, ...(found as object) }).toEqual({
        ...{ entity, text, order },
        ...(theirs(answer) as object),
      });
    }
    expect(said.filter((each) => 'result' in each).length).toBeGreaterThan(COUNT / 20);
  });

  test('records found and sorted', async () => {
    const kinds = Object.keys(RECORDS) as Kinds[];
    const cases = sample(fc.oneof(...kinds.map(questions)), COUNT / 2);
    const said = await oracle.call<Said>('search_records', cases);
    for (const [index, [entity, records, filter, order]] of cases.entries()) {
      const answer = said[index] as Said;
      // Its file store of experiments fails where a time is missing; here that meets no comparison.
      if (crashed(answer)) continue;
      const found = ours(answer, () => {
        const { orderBy } = parseSearch(entity, filter, order, 'file');
        const test = matcher(entity, parseFilter(entity, filter));
        const pairs = records.map((record) => ({ ...searchable(record), id: record[RECORDS[entity].id] }));
        return sorted(pairs.filter(test), orderBy).map(({ id }) => id);
      });
      const wanted = theirs(answer) as { result?: string[] };
      if (unordered(entity, records)) {
        (found as { result?: string[] }).result?.sort();
        wanted.result?.sort();
      }
      expect({ entity, records, filter, order, ...(found as object) }).toEqual({
        entity,
        records,
        filter,
        order,
        ...wanted,
      });
    }
    const lengths = said.map((each) => ('result' in each ? (each.result as unknown[]).length : 0));
    expect(lengths.filter((length) => length > 1).length).toBeGreaterThan(100);
  });

  test('LIKE and ILIKE', async () => {
    const cases = sample(fc.tuple(fc.oneof(text, pattern), pattern), 1000);
    const special = [...'\\^$.*+?()[]{}|/-&~#@!"\'<>=,;:` \t'].flatMap(
      (char) =>
        [
          [char, char],
          [`a${char}`, `_${char}`],
          [char, '_'],
        ] as const,
    );
    const all = [
      ...cases,
      ...special,
      ['straße', 'STRASSE'],
      ['ſ', 's'],
      ['K', 'k'],
      ['İ', 'i'],
      ['ı', 'I'],
      ['Σς', 'σσ'],
    ] as const;
    const said = await oracle.call<[boolean, boolean]>('search_likes', all);
    const found = all.map(([value, like]) => [
      likePattern(like, false).test(value),
      likePattern(like, true).test(value),
    ]);
    const differ = all.filter((_, index) => JSON.stringify(found[index]) !== JSON.stringify(said[index]));
    expect(differ).toEqual([]);
  });

  test('tokens of an offset', async () => {
    const letters = fc.string({ unit: fc.constantFrom(...'eyJvZmAQ0=+/ \n'), maxLength: 12 });
    const tokens = [...TOKENS, ...sample(letters, 500)];
    const said = await oracle.call<Said>('search_tokens', tokens);
    for (const [index, token] of tokens.entries()) {
      const answer = said[index] as Said;
      const found = ours(answer, () => {
        const offset = decodePageToken(token);
        return [String(offset), encodePageToken(offset)];
      });
      expect([token, found]).toEqual([token, theirs(answer)]);
    }
  });

  test('tokens of a search for logged models', async () => {
    const order = [{ field_name: 'metrics.é', ascending: false }, { field_name: 'name' }];
    const questions: readonly (readonly [string[], string | null, typeof order | null])[] = [
      [['0', '1'], null, null],
      [['0'], "name = 'é😀\n'", order],
    ];
    const texts = [
      '{"experiment_ids": ["0", "1"], "filter_string": null, "order_by": null, "offset": 5}',
      '{"experiment_ids": ["0", "1"], "filter_string": "", "order_by": []}',
      '{"experiment_ids": ["0", "1"], "filter_string": "a", "offset": 5}',
      '{"experiment_ids": ["1"], "offset": 5}',
      '{"offset": 5}',
      '{"experiment_ids": ["0", "1"], "order_by": [{"field_name": "a", "ascending": true}], "offset": 5}',
      '{"experiment_ids": ["0"], "filter_string": "name = \'\\u00e9\\ud83d\\ude00\\n\'", "order_by": [{"ascending": false, "field_name": "metrics.\\u00e9"}, {"field_name": "name"}], "offset": 7}',
      '[]',
    ];
    const cases = texts.flatMap((text) => questions.map((question) => [text, ...question] as const));
    const said = await oracle.call<Said>('search_model_tokens', cases);
    for (const [index, [text, experimentIds, filter, orderBy]] of cases.entries()) {
      const answer = said[index] as Said;
      const question = { experimentIds, filter, orderBy };
      const found = ours(answer, () => {
        const offset = decodeLoggedModelToken(base64(text), question);
        const parsed = JSON.parse(Buffer.from(encodeLoggedModelToken(question, offset), 'base64').toString());
        return [offset, parsed];
      });
      const decoded = (result: unknown) => {
        const [offset, token] = result as [number, string];
        return [offset, JSON.parse(Buffer.from(token, 'base64').toString())];
      };
      expect([text, question, found]).toEqual([text, question, theirs(answer, decoded)]);
    }
    expect(said.filter((each) => 'result' in each).length).toBe(3);
  });

  test('words, numbers and quotes of Python', async () => {
    const unit = fc.constantFrom(...'abz 019_.eE+-\\\'"`\t\n\r\x0b\x85\xa0é\x00\x7f\xad٣𝟝😀\u2028infa');
    const texts = [
      '',
      'inf',
      '-Infinity',
      'nan',
      '1_000',
      '1__0',
      '1e5',
      '1.',
      '.5',
      '.',
      '0x1',
      ' 1 ',
      '+1',
      '--1',
      '1e400',
      '٣.٣',
      ...sample(fc.string({ unit, maxLength: 8 }), 800),
    ];
    const said = await oracle.call<Plain>('search_words', texts);
    for (const [index, text] of texts.entries()) {
      const wanted = plain(said[index] as Plain) as unknown[];
      const whole = int(text);
      const found = [
        shellWords(text) ?? null,
        whole === undefined ? null : Number(whole),
        float(text) ?? null,
        reprString(text),
      ];
      expect([text, found]).toEqual([text, wanted]);
    }
  });
});
