/** `clibs engines prune`. */

import { pruneCache } from "../mod.ts";
import type { CommandContext } from "./command.ts";
import type { Flags } from "./commands.ts";
import { printRemoval } from "./removal.ts";

/** Runs the command; returns its exit code. */
export async function run(
  context: CommandContext,
  _args: string[],
  flags: Flags<"engines prune">,
): Promise<number> {
  const { version: _, ...report } = await pruneCache({
    sourceDir: flags.sourceDir,
    maxVersions: flags.maxVersions,
    maxAgeDays: flags.maxAgeDays,
    dryRun: flags.dryRun,
  });
  context.result(report);
  printRemoval(context, report);
  return 0;
}
