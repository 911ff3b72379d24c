/** What one command gets from a watched repo. */

import type { Outcome } from "../engine/state.ts";
import type { FileRecord } from "../state/store.ts";
import type { Answer } from "./answers.ts";
import type { Watcher } from "./watcher.ts";

/**
 * A command's view of what is watched. It vouches for files only within
 * {@linkcode asOfNow}: what the command itself does between may be news.
 */
export class CommandWatch {
  readonly #watcher: Watcher;
  readonly #end: () => void;
  /** Of the watcher, when the command began to look. */
  #changes: number | undefined;
  #isNow = false;
  #isFirst = false;
  #isSure = true;
  #hasDoneNothing = false;
  #asked = 0;
  #found = 0;

  /** Begins a command; see {@linkcode Watcher.begin}. */
  constructor(watcher: Watcher, end: () => void) {
    this.#watcher = watcher;
    this.#end = end;
  }

  /** Looks at files as they are now; nothing may be written meanwhile. */
  asOfNow(look: () => Outcome | undefined): Outcome | undefined {
    this.#watcher.catchUp();
    this.#changes ??= this.#watcher.changes;
    this.#isNow = true;
    try {
      const found = look();
      if (this.#isFirst) this.#asked++;
      if (this.#isFirst && found) this.#found++;
      return found;
    } finally {
      this.#isNow = false;
    }
  }

  /**
   * Asks for the requested files, before anything else is done in the command:
   * only then earlier answers are good, and what is found is good for others.
   *
   * @param count How many they are.
   */
  first<T>(count: number, ask: () => T): T {
    this.#isFirst = true;
    try {
      return ask();
    } finally {
      this.#isFirst = false;
      this.#hasDoneNothing = this.#asked === count && this.#found === count;
    }
  }

  /** The record of a file that is as that says; null if there is no file. */
  vouched(name: string): FileRecord | null | undefined {
    return this.#isNow ? this.#watcher.trusted(name) : undefined;
  }

  /**
   * Takes note that a file had to be looked at.
   *
   * @param record What may be vouched for in future; null: that there is no
   *   file; undefined: nothing.
   */
  saw(name: string, record: FileRecord | null | undefined): void {
    if (!this.#isNow) return;
    this.#isSure = false;
    if (record !== undefined) this.#watcher.want(name, record);
  }

  /** Takes note of something that is asked anew each time. */
  cannotTell(): void {
    this.#isSure = false;
  }

  /** What an earlier command found out about a requested file. */
  answer(file: string, plan: unknown): Answer | undefined {
    return this.#isFirst
      ? this.#watcher.answers.get(file, plan, this.#watcher.changes)
      : undefined;
  }

  /** Keeps what was found out about a requested file, if it may be told again. */
  keep(
    file: string,
    answer: Pick<Answer, "outcome" | "plan"> & { systems: Iterable<string> },
  ): void {
    const { changes } = this.#watcher;
    // What an earlier question came to may not hold for this one's moment.
    if (!this.#isFirst || !this.#isSure || this.#changes !== changes) return;
    this.#watcher.answers.set(file, {
      ...answer,
      systems: new Set(answer.systems),
      changes,
    });
  }

  /** Ends the command. */
  end(): void {
    this.#watcher.answers.end(this.#hasDoneNothing);
    this.#end();
  }
}
