/** Random histories end as a clean build does, and run nothing needlessly. */

import assert from "node:assert/strict";
import { runHistories } from "../../support/histories.ts";

Deno.test({
  name: "200 random histories of rules",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const seed = Number(Deno.env.get("HISTORIES_SEED") ?? "1");
    const report = await runHistories(seed, 200);
    assert.deepEqual(report.faults, [], report.faults.join("\n\n"));
    assert.equal(report.needless, 0);
    assert.equal(report.histories, 200);
    // What was not tried cannot have failed.
    assert.ok(
      report.neutral > 200 && report.interrupts > 5,
      JSON.stringify(report),
    );
  },
});
