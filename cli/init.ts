/** `clibs init`. */

import { relative } from "node:path";
import { initPackage } from "../mod.ts";
import type { CommandContext } from "./command.ts";
import type { Flags } from "./commands.ts";

/** Runs the command; returns its exit code. */
export async function run(
  context: CommandContext,
  [address = ""]: string[],
  flags: Flags<"init">,
): Promise<number> {
  const { version: _, ...report } = await initPackage(address, {
    ...flags,
    feedback: context.bus,
    signal: context.signal,
  });
  context.result(report);
  const path = relative(Deno.cwd(), report.path);
  const found = report.system === "unknown"
    ? "no known build system: write its build command"
    : `${report.system}, by ${report.why}`;
  context.stdout(
    `wrote ${path} (${report.name} ${report.packageVersion}; ${found})\n`,
  );
  return 0;
}
