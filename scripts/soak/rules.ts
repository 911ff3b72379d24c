/**
 * Random histories of rules: COUNT of them (default: 2,000) from SEED on
 * (default: by the clock). Each is compared with what a model says and, at its
 * end, with a clean build.
 */

import { runHistories } from "../../tests/support/histories.ts";

/** Histories that share a report; a fault ends the soak after its batch. */
const AT_ONCE = 100;

/** Runs it. Returns the exit code. */
export async function soakRules(args: string[]): Promise<number> {
  const count = Number(args[0] ?? 2000);
  const seed = Number(args[1] ?? Date.now() % 1e9);
  if (!(count > 0) || !Number.isSafeInteger(seed)) {
    console.error("usage: deno task soak rules [COUNT] [SEED]");
    return 2;
  }
  console.log(`${count} histories from seed ${seed} on`);
  const started = performance.now();
  const sums = { builds: 0, jobs: 0, neutral: 0, needless: 0, twice: 0 };
  for (let done = 0; done < count; done += AT_ONCE) {
    const size = Math.min(AT_ONCE, count - done);
    const report = await runHistories(seed + done, size);
    for (const name of Object.keys(sums) as (keyof typeof sums)[]) {
      sums[name] += report[name];
    }
    if (report.faults.length > 0) {
      console.log(report.faults.join("\n\n"));
      console.log(`${report.faults.length} faults from seed ${seed + done}`);
      return 1;
    }
  }
  const seconds = (performance.now() - started) / 1000;
  console.log(
    `${count} right: ${sums.builds} builds, ${sums.jobs} jobs; ` +
      `${sums.needless} needless after ${sums.neutral} neutral edits, ` +
      `${sums.twice} run twice by two commands at once; ${
        seconds.toFixed(0)
      } s`,
  );
  return 0;
}
