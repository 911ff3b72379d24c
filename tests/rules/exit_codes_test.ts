import assert from "node:assert/strict";
import { test } from "./companions_support.ts";

test("commands about rules have exit codes of their own", async (repo) => {
  repo.source({ s: "S\n" });
  repo.rules(`rule({ name: "A", target: "a", dep: "s", cmd: "cat" });`);
  await repo.make("a", { words: { done: 1 } });
  const code = async (...args: string[]) => (await repo.run(args)).code;
  assert.equal(await code("show", "a"), 0);
  assert.equal(await code("show", "nosuch"), 1);
  for (
    const line of [
      "show",
      "show -d -t a",
      "show --nosuch a",
      "forget",
      "mark a",
      "mark -fa",
      "mark -ftl",
      "mark -fl a",
      "mark -al",
      "mark -a a",
      "debug",
      "debug a b",
      "repair --nosuch",
      "collect -x",
      "make --nosuch",
      "make -j many a",
    ]
  ) {
    const run = await repo.run(line.split(" "));
    assert.equal(run.code, 11, run.shown);
    assert.match(run.stderr, /^error: Cannot /);
  }
  // Flags that come first.
  const { code: usage } = await repo.run(["make", "a"], {
    env: { LMAKE_ARGS: "-e --nosuch" },
  });
  assert.equal(usage, 11);
  repo.rules("lmake.checkVersion(99);");
  assert.equal(await code("make", "a"), 12);
  repo.rules("rule({");
  assert.equal(await code("show", "a"), 3);
  assert.equal(await code("make", "a"), 3);
  Deno.removeSync(repo.path("Lmakefile.ts"));
  assert.equal(await code("show", "a"), 5);
});

test("nothing can be changed where nothing can be written", async (repo) => {
  repo.source({ s: "S\n" });
  repo.rules(`rule({ name: "A", target: "a", dep: "s", cmd: "cat" });`);
  await repo.make("a", { words: { done: 1 } });
  repo.setWritable(false);
  try {
    assert.match(await repo.show("-d", "a"), /\bs$/m);
    for (const line of ["forget a", "mark -ta s", "repair", "collect"]) {
      const run = await repo.run(line.split(" "));
      assert.equal(run.code, 7, run.shown);
    }
  } finally {
    repo.setWritable(true);
  }
});
