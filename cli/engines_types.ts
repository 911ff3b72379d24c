/** `clibs engines types`. */

import { writeTypes } from "../mod.ts";
import type { CommandContext } from "./command.ts";
import type { Flags } from "./commands.ts";
import { shortest } from "./paths.ts";

/** Runs the command; returns its exit code. */
export async function run(
  context: CommandContext,
  args: string[],
  flags: Flags<"engines types">,
): Promise<number> {
  const { version: _, ...report } = await writeTypes(args, {
    sourceDir: flags.sourceDir,
    typesDir: flags.outputDir,
    compiler: flags.compiler,
    python: flags.python,
    feedback: context.bus,
    signal: context.signal,
  });
  context.result(report);
  for (const { path, skipped } of report.written) {
    context.stdout(`${shortest(path)}\n`);
    for (const { name, reason } of skipped) {
      context.bus.emit("warn", "note", `${name}() is left out: ${reason}`, {
        about: "engine.types.skipped",
        function: name,
        reason,
      });
    }
  }
  if (report.index) context.stdout(`${shortest(report.index)}\n`);
  return 0;
}
