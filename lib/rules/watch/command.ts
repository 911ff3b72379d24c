/** What one command gets from a watched repo. */

import type { Outcome } from "../engine/state.ts";
import type { FileRecord } from "../state/store.ts";
import type { Answer, Answers } from "./answers.ts";
import { Walk } from "./walk.ts";

/** What vouches for files. */
export interface Watched {
  /** What commands were told, as long as it holds. */
  readonly answers: Answers;
  /** Grows when something that was trusted is trusted no more. */
  readonly changes: number;
  /** Whether answers hold only if all that they come from is looked at again. */
  readonly looksAgain: boolean;
  /** Takes in all that happened until now. */
  catchUp(): void;
  /** See `Watcher`. */
  trusted(name: string): FileRecord | null | undefined;
  /** See `Watcher`. */
  want(name: string, record: FileRecord | null): void;
}

/**
 * A command's view of what is watched. It vouches for files only within
 * {@linkcode asOfNow}: what the command itself does between may be news.
 */
export class CommandWatch {
  readonly #watcher: Watched;
  readonly #end: () => void;
  /** Of the watcher, when the command began to look. */
  #changes: number | undefined;
  #isNow = false;
  #isFirst = false;
  #isSure = true;
  #hasDoneNothing = false;
  /** What was looked at for the only requested file. */
  #walk: Walk | undefined;
  #asked = 0;
  #found = 0;

  /** Begins a command; see {@linkcode Watcher.begin}. */
  constructor(watcher: Watched, end: () => void) {
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
    // Of several, the later ones come from looks for the earlier ones.
    if (count === 1 && this.#watcher.looksAgain) this.#walk = new Walk();
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
  saw(
    name: string,
    path: string,
    record: FileRecord | null | undefined,
  ): void {
    if (!this.#isNow) return;
    if (this.#walk && record !== undefined) {
      this.#walk.add(name, path, record);
      return;
    }
    this.#isSure = false;
    if (record !== undefined) this.#watcher.want(name, record);
  }

  /** Takes note of something that is asked anew each time. */
  cannotTell(): void {
    this.#isSure = false;
  }

  /**
   * What an earlier command found out about a requested file.
   *
   * @param look See {@linkcode Walk.isSame}.
   */
  answer(
    file: string,
    plan: unknown,
    look: (name: string, sum: string) => FileRecord | undefined,
  ): Answer | undefined {
    if (!this.#isFirst) return undefined;
    const { answers, changes, looksAgain } = this.#watcher;
    const answer = answers.get(file, plan, changes);
    return !answer || !looksAgain || answer.walk?.isSame(look)
      ? answer
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
    const walk = this.#walk;
    if (this.#watcher.looksAgain && !walk) return;
    this.#watcher.answers.set(file, {
      ...answer,
      systems: new Set(answer.systems),
      changes,
      ...(walk ? { walk } : {}),
    });
  }

  /** Ends the command. */
  end(): void {
    this.#watcher.answers.end(this.#hasDoneNothing);
    this.#end();
  }
}
