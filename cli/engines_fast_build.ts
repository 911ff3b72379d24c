/** `clibs engines fast-build`. */

import { fastBootBuildAll } from "../mod.ts";
import type { CommandContext } from "./command.ts";
import type { Flags } from "./commands.ts";
import {
  buildOptions,
  engineTable,
  FAILED,
  reportErrors,
} from "./engine_results.ts";

/** Runs the command; returns its exit code. */
export async function run(
  context: CommandContext,
  args: string[],
  flags: Flags<"engines fast-build">,
): Promise<number> {
  const { version: _, ...report } = await fastBootBuildAll({
    names: args,
    ...buildOptions(context, flags),
  });
  context.result(report);
  context.stdout(engineTable(report.results));
  reportErrors(context, report.results);
  return report.ok ? 0 : FAILED;
}
