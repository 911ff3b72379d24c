/** `clibs clean`. */

import { cleanCache, cleanPackages } from "../mod.ts";
import type { CommandContext } from "./command.ts";
import type { Flags } from "./commands.ts";
import { shortest } from "./paths.ts";
import { table } from "./table.ts";
import { formatBytes } from "./text.ts";

/** Runs the command; returns its exit code. */
export async function run(
  context: CommandContext,
  args: string[],
  flags: Flags<"clean">,
): Promise<number> {
  const { version: _, ...report } = flags.cache
    ? cleanCache({ dryRun: flags.dryRun })
    : await cleanPackages(args.length > 0 ? args : ["."], {
      dryRun: flags.dryRun,
      what: flags.all ? "all" : flags.work ? "work" : "build",
      signal: context.signal,
    });
  context.result(report);
  context.stdout(table(report.removed.map(({ path, bytes }) => [
    formatBytes(bytes),
    shortest(path),
  ])));
  const verb = report.dryRun ? "would be freed" : "freed";
  context.stdout(`${formatBytes(report.bytesFreed)} ${verb}\n`);
  return 0;
}
