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
import { spans, traces } from './twin/traces.js';
import { wrongValues } from './twin/wrong-values.js';

const SEQUENCES: Readonly<Record<StoreKind, Readonly<Record<string, readonly Step[]>>>> = {
  database: {
    experiments,
    runs,
    metrics,
    'logged models': loggedModels,
    registry,
    artifacts,
    traces,
    spans,
    'values of wrong types': wrongValues(),
  },
  files: { experiments, runs, metrics, 'logged models': loggedModels, artifacts, traces },
};

let mlflow: MlflowApp;
beforeAll(() => {
  mlflow = new MlflowApp();
});
afterAll(() => mlflow[Symbol.asyncDispose]());

describe.each<StoreKind>(['database', 'files'])('REST as MLflow on %s', (kind) => {
  test.each(Object.entries(SEQUENCES[kind]))('%s', { timeout: 600_000 }, async (_, steps) => {
    const ours = await mtrack(kind);
    try {
      expect(await compare(kind, [await mlflow.on(kind), ours], steps)).toBeGreaterThan(5);
    } finally {
      await ours.close();
    }
  });
});
