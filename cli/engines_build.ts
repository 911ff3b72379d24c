/** `clibs engines build`. */

import { buildEngines } from "../mod.ts";
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
  flags: Flags<"engines build">,
): Promise<number> {
  const { version: _, ...report } = await buildEngines(args, {
    ...buildOptions(context, flags),
    policy: flags.policy,
  });
  context.result(report);
  context.stdout(engineTable(report.results));
  reportErrors(context, report.results);
  return report.ok ? 0 : FAILED;
}
