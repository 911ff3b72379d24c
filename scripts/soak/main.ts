/**
 * Long random tests: `deno task soak [trace|rules] [COUNT] [SEED]…`
 *
 * Without a name, all of them with their defaults.
 */

import { soakRules } from "./rules.ts";
import { soakTrace } from "./trace.ts";

const soaks: Record<string, (args: string[]) => Promise<number>> = {
  trace: soakTrace,
  rules: soakRules,
};

const [name, ...args] = Deno.args;
if (name === undefined) {
  for (const soak of Object.values(soaks)) {
    const code = await soak([]);
    if (code !== 0) Deno.exit(code);
  }
} else if (soaks[name]) Deno.exit(await soaks[name](args));
else {
  console.error(`error: unknown soak: ${name}`);
  console.error(`known: ${Object.keys(soaks).join(", ")}`);
  Deno.exit(2);
}
