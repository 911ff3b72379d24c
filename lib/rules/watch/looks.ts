/**
 * A repo that is not watched: what commands found out may hold for the next
 * one, if all that they looked at is looked at again.
 */

import { Answers } from "./answers.ts";
import { CommandWatch, type Watched } from "./command.ts";

/** Vouches for nothing by itself. */
export class LookAgain implements Watched {
  readonly answers = new Answers();
  readonly changes = 0;
  readonly looksAgain = true;

  /** Begins a command. */
  begin(): CommandWatch {
    this.answers.begin();
    return new CommandWatch(this, () => {});
  }

  /** There is nothing to catch up with. */
  catchUp(): void {}

  /** Nothing is trusted. */
  trusted(): undefined {}

  /** Nothing will be. */
  want(): void {}
}
