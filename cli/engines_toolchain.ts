/** `clibs engines toolchain`. */

import { snapshotToolchain } from "../mod.ts";
import type { CommandContext } from "./command.ts";
import type { Flags } from "./commands.ts";
import { shortest } from "./paths.ts";
import { table } from "./table.ts";

/** Runs the command; returns its exit code. */
export async function run(
  context: CommandContext,
  _args: string[],
  flags: Flags<"engines toolchain">,
): Promise<number> {
  const { version: _, ...report } = await snapshotToolchain({
    sourceDir: flags.sourceDir,
    compiler: flags.compiler,
    python: flags.python,
    feedback: context.bus,
  });
  context.result(report);
  const { snapshot, previous, changed, path } = report;
  const before = new Map(Object.entries(previous ?? {}));
  context.stdout(table(
    Object.entries(snapshot).map(([name, value]) =>
      changed.includes(name)
        ? [name, value, `was ${before.get(name)}`]
        : [name, value, ""]
    ),
  ));
  const summary = !previous
    ? "first snapshot"
    : changed.length > 0
    ? `changed: ${changed.join(", ")}`
    : "nothing changed";
  context.stdout(`${summary} (${shortest(path)})\n`);
  return 0;
}
