/** `clibs doctor`. */

import { doctor } from "../mod.ts";
import { painter } from "./color.ts";
import type { CommandContext } from "./command.ts";
import type { Flags } from "./commands.ts";
import { table } from "./table.ts";

/** Runs the command; returns its exit code. */
export async function run(
  context: CommandContext,
  _args: string[],
  flags: Flags<"doctor">,
): Promise<number> {
  const { ok, checks } = await doctor({
    offline: flags.offline,
    signal: context.signal,
  });
  context.result({ ok, checks });
  const paint = painter(context.color);
  const rows = checks.map((check) => [
    check.ok ? "ok" : check.required ? "missing" : "absent",
    check.name,
    check.fix ? `${check.detail}; ${check.fix}` : check.detail,
  ]);
  const lines = table(rows).split("\n");
  context.stdout(
    lines.map((line) =>
      line.startsWith("missing") ? paint("error", line) : line
    ).join("\n"),
  );
  return ok ? 0 : 1;
}
