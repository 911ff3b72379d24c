/** `clibs forget`. */

import { forgetJobs } from "../mod.ts";
import type { CommandContext } from "./command.ts";
import type { Flags } from "./commands.ts";
import { table } from "./table.ts";

/** Runs the command; returns its exit code. */
export async function run(
  context: CommandContext,
  args: string[],
  flags: Flags<"forget">,
): Promise<number> {
  const { jobs } = await forgetJobs({
    files: args,
    deps: flags.deps,
    targets: flags.targets,
    resources: flags.resources,
    byJob: flags.job,
    rule: flags.rule,
    feedback: context.bus,
    signal: context.signal,
  });
  context.result({ jobs });
  if (context.quiet) return 0;
  context.stdout(table(jobs.flatMap(({ rule, job, deps, targets }) => [
    ["forgot", rule, job],
    ...deps.map((file) => ["  dep", "", file]),
    ...targets.map((file) => ["  target", "", file]),
  ])));
  return 0;
}
