/** `clibs engines list`. */

import { listEngines } from "../mod.ts";
import type { CommandContext } from "./command.ts";
import type { Flags } from "./commands.ts";
import { table } from "./table.ts";

/** Runs the command; returns its exit code. */
export async function run(
  context: CommandContext,
  _args: string[],
  flags: Flags<"engines list">,
): Promise<number> {
  const { version: _, ...list } = await listEngines({
    sourceDir: flags.sourceDir,
    feedback: context.bus,
  });
  context.result(list);
  context.stdout(table(list.engines.map((engine) => [
    engine.name,
    engine.kind,
    engine.policy,
    engine.upToDate ? "up to date" : engine.reason ?? "",
  ])));
  if (context.verbose) {
    for (const { name, key } of list.engines) {
      context.stdout(`${name}: ${key ?? "no key"}\n`);
    }
  }
  return 0;
}
