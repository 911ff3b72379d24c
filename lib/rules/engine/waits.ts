/** Which jobs wait for which: finds loops, and tells who is held up. */

import type { JobState } from "./state.ts";

/** Jobs that wait for jobs, in one command. */
export class WaitGraph {
  /** Jobs that each job waits for, with how often. */
  readonly #waits = new Map<JobState, Map<JobState, number>>();
  /** The same the other way round. */
  readonly #waitedBy = new Map<JobState, Set<JobState>>();

  /** Notes that a job waits for another; {@linkcode leave} ends it. */
  enter(from: JobState, to: JobState): void {
    let waits = this.#waits.get(from);
    if (!waits) this.#waits.set(from, waits = new Map());
    waits.set(to, (waits.get(to) ?? 0) + 1);
    let waiting = this.#waitedBy.get(to);
    if (!waiting) this.#waitedBy.set(to, waiting = new Set());
    waiting.add(from);
    if (to.isDelayed) this.delay(from);
  }

  /** Ends one wait of a job for another. */
  leave(from: JobState, to: JobState): void {
    const waits = this.#waits.get(from);
    const count = (waits?.get(to) ?? 0) - 1;
    if (count > 0) {
      waits!.set(to, count);
      return;
    }
    waits?.delete(to);
    this.#waitedBy.get(to)?.delete(from);
  }

  /**
   * The loop that would close if a job waited for another, as people read it;
   * undefined if none would.
   */
  loop(from: JobState, to: JobState): string | undefined {
    const path = this.#path(to, from);
    if (!path) return undefined;
    const names = [...path, path[0]!].map(({ job }) => job.display);
    return `its deps form a loop: ${names.join(" needs ")}`;
  }

  /** How `start` comes to wait for `goal`; undefined if it does not. */
  #path(start: JobState, goal: JobState): JobState[] | undefined {
    const seen = new Set<JobState>();
    const search = (at: JobState): JobState[] | undefined => {
      if (at === goal) return [at];
      if (seen.has(at)) return undefined;
      seen.add(at);
      for (const next of this.#waits.get(at)?.keys() ?? []) {
        const found = search(next);
        if (found) return [at, ...found];
      }
      return undefined;
    };
    return search(start);
  }

  /** Notes that a job has to run, and whoever waits for it to wait. */
  delay(state: JobState): void {
    if (state.isDelayed) return;
    state.isDelayed = true;
    state.delayed.resolve(undefined);
    for (const waiting of this.#waitedBy.get(state) ?? []) this.delay(waiting);
  }

  /** Ends what {@linkcode delay} began: its outcome is there. */
  undelay(state: JobState): void {
    if (!state.isDelayed) return;
    state.isDelayed = false;
    state.delayed = Promise.withResolvers();
  }
}
