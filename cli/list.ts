/** `clibs list`. */

import { relative } from "node:path";
import { listPackages } from "../mod.ts";
import type { CommandContext } from "./command.ts";
import type { Flags } from "./commands.ts";
import { table } from "./table.ts";

/** Runs the command; returns its exit code. */
export async function run(
  context: CommandContext,
  args: string[],
  _flags: Flags<"list">,
): Promise<number> {
  const { packages } = await listPackages(args.length > 0 ? args : ["."]);
  context.result({ packages });
  context.stdout(table(packages.map(({ name, version, source, dir, deps }) => [
    name,
    version,
    source === "none" ? "own files" : source,
    relative(Deno.cwd(), dir) || ".",
    deps.length > 0 ? `needs ${deps.join(", ")}` : "",
  ])));
  return 0;
}
