/** `clibs fetch`. */

import { fetchPackages, type FetchResult } from "../mod.ts";
import type { CommandContext } from "./command.ts";
import type { Flags } from "./commands.ts";
import { table } from "./table.ts";

/** Runs the command; returns its exit code. */
export async function run(
  context: CommandContext,
  args: string[],
  flags: Flags<"fetch">,
): Promise<number> {
  const { packages } = await fetchPackages(args.length > 0 ? args : ["."], {
    jobs: flags.jobs,
    force: flags.force,
    offline: flags.offline,
    locked: flags.locked,
    feedback: context.bus,
    signal: context.signal,
  });
  return showFetched(context, packages);
}

/** Shows what became of sources; returns the exit code. */
export function showFetched(
  context: CommandContext,
  packages: FetchResult[],
): number {
  context.result({ packages });
  const words = {
    "up-to-date": "up to date",
    fetched: "fetched",
    none: "nothing to fetch",
    failed: "failed",
  };
  context.stdout(
    table(packages.flatMap(({ name, version, status, changes }) => [
      [name, version, words[status]],
      ...changes.map((change) => ["", "", change]),
    ])),
  );
  for (const { error } of packages) if (error) context.report(error);
  return packages.some(({ status }) => status === "failed") ? 1 : 0;
}
