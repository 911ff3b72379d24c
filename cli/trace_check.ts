/** `clibs trace check`. */

import { checkTrace, ClibsError } from "../mod.ts";
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
  const report = await checkTrace(read(file), file);
  context.result({ ...report });
  const { broken, checked, reread } = report;
  const text = broken
    ? `changed: ${broken.kind} ${
      shortPath(broken.name)
    } was ${broken.was}, is ${broken.now}`
    : `holds: ${count(checked, "fact")} checked, ${count(reread, "file")} read`;
  if (!context.quiet) context.stdout(`${text}\n`);
  return report.holds ? 0 : 1;
}

function read(file: string): string {
  try {
    return Deno.readTextFileSync(file);
  } catch (cause) {
    if (cause instanceof Deno.errors.PermissionDenied) throw cause;
    const isThere = !(cause instanceof Deno.errors.NotFound);
    throw new ClibsError(
      "CLIBS_TRACE_FILE",
      `Cannot check the trace ${file}: ${
        isThere ? (cause as Error).message : "there is no such file"
      }`,
      { cause, hint: `make it with: clibs trace --save ${file} -- COMMAND` },
    );
  }
}

function count(n: number, what: string): string {
  return `${n.toLocaleString("en")} ${what}${n === 1 ? "" : "s"}`;
}
