/** Searches in the registry: filters and orders that chance has made find the same as in MLflow's store, page by page. */
import * as fc from 'fast-check';
import { test } from 'vitest';
import type { Call, Oracle } from '../../support/oracle.js';
import { twins } from '../../support/twin.js';
import type { Implementation } from '../implementations.js';
import {
  asked,
  clauses,
  join,
  listed,
  ordered,
  orders,
  pair,
  pairs,
  quoted,
  quotedOf,
  sample,
  sizes,
  textual,
  under,
} from './chance.js';

// Different on every database, whatever letters it takes for the same.
const NAMES = ['a', 'ab', 'aX', 'b%c', 'b_c', "it's", 'äö', '模型', 'x y', '10', 'prompt', 'Prompt two'];
const IS_PROMPT = 'mlflow.prompt.is_prompt';
const STAGES = ['None', 'Staging', 'Production', 'Archived'];

const version = fc.record({
  name: fc.constantFrom(...NAMES),
  source: fc.constantFrom('s3://a', 's3://A', 'b'),
  run_id: fc.constantFrom('r', 'R', 's'),
  tags: pairs,
  stage: fc.constantFrom(...STAGES),
  deleted: fc.integer({ min: 0, max: 5 }).map((chance) => chance === 0),
});

function database(): Call[] {
  const tags = sample(pairs, NAMES.length);
  const calls = NAMES.map((name, at): Call => {
    const prompt = /prompt/i.test(name) ? [pair(IS_PROMPT, 'true')] : at === 0 ? [pair(IS_PROMPT, 'False')] : [];
    return ['registry.models.create', [{ name, tags: [...(tags[at] ?? []), ...prompt] }]];
  });
  const counts = new Map<string, number>();
  for (const { stage, deleted, ...made } of sample(version, 40)) {
    const number = (counts.get(made.name) ?? 0) + 1;
    counts.set(made.name, number);
    const prompt = made.name === 'prompt' && number === 1 ? [pair(IS_PROMPT, 'true')] : [];
    calls.push(['registry.versions.create', [{ ...made, tags: [...made.tags, ...prompt] }]]);
    const of = [made.name, String(number)];
    if (deleted) calls.push(['registry.versions.delete', of]);
    else calls.push(['registry.versions.transitionStage', [...of, stage, false]]);
  }
  calls.push(['registry.models.setAlias', ['ab', 'best', '1']]);
  return calls;
}

const tagged = [
  join(under(['tags', 'tag']), textual, quoted),
  join(
    fc.constantFrom(`tags.\`${IS_PROMPT}\``),
    fc.constantFrom('=', '!=', 'LIKE'),
    quotedOf('true', 'TRUE', 'false', 'tr%'),
  ),
];
const named = [
  join('name', textual, quotedOf(...NAMES, '%a%', 'A%', '_')),
  join('name', fc.constantFrom('IN', 'NOT IN'), listed),
];
const refused = fc.constantFrom('nonsense', "name > 'a'", "tags.k IN ('a')", "stage = 'None'", 'version_number LIKE 1');

const models = fc.record(
  {
    filter: clauses(...named, ...tagged, refused),
    order_by: orders(fc.constantFrom('name', 'timestamp', 'last_updated_timestamp', 'nonsense')),
    max_results: sizes,
  },
  { requiredKeys: [] },
);

const versions = fc.record(
  {
    filter: clauses(
      ...named,
      ...tagged,
      join('run_id', textual, quotedOf('r', 'R', '%', 's')),
      join('run_id', fc.constantFrom('IN', 'NOT IN'), fc.constantFrom("('r')", "('R', 's')")),
      join('source_path', textual, quotedOf('s3://a', 's3://%', 'B')),
      join('version_number', ordered, fc.constantFrom('1', '2', "'3'", '1.5')),
      join(
        fc.constantFrom('creation_timestamp', 'last_updated_timestamp'),
        ordered,
        String(Date.UTC(2024, 1, 29, 12, 0, 30)),
      ),
      refused,
    ),
    order_by: orders(
      fc.constantFrom('name', 'version_number', 'creation_timestamp', 'last_updated_timestamp', 'nonsense'),
    ),
    max_results: fc.oneof(sizes, fc.constantFrom(0, 200_001)),
  },
  { requiredKeys: [] },
);

/** @param oracle asked for when it is needed: it is not there before */
export function registrySearches(implementation: Implementation, oracle: () => Oracle): void {
  test('searches in the registry find what MLflow finds', async () => {
    const before = database();
    const first = asked('registry.models.search', models, before.length);
    const second = asked('registry.versions.search', versions, before.length + first.length);
    await twins(implementation, oracle(), [...first, ...second], { before });
  });
}
