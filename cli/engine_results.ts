/** What `clibs engines build` and `fast-build` have in common. */

import { ClibsError, type EngineResult, type FastBootOptions } from "../mod.ts";
import type { CommandContext } from "./command.ts";
import type { Flags } from "./commands.ts";
import { table } from "./table.ts";

/** Exit code if at least one engine failed. */
export const FAILED = 2;

/** Options for the library, from the flags that both have. */
export function buildOptions(
  context: CommandContext,
  flags: Flags<"engines fast-build">,
): FastBootOptions {
  return {
    sourceDir: flags.sourceDir,
    outputDir: flags.outputDir,
    compiler: flags.compiler,
    python: flags.python,
    jobs: flags.jobs,
    timeoutMs: flags.timeout && flags.timeout * 1000,
    allowUnverified: flags.allowUnverified,
    feedback: context.bus,
    signal: context.signal,
  };
}

/** A line for each engine. */
export function engineTable(results: readonly EngineResult[]): string {
  return table(results.map((result) => [
    result.name,
    result.kind,
    result.ok ? result.origin ?? "" : "failed",
    reasonOf(result),
  ]));
}

/** Why it was not taken from a place that comes earlier. */
function reasonOf({ ok, origin, attempts }: EngineResult): string {
  if (!ok || origin !== "build") return "";
  return attempts.findLast((attempt) => attempt.origin === "cache")?.reason ??
    "";
}

/** Shows the error of each engine that failed. */
export function reportErrors(
  context: CommandContext,
  results: readonly EngineResult[],
): void {
  for (const { error } of results) {
    if (!error) continue;
    const { code, message, facts, hint } = error;
    context.report(new ClibsError(code, message, { facts, hint }));
  }
}
