/** `clibs show`. */

import {
  drawGraph,
  graphOf,
  runningJobs,
  showRules,
  type ShowTopic,
  UsageError,
} from "../mod.ts";
import type { CommandContext } from "./command.ts";
import type { Flags } from "./commands.ts";
import { shownRunning, shownText } from "./show_text.ts";

/** Flags that say what is wanted. */
const TOPICS = [
  "info",
  "deps",
  "inverseDeps",
  "targets",
  "inverseTargets",
  "cmd",
  "stderr",
  "stdout",
  "env",
  "bom",
  "trace",
] as const satisfies readonly ShowTopic[];

/** Runs the command; returns its exit code. */
export async function run(
  context: CommandContext,
  args: string[],
  flags: Flags<"show">,
): Promise<number> {
  const wanted = [...TOPICS, "running" as const, "graph" as const]
    .filter((name) => flags[name]);
  if (wanted.length > 1) {
    throw new UsageError(
      "CLIBS_USAGE_FLAG",
      `Cannot show ${wanted.join(" and ")}: one at a time`,
      { hint: "clibs help show" },
    );
  }
  const [topic = "info"] = wanted;
  const isForPrograms = flags.porcelain ?? false;
  const print = (list: readonly unknown[]) =>
    context.stdout(`${JSON.stringify(list)}\n`);
  if (topic === "running") {
    const running = await runningJobs();
    context.result({ running });
    if (isForPrograms) print(running);
    else context.stdout(shownRunning(running, Date.now()));
    return 0;
  }
  const which = {
    files: args,
    byJob: flags.job,
    rule: flags.rule,
    feedback: context.bus,
  };
  if (topic === "graph") {
    const graph = await graphOf(which);
    context.result({ graph });
    if (isForPrograms) print([graph]);
    else if (!context.json) {
      const all = context.verbose;
      context.stdout(await drawGraph(graph, flags.graph!, { all }));
    }
    return 0;
  }
  const shown = await showRules({ ...which, topic, system: flags.system });
  context.result({ shown });
  if (isForPrograms) print(shown);
  else context.stdout(shownText(shown, topic, context.verbose));
  return 0;
}
