/** `clibs engines healthcheck`. */

import { healthcheck } from "../mod.ts";
import type { CommandContext } from "./command.ts";
import type { Flags } from "./commands.ts";
import { table } from "./table.ts";

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
  context.stdout(table(report.checks.map(({ name, ok, why }) => [
    ok ? "ok" : "not ok",
    name,
    why,
  ])));
  for (const { name, fix } of report.checks) {
    if (fix) context.stdout(`${name}: ${fix}\n`);
  }
  return report.ok ? 0 : 1;
}
