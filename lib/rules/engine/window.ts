/** Many things at once, but not too many. */

/**
 * Deps of one job that are brought up to date at once. What waits takes memory,
 * and a job may have 100,000 deps; those of others are not held up by it.
 */
export const WINDOW = 1000;

/** Waits for what was begun whenever that is much. */
export class Window {
  #pending = 0;
  #wake: (() => void) | undefined;
  #problem: { thrown: unknown } | undefined;

  /** Whether some of it failed, so that no more need begin. */
  get hasFailed(): boolean {
    return this.#problem !== undefined;
  }

  /** Takes in what was begun; the result is settled with it, and never fails. */
  add(begun: Promise<void>): Promise<void> {
    this.#pending++;
    return begun.catch((thrown) => {
      this.#problem ??= { thrown };
    }).finally(() => {
      this.#pending--;
      this.#wake?.();
    });
  }

  /** Whether there is no room for more. */
  get isFull(): boolean {
    return this.#pending >= WINDOW;
  }

  /** Waits for something that was begun to end. */
  async next(): Promise<void> {
    await new Promise<void>((done) => this.#wake = done);
    this.#wake = undefined;
  }

  /**
   * Waits for all that was begun, whatever became of some of it.
   *
   * @throws What the first one that failed threw.
   */
  async end(): Promise<void> {
    while (this.#pending > 0) await this.next();
    if (this.#problem) throw this.#problem.thrown;
  }
}
