/** `clibs export`. */

import { packageExports } from "../mod.ts";
import type { CommandContext } from "./command.ts";
import type { Flags } from "./commands.ts";
import { oneTarget, showVariables } from "./variables.ts";

/** Runs the command; returns its exit code. */
export async function run(
  context: CommandContext,
  args: string[],
  flags: Flags<"export">,
): Promise<number> {
  const variables = await packageExports(args.length > 0 ? args : ["."], {
    target: oneTarget(flags.target),
    signal: context.signal,
  });
  return showVariables(context, variables, flags.format);
}
