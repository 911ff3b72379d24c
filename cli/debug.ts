/** `clibs debug`. */

import { debugJob } from "../mod.ts";
import type { CommandContext } from "./command.ts";
import type { Flags } from "./commands.ts";

/** Runs the command; returns its exit code. */
export async function run(
  context: CommandContext,
  args: string[],
  flags: Flags<"debug">,
): Promise<number> {
  const report = await debugJob({
    file: args[0]!,
    dryRun: flags.dryRun,
    byJob: flags.job,
    rule: flags.rule,
    feedback: context.bus,
    signal: context.signal,
    // The document alone goes to stdout.
    ...(context.json ? { stdout: "stderr" as const } : {}),
    onScript: (path) => context.stdout(`${path}\n`),
  });
  context.result({ ...report });
  return (report.code ?? 0) === 0 ? 0 : 1;
}
