/** Calls of the job module whose arguments no scenario has. */

import assert from "node:assert/strict";
import { LmakeRepo, words } from "../../support/lmake.ts";

function test(name: string, fn: (repo: LmakeRepo) => Promise<void>): void {
  Deno.test({
    name,
    ignore: Deno.build.os !== "linux",
    async fn() {
      using repo = new LmakeRepo();
      await fn(repo);
    },
  });
}

test("listRoot spells a folder as the lists do", async (repo) => {
  repo.source({ "d/x": "x\n" });
  repo.rules(String.raw`
rule({
  name: "Root",
  target: "root.json",
  cmd: async (j) => {
    const { listDeps, listRoot } = j.lmake;
    Deno.readTextFileSync("d/x");
    const inside = [await listRoot("."), await listRoot("d/"), await listDeps("d")];
    Deno.chdir("d");
    const below = [await listRoot("."), await listRoot(".."), await listDeps(".")];
    Deno.chdir("/");
    const outside = [await listRoot("${repo.dir.path}/d"), ...await listDeps("${repo.dir.path}/d")];
    Deno.chdir("${repo.dir.path}");
    console.log(JSON.stringify({ inside, below, outside }));
  },
});
`);
  await repo.make("root.json", { words: { done: 1 } });
  const path = repo.path("d");
  assert.deepEqual(JSON.parse(repo.content("root.json")), {
    inside: [".", "d", ["d/x"]],
    below: [".", "..", ["x"]],
    outside: [path, `${path}/x`],
  });
});

test("listTargets takes a folder and a regular expression", async (repo) => {
  repo.rules(String.raw`
rule({
  name: "List",
  targets: { A: "d/a.txt", B: "d/b.bin", C: "c.txt" },
  cmd: "mkdir -p d; for f in {A} {B} {C}; do echo >$f; done; ltarget -l -z d >>{C}; ltarget -l -X '.*txt' >>{C}; ltarget -l -z d -X '.*txt' >>{C}",
});
`);
  await repo.make("c.txt", { words: { done: 1 } });
  assert.deepEqual(words(repo.content("c.txt")), [
    "d/a.txt",
    "d/b.bin",
    "d/a.txt",
    "c.txt",
    "d/a.txt",
  ]);
});

test("mvTargetTree moves targets that match, and empty folders go", async (repo) => {
  repo.file({ "from/stray": "S\n" });
  repo.rules(String.raw`
rule({
  name: "Move",
  targets: { DONE: "done", OUT: "to/{*:.*}", LEFT: "from/{*:.*}" },
  cmd: async (j) => {
    for (const name of ["from/x/a1", "from/x/a2", "from/b"]) {
      Deno.mkdirSync(name.replace(/[^/]*$/, ""), { recursive: true });
      Deno.writeTextFileSync(name, name + "\n");
    }
    await j.lmake.mvTargetTree("from", "to", ".*/a.");
    await j.lmake.cpTargetTree("to/x", "to/y");
    Deno.writeTextFileSync(j.DONE, "");
  },
});
`);
  await repo.make("done", { words: { done: 1 } });
  assert.equal(repo.content("to/y/a2"), "from/x/a2\n");
  assert.ok(
    !repo.has("from/x") && repo.has("from/b") && repo.has("from/stray"),
  );
});

test("runCc makes markers of another name, and passes text to stdin", async (repo) => {
  repo.source({ "inc/h": "h\n" });
  repo.rules(String.raw`
rule({ name: "Marker", targets: { M: "{D:.+}/here" }, cmd: "mkdir -p {D}; : >{M}" });
rule({
  name: "Cat",
  target: "cat",
  cmd: async (j) => {
    const { code, stdout } = await j.lmake.runCc("sh", "-c", "cat; ls -d inc late", "sh", "-Iinc", "-L", "late", {
      marker: "here",
      stdin: "typed\n",
    });
    console.log(code, JSON.stringify(stdout));
  },
});
rule({ name: "Twin", target: "twin", cmd: "echo typed | lrun_cc -m here sh -c 'cat; ls -d inc late' sh -Iinc -Llate" });
rule({ name: "Throws", target: "throws", stderrOk: true, cmd: async (j) => {
  await j.lmake.runCc("sh", "-c", "exit 3");
} });
`);
  await repo.make("cat", { rules: { Marker: 2, Cat: 1 } });
  assert.equal(repo.content("cat"), '0 "typed\\ninc\\nlate\\n"\n');
  assert.ok((await repo.deps("cat")).includes("late/here"));
  await repo.make("twin", { rules: { Twin: 1 } });
  await repo.make("throws", { exit: 1, words: { failed: 1 } });
});

test("checkDeps waits, and tells whether all deps are good", async (repo) => {
  repo.source({ s: "S\n" });
  const log = repo.ext.join("log");
  repo.rules(String.raw`
rule({ name: "Dep", target: "dep", dep: "s", cmd: "cat" });
rule({ name: "Fail", target: "fail", cmd: "exit 1" });
rule({
  name: "Delay",
  target: "delay",
  stderrOk: true,
  cmd: "lcheck_deps -d 0.5 -s & cat dep; wait; echo ran >>${log}; cat dep",
});
rule({
  name: "Sync",
  target: "sync",
  cmd: async (j) => {
    const { checkDeps, depend } = j.lmake;
    const results: unknown[] = [await checkDeps(0, true), await checkDeps()];
    await depend("fail", { ignoreError: true, direct: true });
    results.push(await checkDeps(0.1, true));
    console.log(results.join());
  },
});
`);
  await repo.make("delay", { rules: { Dep: 1, Delay: 1 } });
  // The first run was ended by the check that came late.
  assert.equal(repo.extContent("log"), "ran\n");
  await repo.make("sync", { unchecked: true });
  assert.equal(repo.content("sync"), "true,,true\n");
});

test("a table may be a dir in a source dir, shared by repos", async (repo) => {
  repo.source({ "shared/tab/LMAKE/config.json": '{"file_sync":"none"}\n' });
  repo.list("shared/");
  repo.rules(String.raw`
rule({
  name: "Dir",
  target: "dir.json",
  cmd: async (j) => {
    const { decode, encode } = j.lmake;
    const code = await encode("shared/tab/", "ctx", "value", 5);
    console.log(JSON.stringify([code, await decode("shared/tab/", "ctx", code)]));
  },
});
rule({ name: "Outside", target: "outside", cmd: "echo x | lencode -f elsewhere/ -x ctx" });
`);
  await repo.make("dir.json", { words: { done: 1 } });
  const [code, value] = JSON.parse(repo.content("dir.json"));
  assert.match(code, /^[0-9a-f]{5}$/);
  assert.equal(value, "value");
  await repo.make("dir.json");
  await repo.make("outside", {
    exit: 1,
    words: { failed: 1 },
    says: [/elsewhere\/: it is not in a source dir/],
  });
});

test("Lmakefile.ts knows methods, backends, roots, version and environment", async (repo) => {
  repo.rules(String.raw`
lmake.checkVersion(...lmake.version);
rule({
  name: "Facts",
  target: "facts.json",
  vars: {
    autodeps: lmake.autodeps,
    backends: lmake.backends,
    version: lmake.version,
    roots: [lmake.repoRoot, lmake.topRepoRoot],
    who: lmake.userEnviron.WHO ?? "nobody",
    table: lmake.pdict({ a: { b: 1 } }).a.b,
  },
  cmd: (j) => console.log(JSON.stringify(j.vars)),
});
`);
  await repo.make("facts.json", { words: { done: 1 } });
  const facts = JSON.parse(repo.content("facts.json"));
  assert.ok(facts.autodeps.includes("ld_preload"));
  assert.ok(facts.backends.includes("local"));
  assert.deepEqual(facts.version.map((part: unknown) => typeof part), [
    "string",
    "number",
  ]);
  assert.deepEqual(facts.roots, [repo.dir.path, repo.dir.path]);
  assert.deepEqual([facts.who, facts.table], ["nobody", 1]);
  await repo.make("facts.json", { env: { OTHER: "x" } });
  await repo.make("facts.json", { env: { WHO: "me" }, words: { done: 1 } });
  assert.equal(JSON.parse(repo.content("facts.json")).who, "me");

  repo.rules(`lmake.checkVersion("none");`);
  await repo.make({ exit: 12, says: [/it expects version none/] });
});
