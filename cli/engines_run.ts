/** `clibs engines run`. */

import { runScript, runScriptAll, type ScriptResult } from "../mod.ts";
import type { CommandContext } from "./command.ts";
import type { Flags } from "./commands.ts";
import { table } from "./table.ts";

/** Runs the command; returns its exit code. */
export async function run(
  context: CommandContext,
  args: string[],
  flags: Flags<"engines run">,
): Promise<number> {
  const options = {
    sourceDir: flags.sourceDir,
    timeoutMs: flags.timeout && flags.timeout * 1000,
    permissions: flags.allow,
    python: flags.python,
    feedback: context.bus,
    signal: context.signal,
  };
  const results: ScriptResult[] = [];
  if (args.length === 0) results.push(...(await runScriptAll(options)).results);
  for (const path of args) {
    results.push(await runScript({ ...options, path }));
  }
  const ok = results.every((result) => result.ok);
  context.result({ ok, results });
  for (const { stdout, stderr, ok } of results) {
    context.stdout(stdout);
    // What went wrong is a part of the answer.
    if (!ok) context.stdout(stderr);
  }
  context.stdout(table(results.map(({ script, ok, timedOut, code }) => [
    script,
    ok ? "ok" : timedOut ? "timed out" : `exit code ${code}`,
  ])));
  return ok ? 0 : 1;
}
