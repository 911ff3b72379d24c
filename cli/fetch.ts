/** `clibs fetch`. */

import type { CommandContext } from "./command.ts";
import type { Flags } from "./commands.ts";

/** Runs the command; returns its exit code. */
export function run(
  _context: CommandContext,
  _args: string[],
  _flags: Flags<"fetch">,
): Promise<number> {
  throw new Error("clibs fetch is not written yet");
}
