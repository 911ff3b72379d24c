/** `clibs xxhsum`. */

import { xxhsum, xxhsumFile } from "../mod.ts";
import type { CommandContext } from "./command.ts";
import type { Flags } from "./commands.ts";

/** Runs the command; returns its exit code. */
export async function run(
  context: CommandContext,
  args: string[],
  _flags: Flags<"xxhsum">,
): Promise<number> {
  if (args.length === 0) {
    const sum = await xxhsum(await new Response(Deno.stdin.readable).text());
    context.result({ sums: [{ sum }] });
    context.stdout(`${sum}\n`);
    return 0;
  }
  const sums: { file: string; sum: string }[] = [];
  for (const file of args) sums.push({ file, sum: await xxhsumFile(file) });
  context.result({ sums });
  context.stdout(
    sums.map(({ file, sum }) =>
      sums.length === 1 ? `${sum}\n` : `${sum} ${file}\n`
    ).join(""),
  );
  return 0;
}
