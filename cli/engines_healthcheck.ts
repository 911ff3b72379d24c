/** `clibs engines healthcheck`. */

import { healthcheck } from "../mod.ts";
import type { CommandContext } from "./command.ts";
import type { Flags } from "./commands.ts";

/** Runs the command; returns its exit code. */
export async function run(
  context: CommandContext,
  _args: string[],
  flags: Flags<"engines healthcheck">,
): Promise<number> {
  const { version: _, ...report } = await healthcheck({
    sourceDir: flags.sourceDir,
    outputDir: flags.outputDir,
    compiler: flags.compiler,
    python: flags.python,
    feedback: context.bus,
  });
  context.result(report);
  for (const { name, ok, why, fix } of report.checks) {
    context.stdout(`${ok ? "ok     " : "not ok "} ${name}: ${why}\n`);
    if (fix) context.stdout(`        fix: ${fix}\n`);
  }
  return report.ok ? 0 : 1;
}
