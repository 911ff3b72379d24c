/** `clibs env`. */

import { packageEnv } from "../mod.ts";
import type { CommandContext } from "./command.ts";
import type { Flags } from "./commands.ts";
import { oneTarget, showVariables } from "./variables.ts";

/** Runs the command; returns its exit code. */
export async function run(
  context: CommandContext,
  args: string[],
  flags: Flags<"env">,
): Promise<number> {
  const variables = await packageEnv(args.length > 0 ? args : ["."], {
    target: oneTarget(flags.target),
    signal: context.signal,
  });
  return showVariables(context, variables, flags.format);
}
