/** Takes the time of each step from what an upgrade tells. */
import type { Step } from './plan.js';
import type { Progress } from './progress.js';

export interface TimedStep {
  readonly step: Step;
  /** In whose turn it came. */
  readonly revision: string;
  /** With the commit behind it, where it is the last one of its transaction. */
  readonly seconds: number;
}

export class StepClock {
  /** A step that had to be tried again is here twice. */
  readonly steps: TimedStep[] = [];
  #running: { readonly step: Step; readonly since: number } | null = null;
  #revision = '';

  readonly tell = (progress: Progress): void => {
    switch (progress.event) {
      case 'revision':
        this.#end();
        this.#revision = progress.planned.revision.id;
        break;
      case 'step':
        this.#end();
        this.#running = { step: progress.step, since: performance.now() };
        break;
      case 'revision-done':
      case 'verifying':
        this.#end();
        break;
      default:
    }
  };

  #end(): void {
    if (this.#running === null) return;
    const { step, since } = this.#running;
    this.steps.push({ step, revision: this.#revision, seconds: (performance.now() - since) / 1000 });
    this.#running = null;
  }
}
