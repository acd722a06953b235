/** The same requests to MLflow's server and to this one: the same status, the same JSON. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { artifacts } from './twin/artifacts.js';
import { experiments } from './twin/experiments.js';
import { loggedModels } from './twin/logged-models.js';
import { metrics } from './twin/metrics.js';
import { MlflowApp, mtrack, type StoreKind } from './twin/peers.js';
import { registry } from './twin/registry.js';
import { runs } from './twin/runs.js';
import { compare, type Step } from './twin/steps.js';
import { wrongValues } from './twin/wrong-values.js';

const SEQUENCES: Readonly<Record<string, readonly Step[]>> = {
  experiments,
  runs,
  metrics,
  loggedModels,
  registry,
  artifacts,
  'values of wrong types': wrongValues(),
};

let mlflow: MlflowApp;
beforeAll(() => {
  mlflow = new MlflowApp();
});
afterAll(() => mlflow[Symbol.asyncDispose]());

describe.each<StoreKind>(['database'])('REST as MLflow on %s', (kind) => {
  test.each(Object.entries(SEQUENCES))('%s', async (_, steps) => {
    const ours = await mtrack(kind);
    try {
      expect(await compare([await mlflow.on(kind), ours], steps)).toBeGreaterThan(5);
    } finally {
      await ours.close();
    }
  });
});
