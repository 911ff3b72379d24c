/** `clibs explain`: the longer text about an error code. */

import { explain, explanations } from "../mod.ts";
import type { CommandContext } from "./command.ts";
import type { Flags } from "./commands.ts";
import { wrap } from "./text.ts";

/** Runs the command; returns its exit code. */
export async function run(
  context: CommandContext,
  [code]: string[],
  _flags: Flags<"explain">,
): Promise<number> {
  if (code === undefined) {
    const all = await explanations();
    const width = Math.max(...all.map(([code]) => code.length));
    for (const [code, { title }] of all) {
      context.stdout(`${code.padEnd(width)}  ${title}\n`);
    }
    context.result({
      explanations: all.map(([code, { title, text }]) => ({
        code,
        title,
        text,
      })),
    });
    return 0;
  }
  const found = await explain(code);
  const text = found.text.trim().split(/\n{2,}/).map((paragraph) =>
    wrap(paragraph.replace(/\s+/g, " "), Math.min(context.columns, 80))
      .join("\n")
  ).join("\n\n");
  context.stdout(`${found.code}: ${found.title}\n\n${text}\n`);
  context.result({ ...found });
  return 0;
}
