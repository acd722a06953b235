/**
 * One change of a record after the other, within this process: what is read is what is changed then. MLflow takes no lock at
 * all, and a file that would be one could only stand in its way.
 */
export class Locks {
  readonly #last = new Map<string, Promise<unknown>>();

  /** Waits for what was asked for earlier under the same name. */
  async hold<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
    const before = this.#last.get(name) ?? Promise.resolve();
    const result = before.then(work);
    const settled = result.then(nothing, nothing);
    this.#last.set(name, settled);
    try {
      return await result;
    } finally {
      if (this.#last.get(name) === settled) this.#last.delete(name);
    }
  }

  /** When all that was asked for by now is done. */
  async done(): Promise<void> {
    await Promise.all(this.#last.values());
  }
}

const nothing = (): void => {};
