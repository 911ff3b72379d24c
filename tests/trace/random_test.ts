/** Programs that do random things with files, and know what they did. */

import assert from "node:assert/strict";
import { compileRandom, traceSequences } from "../support/random.ts";
import { TempDir } from "../support/temp.ts";
import { has } from "../support/tools.ts";
import { isLinux, works } from "../support/trace.ts";

const COUNT = 1000;
const AT_ONCE = 250;

for (const method of ["ld_preload", "ptrace", "auto"] as const) {
  Deno.test({
    name: `${method} sees ${COUNT} random programs as they are`,
    ignore: !isLinux || !has("gcc"),
    fn: async () => {
      if (!await works(method)) return;
      using dir = new TempDir();
      const programs = compileRandom(dir.path);
      for (let first = 1; first <= COUNT; first += AT_ONCE) {
        const { problems } = await traceSequences(
          programs,
          method,
          dir.path,
          first,
          AT_ONCE,
        );
        assert.equal(problems.slice(0, 5).join("\n"), "");
      }
    },
  });
}

Deno.test({
  name: "a wrong trace of a random program is told from a right one",
  ignore: !isLinux || !has("gcc"),
  fn: async () => {
    using dir = new TempDir();
    const programs = compileRandom(dir.path);
    const { problems } = await traceSequences(programs, "none", dir.path, 1, 5);
    assert.ok(problems.length > 10, problems.join("\n"));
  },
});
