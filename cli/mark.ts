/** `clibs mark`. */

import {
  markFiles,
  type MarkName,
  type MarkOptions,
  UsageError,
} from "../mod.ts";
import type { CommandContext } from "./command.ts";
import type { Flags } from "./commands.ts";
import { table } from "./table.ts";

/** Runs the command; returns its exit code. */
export async function run(
  context: CommandContext,
  args: string[],
  flags: Flags<"mark">,
): Promise<number> {
  const action = actionOf(flags);
  const takesFiles = action === "add" || action === "delete";
  if (!takesFiles && args.length > 0) {
    throw usage(`--${action} takes no files`);
  }
  const mark = markOf(flags);
  const { files } = await markFiles({
    files: args,
    action,
    mark,
    byJob: flags.job,
    rule: flags.rule,
    feedback: context.bus,
    signal: context.signal,
  });
  context.result({ files });
  if (action === "list" || !context.quiet) {
    const word = { add: "marked", delete: "unmarked", clear: "unmarked" };
    context.stdout(table(files.map((file) => [
      ...action === "list" ? [] : [word[action]],
      file.mark,
      file.file,
    ])));
  }
  return 0;
}

function markOf({ freeze, noTrigger }: Flags<"mark">): MarkName | undefined {
  if (freeze && noTrigger) throw usage("a file has one mark at a time");
  return freeze ? "freeze" : noTrigger ? "no-trigger" : undefined;
}

function actionOf(flags: Flags<"mark">): MarkOptions["action"] {
  const given = (["add", "delete", "list", "clear"] as const)
    .filter((name) => flags[name]);
  if (given.length === 1) return given[0]!;
  throw usage(
    given.length === 0
      ? "it takes one of --add, --delete, --list, --clear"
      : `--${given.join(" and --")} do not go together`,
  );
}

function usage(cause: string): UsageError {
  return new UsageError("CLIBS_USAGE_FLAG", `Cannot mark files: ${cause}`, {
    hint: "clibs help mark",
  });
}
