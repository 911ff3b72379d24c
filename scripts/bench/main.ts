/**
 * Runs the benchmarks: `deno task bench [noop|fetch|extract|engines|trace|rules]…`
 *
 * Each compares with a peer in the same run; only ratios mean something.
 */

import { benchEngines } from "./engines.ts";
import { benchExtract } from "./extract.ts";
import { benchFetch } from "./fetch.ts";
import { benchNoop } from "./noop.ts";
import { benchRules } from "./rules.ts";
import { benchTrace } from "./trace.ts";

const benches: Record<string, () => void | Promise<void>> = {
  noop: benchNoop,
  fetch: benchFetch,
  extract: benchExtract,
  engines: benchEngines,
  trace: benchTrace,
  rules: benchRules,
};

const names = Deno.args.length > 0 ? Deno.args : Object.keys(benches);
for (const name of names) {
  const bench = benches[name];
  if (!bench) {
    console.error(`error: unknown benchmark: ${name}`);
    console.error(`known: ${Object.keys(benches).join(", ")}`);
    Deno.exit(2);
  }
  await bench();
}
