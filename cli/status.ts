/** `clibs status`. */

import { packageStatus } from "../mod.ts";
import type { CommandContext } from "./command.ts";
import type { Flags } from "./commands.ts";
import { table } from "./table.ts";

/** Runs the command; returns its exit code. */
export async function run(
  context: CommandContext,
  args: string[],
  flags: Flags<"status">,
): Promise<number> {
  const { packages } = await packageStatus(args.length > 0 ? args : ["."], {
    targets: flags.target,
  });
  context.result({ packages });
  context.stdout(table(packages.map((status) => [
    status.name,
    status.version,
    status.target,
    status.upToDate
      ? status.origin === "prebuilt" ? "up to date (prebuilt)" : "up to date"
      : `to build: ${status.reason}`,
  ])));
  return 0;
}
