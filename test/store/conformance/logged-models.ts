/** Logged models: the same calls on MLflow's store give the same answers, refusals and rows. */
import { test } from 'vitest';
import type { Call, Oracle, Reference } from '../../support/oracle.js';
import { twins } from '../../support/twin.js';
import type { Implementation } from '../implementations.js';

const TABLES = ['logged_models', 'logged_model_params', 'logged_model_tags', 'logged_model_metrics'];

const pair = (key: string, value: string) => ({ key, value });
const create = (more: object): Call => ['loggedModels.create', [{ experiment_id: '0', params: [], tags: [], ...more }]];
const idOf = (of: number): Reference => ({ of, path: ['info', 'model_id'] });

/** @param oracle asked for when it is needed: it is not there before */
export function loggedModelsSuite(implementation: Implementation, oracle: () => Oracle): void {
  test('logged models, from the first to the last', async () => {
    const before: Call[] = [
      ['experiments.create', [{ name: 'elsewhere', tags: [], artifact_location: 's3://bucket/place?a=b' }]],
      ['experiments.create', [{ name: 'gone', tags: [] }]],
      ['experiments.delete', ['2']],
    ];
    await twins(
      implementation,
      oracle(),
      [
        create({
          name: 'model 模型',
          model_type: 'agent',
          source_run_id: 'a run',
          params: [pair('p', '1'), pair('long', 'x'.repeat(7000))],
          tags: [pair('t', 'ü'), pair('u', '')],
        }),
        create({ name: 'other', experiment_id: '1' }),
        create({ name: 'x', experiment_id: '2' }),
        create({ name: 'x', experiment_id: '99' }),
        create({ name: 'x', experiment_id: 'x' }),
        create({ name: '' }),
        create({ name: 'a/b' }),
        create({ name: "a'b" }),
        create({ name: 'twice', params: [pair('p', '1'), pair('p', '1')] }),
        ['loggedModels.get', [idOf(3)]],
        ['loggedModels.get', ['m-none']],
        ['loggedModels.finalize', [idOf(3), 'LOGGED_MODEL_READY']],
        ['loggedModels.finalize', [idOf(4), 'LOGGED_MODEL_UPLOAD_FAILED']],
        ['loggedModels.finalize', ['m-none', 'LOGGED_MODEL_READY']],
        ['loggedModels.setTags', [idOf(3), [pair('t', 'changed'), pair('v', '1'), pair('v', '2')]]],
        ['loggedModels.setTags', [idOf(3), []]],
        ['loggedModels.setTags', ['m-none', [pair('t', '')]]],
        ['loggedModels.deleteTag', [idOf(3), 'u']],
        ['loggedModels.deleteTag', [idOf(3), 'u']],
        ['loggedModels.deleteTag', ['m-none', 'u']],
        ['loggedModels.logParams', [idOf(3), [pair('q', '2'), pair('r', '3')]]],
        ['loggedModels.logParams', [idOf(3), [pair('s', '2'), pair('q', '2')]]],
        ['loggedModels.logParams', [idOf(3), []]],
        ['loggedModels.logParams', ['m-none', [pair('q', '2')]]],
        ['loggedModels.get', [idOf(3)]],
        ['loggedModels.delete', [idOf(4)]],
        ['loggedModels.delete', ['m-none']],
        ['loggedModels.get', [idOf(4)]],
        ['loggedModels.get', [idOf(4), true]],
        ['loggedModels.setTags', [idOf(4), [pair('of', 'the deleted')]]],
        ['loggedModels.finalize', [idOf(4), 'LOGGED_MODEL_READY']],
        ['loggedModels.search', [{ experiment_ids: ['0', '1', '2'] }]],
        // Models that are the source of a version.
        ['registry.models.create', [{ name: 'registered', tags: [] }]],
        ['registry.versions.create', [{ name: 'registered', tags: [], source: 's3://x', model_id: idOf(3) }]],
        ['registry.versions.create', [{ name: 'registered', tags: [], source: 's3://x', model_id: 'm-none' }]],
        ['registry.versions.create', [{ name: 'registered', tags: [], source: 'models:/registered/1' }]],
        ['registry.versions.create', [{ name: 'registered', tags: [], source: 'models:/registered/9' }]],
        ['registry.versions.create', [{ name: 'registered', tags: [], source: 'models:/registered/Production' }]],
        ['registry.versions.create', [{ name: 'registered', tags: [], source: 'models:/registered@best' }]],
        ['registry.versions.create', [{ name: 'registered', tags: [], source: 'models:/m-none' }]],
        ['registry.versions.create', [{ name: 'registered', tags: [], source: 'models:registered' }]],
        ['registry.versions.create', [{ name: 'registered', tags: [], source: 'models:/a/b/c' }]],
        ['registry.versions.create', [{ name: 'registered', tags: [], source: 'MODELS://registered' }]],
      ],
      {
        before,
        tables: [...TABLES, 'model_versions'],
        inOtherWords: ([method, [request]]) =>
          (method === 'loggedModels.logParams' && request !== 'm-none') || JSON.stringify(request).includes('"twice"'),
      },
    );
  });
}
