/**
 * Traces random programs: COUNT sequences per method (default: 10,000) from
 * SEED on (default: by the clock). The first fault ends it, with its seed.
 */

import type { Method } from "@clibs/cli";
import { compileRandom, traceSequences } from "../../tests/support/random.ts";

const AT_ONCE = 250;

/** Runs it. Returns the exit code. */
export async function soakTrace(args: string[]): Promise<number> {
  const count = Number(args[0] ?? 10_000);
  const seed = Number(args[1] ?? Date.now() % 1e9);
  const methods = args.length > 2
    ? args.slice(2) as Method[]
    : ["ld_preload", "ptrace", "auto"] as const;
  if (!(count > 0) || !Number.isSafeInteger(seed)) {
    console.error("usage: deno task soak trace [COUNT] [SEED] [METHOD…]");
    return 2;
  }
  console.log(`${count} sequences per method from seed ${seed} on`);
  const dir = Deno.realPathSync(Deno.makeTempDirSync({ prefix: "soak-" }));
  try {
    const programs = compileRandom(dir);
    for (const method of methods) {
      const started = performance.now();
      for (let done = 0; done < count; done += AT_ONCE) {
        const size = Math.min(AT_ONCE, count - done);
        const first = seed + done;
        const { problems } = await traceSequences(
          programs,
          method,
          dir,
          first,
          size,
        );
        Deno.removeSync(`${dir}/${method}-${first}`, { recursive: true });
        if (problems.length === 0) continue;
        console.log(problems.slice(0, 20).join("\n"));
        console.log(`${method}: ${problems.length} faults from seed ${first}`);
        return 1;
      }
      const seconds = (performance.now() - started) / 1000;
      console.log(`${method}: ${count} right, ${seconds.toFixed(1)} s`);
    }
    return 0;
  } finally {
    Deno.removeSync(dir, { recursive: true });
  }
}
