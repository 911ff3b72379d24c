/** `clibs make` with nothing but names asks the server before all else. */

import assert from "node:assert/strict";
import { loadedBy } from "../../support/loaded.ts";
import { LmakeRepo } from "../../support/lmake.ts";

const ignore = Deno.build.os !== "linux";

const RULES = String.raw`
rule({ name: "Copy", target: "{F:\\w+}.copy", deps: { S: "{F}" }, cmd: "cat {S}" });
rule({ name: "Slow", target: "{F:\\w+}.slow", deps: { S: "{F}" },
  cmd: "sleep 0.2; cat {S}" });
rule({ name: "Bad", target: "bad", cmd: "echo so bad >&2; exit 1" });
`;

/** What is the same in each run. */
const timeless = (text: string) =>
  text.replace(/\d+\.\d{3}s/g, "T").replace(/^\d\d:\d\d:\d\d /gm, "");

function ready(): LmakeRepo {
  const repo = new LmakeRepo();
  repo.source({ s: "S\n", t: "T\n" });
  repo.rules(RULES);
  return repo;
}

Deno.test("main.ts loads a handful of modules before it asks", async () => {
  assert.deepEqual((await loadedBy("main.ts", true)).sort(), [
    "cli/quick_make.ts",
    "lib/errors.ts",
    "lib/rules/root.ts",
    "lib/rules/server/address.ts",
    "lib/rules/server/lines.ts",
    "lib/rules/server/quick.ts",
    "lib/version.ts",
    "main.ts",
  ]);
});

Deno.test({
  name: "make prints the same whichever way it asks",
  ignore,
  async fn() {
    using repo = ready();
    const run = (...args: string[]) => repo.run(args);
    await repo.make("s.copy", "t.slow", { words: { done: 2 } });
    for (const targets of [["s.copy"], ["s.copy", "t.slow"], []]) {
      const quick = await run("make", ...targets);
      // `--` is nothing for the short way.
      const whole = await run("make", "--", ...targets);
      assert.equal(quick.code, whole.code);
      assert.equal(quick.stdout, "");
      assert.equal(timeless(quick.stderr), timeless(whole.stderr));
      if (targets.length > 0) assert.match(quick.stderr, /up to date/);
    }
  },
});

Deno.test({
  name: "what takes longer is shown by the rest of clibs, from the first line",
  ignore,
  async fn() {
    using repo = ready();
    await repo.make("s.copy", { words: { done: 1 } });
    const slow = await repo.run(["make", "s.slow", "t.copy"]);
    assert.equal(slow.code, 0, slow.shown);
    assert.equal(
      timeless(slow.stderr).split("\n").filter((line) => /done/.test(line))
        .sort().join("\n"),
      "  done             2    T\ndone        Copy   T t.copy\n" +
        "done        Slow   T s.slow",
    );
    const bad = await repo.run(["make", "bad"]);
    assert.equal(bad.code, 1, bad.shown);
    assert.match(bad.stderr, /so bad/);
  },
});

Deno.test({
  name: "errors are shown by the rest of clibs",
  ignore,
  async fn() {
    using repo = ready();
    await repo.make("s.copy", { words: { done: 1 } });
    repo.rules("rule({ nothing: 1 });");
    const run = await repo.run(["make", "s.copy"]);
    assert.equal(run.code, 3, run.shown);
    assert.match(run.stderr, /^error: /m);
    assert.match(run.stderr, /^more: clibs explain CLIBS_LMAKE_/m);
  },
});

Deno.test({
  name: "flags, variables for flags and no server take the ordinary way",
  ignore,
  async fn() {
    using repo = ready();
    await repo.make("s.copy", { words: { done: 1 } });
    const json = await repo.run(["make", "--json", "s.copy"]);
    assert.equal(JSON.parse(json.stdout).ok, true);
    const verbose = await repo.run(["make", "s.copy"], {
      env: { LMAKE_ARGS: "--json" },
    });
    assert.equal(JSON.parse(verbose.stdout).ok, true);
    // The idle server makes room.
    const start = Date.now();
    const alone = await repo.run(["make", "t.copy"], {
      env: { CLIBS_MAKE_SERVER: "0" },
    });
    assert.equal(alone.code, 0, alone.shown);
    assert.ok(Date.now() - start < 20_000);
  },
});
