/** `clibs engines clean`. */

import { cleanBinaries } from "../mod.ts";
import type { CommandContext } from "./command.ts";
import type { Flags } from "./commands.ts";
import { printRemoval } from "./removal.ts";

/** Runs the command; returns its exit code. */
export async function run(
  context: CommandContext,
  _args: string[],
  flags: Flags<"engines clean">,
): Promise<number> {
  const { version: _, ...report } = await cleanBinaries({
    sourceDir: flags.sourceDir,
    outputDir: flags.outputDir,
    profile: flags.profile,
    mode: flags.mode,
    pycache: flags.pycache,
    buildArtifacts: flags.buildArtifacts,
    exclude: flags.exclude,
    dryRun: flags.dryRun,
    cache: flags.noCache ? false : undefined,
    localOutputs: flags.noLocalOutputs ? false : undefined,
    orphans: flags.noOrphans ? false : undefined,
    feedback: context.bus,
  });
  context.result(report);
  printRemoval(context, report);
  return 0;
}
