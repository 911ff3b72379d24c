/** `clibs collect`. */

import { collectFiles } from "../mod.ts";
import type { CommandContext } from "./command.ts";
import type { Flags } from "./commands.ts";
import { table } from "./table.ts";

/** Runs the command; returns its exit code. */
export async function run(
  context: CommandContext,
  args: string[],
  flags: Flags<"collect">,
): Promise<number> {
  const report = await collectFiles({
    files: args,
    dryRun: flags.dryRun,
    feedback: context.bus,
  });
  context.result({ ...report, dryRun: flags.dryRun ?? false });
  const word = flags.dryRun ? "would remove" : "removed";
  context.stdout(table([
    ...context.quiet ? [] : report.removed.map((file) => [word, file]),
    ...report.kept.map((file) => ["kept, as it was changed since", file]),
  ]));
  return 0;
}
