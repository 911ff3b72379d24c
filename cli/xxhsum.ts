/** `clibs xxhsum`. */

import { toClibsError, xxhsum, xxhsumFile } from "../mod.ts";
import type { CommandContext } from "./command.ts";
import type { Flags } from "./commands.ts";
import { safeText } from "./paths.ts";

/** Runs the command; 1: some file cannot be read. */
export async function run(
  context: CommandContext,
  args: string[],
  _flags: Flags<"xxhsum">,
): Promise<number> {
  if (args.length === 0) {
    const input = await new Response(Deno.stdin.readable).bytes();
    const sum = await xxhsum(input);
    context.result({ sums: [{ sum }] });
    context.stdout(`${sum}\n`);
    return 0;
  }
  const sums: { file: string; sum: string }[] = [];
  for (const file of args) {
    try {
      sums.push({ file, sum: await xxhsumFile(file) });
    } catch (error) {
      context.report(toClibsError(error));
    }
  }
  context.result({ sums });
  const lines = sums.map(({ file, sum }) =>
    args.length === 1 ? `${sum}\n` : `${sum} ${safeText(file)}\n`
  );
  context.stdout(lines.join(""));
  return sums.length === args.length ? 0 : 1;
}
