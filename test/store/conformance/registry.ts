/** The model registry: the same calls on MLflow's store give the same answers, refusals and rows. */
import { test } from 'vitest';
import type { Call, Oracle } from '../../support/oracle.js';
import { twins } from '../../support/twin.js';
import type { Implementation } from '../implementations.js';

const TABLES = [
  'registered_models',
  'registered_model_tags',
  'registered_model_aliases',
  'model_versions',
  'model_version_tags',
];
const PROMPT = { key: 'mlflow.prompt.is_prompt', value: 'true' };

const model = (name: string, more: object = {}): Call => ['registry.models.create', [{ name, tags: [], ...more }]];
const version = (name: string, more: object = {}): Call => [
  'registry.versions.create',
  [{ name, source: `s3://bucket/${name}`, tags: [], ...more }],
];
const tag = (key: string, value: string) => ({ key, value });

/** @param oracle asked for when it is needed: it is not there before */
export function registrySuite(implementation: Implementation, oracle: () => Oracle): void {
  test('registered models, from the first to the last', async () => {
    await twins(
      implementation,
      oracle(),
      [
        model('one', { description: 'of several', tags: [tag('a', '1'), tag('b', 'x y'), tag('a', '2')] }),
        model('two', { description: '' }),
        model('Ünïcode 模型', { tags: [tag('sprache/ü', 'ß')] }),
        model('one'),
        model('a prompt', { tags: [PROMPT, tag('mlflow.prompt.text', 'Hello')] }),
        model('a prompt', { tags: [PROMPT] }),
        model('a prompt'),
        model('one', { tags: [PROMPT] }),
        ['registry.models.get', ['one']],
        ['registry.models.get', ['nowhere']],
        ['registry.models.update', ['two', 'described later']],
        ['registry.models.update', ['nowhere', 'x']],
        ['registry.models.setTag', ['one', tag('c', 'new')]],
        ['registry.models.setTag', ['one', tag('a', 'changed')]],
        ['registry.models.setTag', ['nowhere', tag('a', 'changed')]],
        ['registry.models.deleteTag', ['one', 'b']],
        ['registry.models.deleteTag', ['one', 'not there']],
        ['registry.models.deleteTag', ['nowhere', 'b']],
        ['registry.models.get', ['one']],
        version('one'),
        version('one', { tags: [tag('v', '1')] }),
        ['registry.models.setAlias', ['one', 'best', '2']],
        ['registry.models.rename', ['one', 'three']],
        ['registry.models.rename', ['one', 'four']],
        ['registry.models.rename', ['three', ' ']],
        ['registry.models.get', ['three']],
        ['registry.models.get', ['one']],
        ['registry.versions.get', ['three', '2']],
        ['registry.models.delete', ['two']],
        ['registry.models.delete', ['two']],
        ['registry.models.search', [{}]],
      ],
      { tables: TABLES },
    );
  });

  test('versions, their stages and what is left of a deleted one', async () => {
    await twins(
      implementation,
      oracle(),
      [
        model('m'),
        model('other'),
        version('m', { run_id: 'a run', run_link: 'http://link', description: 'first' }),
        version('m', { tags: [tag('a', '1'), tag('a', '2'), tag('b', '')] }),
        version('m', { source: '' }),
        version('other'),
        version('nowhere'),
        ['registry.versions.get', ['m', '1']],
        ['registry.versions.get', ['m', '9']],
        ['registry.versions.get', ['m', 'x']],
        ['registry.versions.get', ['m', ' 1_0 ']],
        ['registry.versions.get', ['m/', '1']],
        ['registry.versions.update', ['m', '1', 'described']],
        ['registry.versions.update', ['m', '9', 'described']],
        ['registry.versions.transitionStage', ['m', '1', 'production', false]],
        ['registry.versions.transitionStage', ['m', '2', 'Production', true]],
        ['registry.versions.transitionStage', ['m', '3', 'STAGING', true]],
        ['registry.versions.transitionStage', ['m', '3', 'archived', true]],
        ['registry.versions.transitionStage', ['m', '3', 'nonsense', true]],
        ['registry.versions.transitionStage', ['m', '9', 'Staging', true]],
        ['registry.models.latestVersions', ['m']],
        ['registry.models.latestVersions', ['m', ['production', 'None']]],
        ['registry.models.latestVersions', ['m', ['nonsense']]],
        ['registry.models.latestVersions', ['nowhere', ['nonsense']]],
        ['registry.models.get', ['m']],
        ['registry.versions.setTag', ['m', '2', tag('a', 'changed')]],
        ['registry.versions.setTag', ['m', '2', tag('c', 'new')]],
        ['registry.versions.setTag', ['m', '9', tag('c', 'new')]],
        ['registry.versions.deleteTag', ['m', '2', 'b']],
        ['registry.versions.deleteTag', ['m', '2', 'b']],
        ['registry.versions.deleteTag', ['m', '9', 'b']],
        ['registry.versions.get', ['m', '2']],
        ['registry.versions.downloadUri', ['m', '1']],
        ['registry.versions.downloadUri', ['m', '9']],
        ['registry.models.setAlias', ['m', 'best', '2']],
        ['registry.models.setAlias', ['m', 'second', '2']],
        ['registry.versions.delete', ['m', '2']],
        ['registry.versions.delete', ['m', '2']],
        ['registry.versions.delete', ['m', 'x']],
        ['registry.versions.get', ['m', '2']],
        ['registry.versions.downloadUri', ['m', '2']],
        ['registry.models.setAlias', ['m', 'best', '2']],
        ['registry.models.latestVersions', ['m']],
        ['registry.models.get', ['m']],
        version('m'),
        ['registry.versions.delete', ['m', '4']],
        version('m'),
        ['registry.versions.search', [{ filter: "name = 'm'" }]],
        ['registry.models.rename', ['m', 'renamed']],
        ['registry.models.delete', ['renamed']],
        ['registry.versions.search', [{}]],
      ],
      { tables: TABLES },
    );
  });
}
