/** `clibs update`. */

import type { CommandContext } from "./command.ts";
import type { Flags } from "./commands.ts";

/** Runs the command; returns its exit code. */
export function run(
  _context: CommandContext,
  _args: string[],
  _flags: Flags<"update">,
): Promise<number> {
  throw new Error("clibs update is not written yet");
}
