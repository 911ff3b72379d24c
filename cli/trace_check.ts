/** `clibs trace check`. */

import { checkTrace } from "../mod.ts";
import type { CommandContext } from "./command.ts";
import type { Flags } from "./commands.ts";
import { shortPath } from "./paths.ts";

/** Runs the command; 1: the trace does not hold. */
export async function run(
  context: CommandContext,
  args: string[],
  _flags: Flags<"trace check">,
): Promise<number> {
  const [file = ""] = args;
  const report = await checkTrace(Deno.readTextFileSync(file), file);
  context.result({ ...report });
  const { broken } = report;
  context.stdout(
    broken
      ? `changed: ${broken.kind} ${
        shortPath(broken.name)
      } was ${broken.was}, is ${broken.now}\n`
      : `holds: ${report.checked} facts checked, ${report.reread} files read\n`,
  );
  return report.holds ? 0 : 1;
}
