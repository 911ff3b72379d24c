/** `clibs update`. */

import { updatePackages } from "../mod.ts";
import type { CommandContext } from "./command.ts";
import type { Flags } from "./commands.ts";
import { showFetched } from "./fetch.ts";

/** Runs the command; returns its exit code. */
export async function run(
  context: CommandContext,
  args: string[],
  flags: Flags<"update">,
): Promise<number> {
  const { packages } = await updatePackages(args.length > 0 ? args : ["."], {
    jobs: flags.jobs,
    feedback: context.bus,
    signal: context.signal,
  });
  return showFetched(context, packages);
}
