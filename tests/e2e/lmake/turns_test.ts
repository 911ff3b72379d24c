/** Jobs that are handed over before their turn: as if they were not. */

import assert from "node:assert/strict";
import { LmakeRepo, until } from "../../support/lmake.ts";

const ignore = Deno.build.os !== "linux";

/** Most jobs that ran at once, by what they noted. */
function most(log: string): number {
  let now = 0, most = 0;
  for (const sign of log.trim().split("\n")) {
    now += sign === "+" ? 1 : -1;
    most = Math.max(most, now);
  }
  assert.equal(now, 0);
  return most;
}

for (const jobs of [1, 2, 3]) {
  Deno.test({
    name: `never more than -j${jobs} run, and as many if they can`,
    ignore,
    async fn() {
      using repo = new LmakeRepo();
      const note = (sign: string) => `echo ${sign} >>${repo.ext.join("log")}`;
      const names = Array.from({ length: 30 }, (_, i) => `o${i}`);
      repo.rules(String.raw`
rule({ name: "Note", target: "{F:o\\d+}",
  cmd: "${note("+")}; sleep 0.03; ${note("-")}" });
rule({ name: "Wide", target: "{F:w\\d+}", resources: { cpu: ${jobs} },
  cmd: "for i in ${"x ".repeat(jobs)}; do ${note("+")}; done; sleep 0.03; " +
    "for i in ${"x ".repeat(jobs)}; do ${note("-")}; done" });
`);
      const wide = ["w1", "w2", "w3"];
      await repo.make(...names, ...wide, {
        flags: [`-j${jobs}`],
        unchecked: true,
      });
      const log = repo.extContent("log");
      assert.equal(log.split("+").length - 1, 30 + 3 * jobs);
      assert.equal(most(log), jobs);
    },
  });
}

Deno.test({
  name: "what cannot be started holds nobody up",
  ignore,
  async fn() {
    using repo = new LmakeRepo();
    repo.rules(String.raw`
rule({ name: "Good", target: "{F:good\\d+}", cmd: "echo {F}; true" });
rule({ name: "Bad", target: "{F:bad\\d+}", shell: ["/no/such/shell"], cmd: "x; y" });
`);
    const names = Array.from({ length: 12 }, (_, i) => `good${i} bad${i}`)
      .join(" ").split(" ");
    const run = await repo.make(...names, {
      flags: ["-j2"],
      unchecked: true,
    });
    assert.equal(run.code, 1, run.shown);
    for (const name of names.filter((name) => name.startsWith("good"))) {
      assert.equal(repo.content(name), `${name}\n`);
    }
    assert.match(run.stderr, /failed +12$/m);
  },
});

Deno.test({
  name: "Ctrl-C also ends those whose turn comes by it",
  ignore,
  async fn() {
    using repo = new LmakeRepo();
    repo.rules(String.raw`
rule({ name: "Slow", target: "{F:slow\\d+}",
  cmd: "echo >>${repo.ext.join("begun")}; sleep 2; echo >>${
      repo.ext.join("ended")
    }" });
`);
    await repo.make({ words: {} });
    const start = Date.now();
    const run = await repo.run(
      ["make", "-j1", ...Array.from({ length: 6 }, (_, i) => `slow${i}`)],
      {
        async during(child) {
          await until(() => repo.ext.has("begun"), "the first job");
          child.kill("SIGINT");
        },
      },
    );
    assert.equal(run.code, 130, run.shown);
    assert.ok(Date.now() - start < 10_000);
    assert.ok(!repo.ext.has("ended"), run.shown);
    await repo.make("slow0", { words: { done: 1 } });
  },
});
