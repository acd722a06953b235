/** Before all tests: the oracle is there, or it is said that it is not; and the artifacts of the fixtures are. */
import type { TestProject } from 'vitest/node';
import { unpackArtifacts } from './artifacts.js';
import { installMlflow } from './mlflow.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** Why real MLflow cannot be used here; null when it can. */
    oracleMissing: string | null;
  }
}

export default async function setup(project: TestProject): Promise<void> {
  // MLflow says nothing of a trace whose spans it does not find.
  await unpackArtifacts();
  let missing: string | null = null;
  try {
    await installMlflow();
  } catch (error) {
    missing = error instanceof Error ? (error.message.split('\n')[0] ?? 'failed') : String(error);
    if (process.env.CI === 'true') throw error;
    console.warn(`\nNOT RUN: the tests against real MLflow, which cannot be installed here: ${missing}\n`);
  }
  project.provide('oracleMissing', missing);
}
