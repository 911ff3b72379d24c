/** Checks the deps of a job while it runs. */

import { isIgnored } from "./deps.ts";
import type { Engine } from "./engine.ts";
import type { Folded } from "./fold.ts";
import { judge } from "./judge.ts";
import type { JobState, Outcome } from "./state.ts";
import { settleSums } from "./sums.ts";

/** Whether what a running job read so far is as it saw it. */
export async function verifyDeps(
  engine: Engine,
  state: JobState,
  folded: Folded,
): Promise<"ok" | "error" | "changed"> {
  const deps = settleSums(engine, state, folded.deps).deps;
  const outcomes = new Map<string, Outcome>();
  for (const dep of deps) {
    if (dep.codec || isIgnored(engine, dep)) continue;
    const outcome = await engine.quick(dep.file, state);
    if (!outcome) return "changed";
    outcomes.set(dep.file, outcome);
  }
  const judged = judge(engine, deps, outcomes);
  if (judged.changed) return "changed";
  return judged.failures.length > 0 ? "error" : "ok";
}
