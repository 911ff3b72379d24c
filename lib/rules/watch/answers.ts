/**
 * What commands found out about requested files that were up to date, for the
 * next command that asks for the same.
 *
 * An answer stands for a walk over all that a file depends on. It may stand for
 * it as long as a walk would meet the same things: rules and sources are the
 * same, as the file's plan still is the same object (all plans are dropped with
 * them); no file has changed, as all that the walk looked at was trusted, and
 * everything that was trusted then still is, or as all of it was looked at
 * again; the store is the same, as no
 * command has done anything but to get such answers. What a walk cannot know
 * from that is asked each time: what jobs used of the system. Options do not
 * matter: those that do have no walk begun. Variables that rules depend on are
 * part of what the rules are.
 */

import type { Outcome } from "../engine/state.ts";
import type { Walk } from "./walk.ts";

/** What a walk came to. */
export interface Answer {
  outcome: Outcome;
  /** The file's plan, which says that it is the same walk. */
  plan: unknown;
  /** Of the watcher, when it was found out. */
  changes: number;
  /** What has to be as it was, if nobody watches it. */
  walk?: Walk;
  /** Names of the sets of what the jobs used of the system. */
  systems: ReadonlySet<string>;
}

/** More are not kept. */
const MOST = 10_000;

/** The answers that may still hold. */
export class Answers {
  readonly #answers = new Map<string, Answer>();
  #commands = 0;

  /** How many there are. */
  get size(): number {
    return this.#answers.size;
  }

  /** Begins a command. What one does another's answers do not know. */
  begin(): void {
    this.#commands++;
    if (this.#commands > 1) this.#answers.clear();
  }

  /** Ends a command. */
  end(hasDoneNothing: boolean): void {
    this.#commands--;
    if (!hasDoneNothing) this.#answers.clear();
  }

  /** What a file is, if nothing has changed since. */
  get(file: string, plan: unknown, changes: number): Answer | undefined {
    if (this.#commands !== 1) return undefined;
    const answer = this.#answers.get(file);
    if (!answer || answer.changes !== changes) return undefined;
    return answer.plan === plan ? answer : undefined;
  }

  /** Keeps what a file is. */
  set(file: string, answer: Answer): void {
    if (this.#commands !== 1) return;
    if (this.#answers.size >= MOST) this.#answers.clear();
    this.#answers.set(file, answer);
  }
}
