/** YAML: read as PyYAML reads it and written to the byte as PyYAML writes it, side by side with PyYAML. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Unreadable } from '../../../src/store/file/damage.js';
import { filesBelow } from '../../../src/store/file/files.js';
import { readFlatYaml } from '../../../src/store/file/yaml/flat.js';
import { readAnyYaml, readYaml } from '../../../src/store/file/yaml/read.js';
import type { Yaml } from '../../../src/store/file/yaml/resolve.js';
import { Real, type Writable, writeYaml } from '../../../src/store/file/yaml/write.js';
import { fileStoreReleases, unpackFileStore } from '../../support/fixtures.js';
import { Oracle } from '../../support/oracle.js';
import { inTemporaryFolder } from '../../support/temporary.js';

const SEED = Number(process.env.MTRACK_YAML_SEED ?? Math.floor(Math.random() * 2 ** 31));
const COUNT = Number(process.env.MTRACK_YAML_CASES ?? 600);
const sample = <Value>(values: fc.Arbitrary<Value>) => fc.sample(values, { numRuns: COUNT, seed: SEED });

/** Texts that YAML takes for something else, or has to quote, escape or fold. */
const WORDS = [
  ...['', ' ', 'a', '-', '- a', '?', '? a', ':', 'a:', 'a: b', 'a :b', '#', 'a #b', 'a# b', '---', '...', '--- a'],
  ...['yes', 'No', 'on', 'y', 'NULL', '~', 'null', '=', '<<', '!', '&a', '*a', '!!str', '%a', '@', '`', '|', '>'],
  ...['0', '1', '-1', '+1', '01', '08', '0o7', '0x1F', '0b1', '1_000', '1e5', '1.5', '.5', '1.', '1.e+3', '1e-05'],
  ...['12345678901234567890', '123456789012345678', '1:30', '1:30.5', '.inf', '-.INF', '.nan', '2026-11-23'],
  ...[
    '2026-11-23T19:56:02.940Z',
    '2026-1-2 3:04:05',
    '{}',
    '[]',
    '{a',
    '[a',
    'a]',
    'a, b',
    "it's",
    '"a"',
    "'a'",
    'a"b',
  ],
  ...[
    'a\nb',
    'a\n',
    '\na',
    'a\n\nb',
    'a \nb',
    'a\n b',
    '\t',
    'a\tb',
    '\r',
    'a\r\nb',
    '\x85',
    '\u2028',
    '\ufeff',
    '\x00',
  ],
  ...['\x07', '\x7f', '\x9f', '\xa0', 'é', 'Ж', '日本', '😀', '\ud800', 'C:\\dir', 'file:///a b/c', 's3://b/k?x=1#f'],
  'a long text of many words that goes on and on until a line of eighty columns is full, and then a little further',
  'x'.repeat(100),
  `${'x'.repeat(60)}  ${'y'.repeat(60)} z`,
];
const character = fc.constantFrom(...' ab:-#\'"\\,[]{}\n\t!&*?|>%@`=~0é😀\x85\u2028');
/** What the `yaml` package cannot read, and PyYAML writes: a line's end of YAML 1.1 beside one of today. */
const TWO_ENDS = /[\n\x85\u2028\u2029][ \n\x85]*[\u2028\u2029]|[\u2028\u2029][ \n\x85]*[\n\x85\u2028\u2029]/;
const anyText = fc.oneof(
  fc.constantFrom(...WORDS),
  fc.array(fc.constantFrom(...WORDS), { maxLength: 4 }).map((words) => words.join(' ')),
  fc.array(character, { maxLength: 12 }).map((characters) => characters.join('')),
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.lorem({ maxCount: 40 }),
);
const text = anyText.filter((each) => !TWO_ENDS.test(each));
const key = fc.oneof(
  fc.constantFrom('name', 'run_id', 'a.b/c', 'mlflow.data.context', 'x'.repeat(140), 'ключ'),
  fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 12 }),
  text,
);

const field = fc.constantFrom('name', 'run_id', 'end_time', 'artifact_uri', 'mlflow.data.context', 'a/b-c');

type Sent = unknown;
interface Case {
  readonly value: Writable;
  readonly sent: Sent;
}
const leaf: fc.Arbitrary<Case> = fc.oneof(
  text.map((value) => ({ value, sent: value.toWellFormed() })),
  fc.maxSafeInteger().map((value): Case => ({ value, sent: ['int', String(value)] })),
  fc.bigInt().map((value): Case => ({ value, sent: ['int', String(value)] })),
  fc.double().map((value): Case => ({ value: new Real(value), sent: ['real', pythonFloat(value)] })),
  fc.constantFrom<Case>({ value: true, sent: true }, { value: false, sent: false }, { value: null, sent: null }),
);
const pythonFloat = (value: number) => (Object.is(value, -0) ? '-0.0' : String(value).replace('Infinity', 'inf'));

const node: fc.Arbitrary<Case> = fc.letrec<{ node: Case }>((tie) => ({
  node: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaf,
    fc.array(tie('node'), { maxLength: 3 }).map((items) => ({
      value: items.map(({ value }) => value),
      sent: ['list', items.map(({ sent }) => sent)],
    })),
    mapOf(tie('node')),
  ),
})).node;

function mapOf(values: fc.Arbitrary<Case>, keys = key): fc.Arbitrary<Case> {
  const entries = fc.uniqueArray(fc.tuple(keys, values), { selector: ([name]) => name.toWellFormed(), maxLength: 4 });
  return entries.map((list) => ({
    value: Object.fromEntries(list.map(([name, { value }]) => [name.toWellFormed(), value])),
    sent: ['map', list.map(([name, { sent }]) => [name.toWellFormed(), sent])],
  }));
}

/** As oracle_files.py tells of what it read: keys are texts with us. */
function told(value: Yaml): unknown {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value;
  if (typeof value === 'bigint') return ['int', String(value)];
  if (typeof value === 'number') return ['number', value];
  if (Array.isArray(value)) return ['list', value.map(told)];
  return ['map', sorted(Object.entries(value).map(([name, each]) => [name, told(each as Yaml)]))];
}

/** A mapping has no order. */
const sorted = (entries: readonly (readonly [unknown, unknown])[]) =>
  entries.toSorted(([one], [other]) => (String(one) < String(other) ? -1 : 1));

/** What is one thing with us: a float that is whole is an integer, and a date is a text, which is not compared. */
function alike(value: unknown): unknown {
  if (!Array.isArray(value)) return value;
  const [kind, content] = value as [string, unknown];
  if (kind === 'real') return ['number', Number(String(content).replace('inf', 'Infinity'))];
  if (kind === 'int') return Number.isSafeInteger(Number(content)) ? ['number', Number(content)] : value;
  if (kind === 'date') return expect.any(String);
  if (kind === 'list') return [kind, (content as unknown[]).map(alike)];
  if (kind === 'map')
    return [kind, sorted((content as [unknown, unknown][]).map(([name, each]) => [name, alike(each)]))];
  return value;
}

const ours = (text: string): unknown => {
  try {
    return told(readAnyYaml(text));
  } catch (error) {
    if (error instanceof Unreadable) return undefined;
    throw error;
  }
};

describe(`YAML (seed ${SEED})`, () => {
  let oracle: Oracle;
  beforeAll(() => {
    oracle = new Oracle();
  });
  afterAll(() => oracle[Symbol.asyncDispose]());

  test('is written to the byte as PyYAML writes it', async () => {
    const cases = sample(mapOf(node));
    const theirs = await oracle.call<string>(
      'yaml_dumps',
      cases.map(({ sent }) => sent),
    );
    for (const [at, { value }] of cases.entries()) {
      expect(writeYaml(value as Record<string, Writable>)).toBe(theirs[at]);
    }
  });

  test('that PyYAML wrote is read as PyYAML reads it', async () => {
    const texts = await oracle.call<string>(
      'yaml_dumps',
      sample(mapOf(node)).map(({ sent }) => sent),
    );
    const theirs = await oracle.call<[unknown] | null>('yaml_loads', texts);
    for (const [at, text] of texts.entries()) expect(ours(text), text).toEqual(alike(theirs[at]?.[0]));
  });

  test('that is flat is read fast as PyYAML reads it, or declined', async () => {
    const texts = [
      ...(await oracle.call<string>(
        'yaml_dumps',
        sample(mapOf(fc.oneof(leaf, mapOf(leaf, field)), field)).map(({ sent }) => sent),
      )),
      ...sample(handWritten),
      ...sample(handWritten.chain(mutated)),
    ];
    const theirs = await oracle.call<[unknown] | null>('yaml_loads', texts);
    const refused = texts.filter((text, at) => {
      const flat = readFlatYaml(text);
      if (flat !== undefined) expect([told(flat)], text).toEqual(theirs[at]?.map(alike));
      return flat === undefined;
    });
    // Else this test would be about nothing.
    expect(refused.length).toBeLessThan(texts.length * 0.8);
    for (const text of texts.filter((each) => readFlatYaml(each)))
      expect(ours(text), text).toEqual(told(readYaml(text)));
  });

  test('of every release is read fast', async () => {
    await inTemporaryFolder(async (folder) => {
      const slow = fileStoreReleases().flatMap((release) => {
        const root = unpackFileStore(release, folder);
        const files = filesBelow(root).filter((name) => /(?:^|\/)(?:meta|trace_info)\.yaml$/.test(name));
        expect(files.length).toBeGreaterThan(40);
        return files.filter((name) => readFlatYaml(readFileSync(join(root, name), 'utf8')) === undefined);
      });
      expect(slow).toEqual([]);
    });
  });
});

const fieldName = fc.constantFrom(
  'name',
  'run_id',
  'a.b/c',
  'x',
  'z',
  'end_time',
  'y',
  'no',
  '1',
  'x y',
  '"q"',
  '__proto__',
  '<<',
  'ключ',
);
const value = fc.oneof(
  text,
  text.map((each) => `'${each.replaceAll("'", "''")}'`),
  text.map((each) => JSON.stringify(each)),
  fc.constantFrom(
    '{}',
    '[]',
    '{a: 1}',
    '[1]',
    '|',
    '>-',
    '&a b',
    '*a',
    '!!str 1',
    'a # b',
    '"\\x41\\u00e9"',
    '"a\\',
    "'a",
  ),
);
const indentation = fc.constantFrom('', '', '', '', '  ', '    ', ' ');
const handWritten = fc
  .array(fc.tuple(indentation, fieldName, fc.constantFrom(': ', ': ', ':', ' : ', ''), value), { maxLength: 5 })
  .map((lines) => lines.map((parts) => `${parts.join('')}\n`).join(''));
const mutated = (text: string) =>
  fc
    .tuple(fc.nat(text.length), fc.constantFrom(...' :\n#-\'"\\{}', ''), fc.nat(2))
    .map(([at, inserted, removed]) => text.slice(0, at) + inserted + text.slice(at + removed));
