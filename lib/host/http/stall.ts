/** Gives up on servers that keep a connection open without using it. */

/** Less than this within the patience counts as nothing: some servers drip. */
const MIN_BYTES = 1024;

/** Aborts a request when next to nothing has come for a while, or the caller says so. */
export class StallWatch implements Disposable {
  /** Whether the server was given up on. */
  stalled = false;
  /** Bytes that came since the last sign of life. */
  bytes = 0;
  readonly #controller = new AbortController();
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #outer: AbortSignal | undefined;
  readonly #onAbort = () => this.#controller.abort();
  #last = performance.now();

  /**
   * @param stallMs How long to wait for an answer, or for the next 1024 bytes.
   * @param outer The caller's signal.
   */
  constructor(stallMs: number, outer: AbortSignal | undefined) {
    this.#outer = outer;
    outer?.addEventListener("abort", this.#onAbort, { once: true });
    if (outer?.aborted) this.#controller.abort();
    // One timer for all pieces: re-arming one for each costs more than reading.
    this.#timer = setInterval(() => {
      if (performance.now() - this.#last < stallMs) return;
      this.stalled = true;
      this.#controller.abort();
    }, Math.max(10, Math.min(1000, stallMs / 4)));
  }

  /** Aborts the request. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** A server has answered. */
  answered(): void {
    this.bytes = 0;
    this.#last = performance.now();
  }

  /** A piece of the body came. */
  received(bytes: number): void {
    this.bytes += bytes;
    if (this.bytes >= MIN_BYTES) this.answered();
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#outer?.removeEventListener("abort", this.#onAbort);
  }
}
