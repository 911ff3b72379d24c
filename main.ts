/**
 * The `clibs` command: argv in, exit code out.
 *
 * @module
 */

// What is imported here is loaded by every command: a make that finds nothing
// to do is over before the rest would be loaded.
import { quickMake } from "./cli/quick_make.ts";
import { askQuickly } from "./lib/rules/server/quick.ts";

/** Not a literal: Deno looks through all that a literal import() could load. */
const REST = "./cli/run.ts";

if (import.meta.main) {
  const quick = await quickMake(Deno.args, askQuickly);
  if (typeof quick === "number") Deno.exit(quick);
  else {
    const { run }: typeof import("./cli/run.ts") = await import(REST);
    Deno.exitCode = await run(Deno.args, { asked: quick });
  }
}
