/** `clibs list`. */

import type { CommandContext } from "./command.ts";
import type { Flags } from "./commands.ts";

/** Runs the command; returns its exit code. */
export function run(
  _context: CommandContext,
  _args: string[],
  _flags: Flags<"list">,
): Promise<number> {
  throw new Error("clibs list is not written yet");
}
