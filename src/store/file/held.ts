/** As much as there is room for; what was not used for longest goes first. */
export class Held<What> {
  readonly #limit: number;
  readonly #entries = new Map<string, { readonly what: What; readonly bytes: number }>();
  #bytes = 0;

  /** @param limit what entries may cost together */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get(key: string): What | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.what;
  }

  set(key: string, what: What, bytes: number): void {
    this.#drop(key);
    this.#entries.set(key, { what, bytes });
    this.#bytes += bytes;
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= this.#limit) return;
      this.#drop(oldest);
    }
  }

  #drop(key: string): void {
    this.#bytes -= this.#entries.get(key)?.bytes ?? 0;
    this.#entries.delete(key);
  }
}
