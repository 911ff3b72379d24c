/** `clibs build`. */

import { buildPackages, type PackageResult } from "../mod.ts";
import type { CommandContext } from "./command.ts";
import type { Flags } from "./commands.ts";
import { table } from "./table.ts";
import { formatDuration } from "./text.ts";

/** Runs the command; returns its exit code. */
export async function run(
  context: CommandContext,
  args: string[],
  flags: Flags<"build">,
): Promise<number> {
  const { packages } = await buildPackages(args.length > 0 ? args : ["."], {
    targets: flags.target,
    jobs: flags.jobs,
    force: flags.force,
    offline: flags.offline,
    locked: flags.locked,
    keepWork: flags.keepWork,
    feedback: context.bus,
    signal: context.signal,
  });
  context.result({ packages });
  context.stdout(table(packages.map(row)));
  for (const { error } of packages) if (error) context.report(error);
  return packages.some(({ status }) => status === "failed") ? 1 : 0;
}

function row(result: PackageResult): string[] {
  const { name, version, target, status, origin, reason } = result;
  const took = formatDuration(result.durationMs);
  const state = status === "up-to-date"
    ? origin === "prebuilt" ? "up to date (prebuilt)" : "up to date"
    : status === "built"
    ? `built in ${took}: ${reason}`
    // What failed itself is told on stderr, with all that is known.
    : result.error
    ? "failed"
    : `not built: ${reason}`;
  return [name, version, target, state];
}
