/** LMAKE.md section 1: names of files, and links of every kind. */

import assert from "node:assert/strict";
import { conforms } from "../../support/lmake_conform.ts";

conforms("names are canonical from the root of the repo", async (repo) => {
  repo.source({ s: "s\n", "d/e/x": "x\n", "a b": "blank\n", "ü": "umlaut\n" });
  Deno.symlinkSync(repo.dir.path, repo.ext.join("in"));
  repo.rules(String.raw`
rule({ name: "P", target: "p", cmd: "cat $REPO/s ./d/../s d//e/./x; cd d/e; cat ../../s ../e/x", environ: { REPO: "$REPO_ROOT" } });
rule({ name: "Q", target: "sub/q", cmd: "cat 'a b' ü ${
    repo.ext.join("in")
  }/s" });
`);
  await repo.make("p", "sub/q", { words: { done: 2 } });
  assert.deepEqual(await repo.deps("p"), ["s", "d/e/x"]);
  const shown = await repo.show("-d", "sub/q");
  assert.match(shown, /a b$/m);
  assert.match(shown, /ü$/m);
  assert.match(shown, / s$/m);
  // Arguments are relative to the current folder.
  const run = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      new URL("../../../main.ts", import.meta.url).pathname,
      "make",
      "../../p",
      "../../sub/q",
    ],
    cwd: repo.path("d/e"),
  }).output();
  assert.equal(run.code, 0, new TextDecoder().decode(run.stderr));
});

conforms("links are followed as far as they lead", async (repo) => {
  repo.source({ s: "s\n" });
  repo.sourceLink({
    absolute: repo.path("s"),
    outside: repo.ext.join("x"),
    nowhere: "not/yet",
    loop1: "loop2",
    loop2: "loop1",
    chain1: "chain2",
    chain2: "s",
  });
  repo.ext.write({ x: "x\n" });
  repo.rules(String.raw`
rule({ name: "L", target: "{N:\\w+}.out", stderrOk: true, cmd: "cat {N} || echo none" });
`);
  const names = ["absolute", "outside", "nowhere", "loop1", "chain1"];
  await repo.make(...names.map((name) => `${name}.out`), {
    words: { done: 5 },
  });
  const deps = async (name: string) => (await repo.deps(`${name}.out`)).sort();
  assert.deepEqual(await deps("absolute"), ["absolute", "s"]);
  assert.deepEqual(await deps("outside"), ["outside"]);
  assert.deepEqual(await deps("nowhere"), ["not/yet", "nowhere"]);
  assert.deepEqual(await deps("loop1"), ["loop1", "loop2"]);
  assert.deepEqual(await deps("chain1"), ["chain1", "chain2", "s"]);
  repo.source({ "not/yet": "yet\n" });
  await repo.make("nowhere.out", "loop1.out", "outside.out", {
    words: { done: 1 },
  });
  assert.equal(repo.content("nowhere.out"), "yet\n");
  Deno.removeSync(repo.path("loop2"));
  Deno.symlinkSync("s", repo.path("loop2"));
  await repo.make("loop1.out", { words: { done: 1 } });
  assert.equal(repo.content("loop1.out"), "s\n");
});

conforms(
  "targets may be links, and links in folders lead to targets",
  async (repo) => {
    repo.source({ s: "1\n", "lib/x": "x\n" });
    repo.sourceLink({ "dir/alias": "../gen", "dir/lib": "../lib" });
    repo.rules(String.raw`
rule({ name: "Real", target: "gen/a", dep: "s", cmd: "cat" });
rule({ name: "Ln", targets: { L: "link" }, cmd: "ln -s gen/a {L}" });
rule({ name: "Out", targets: { O: "tree/{N*:.*}" }, cmd: "mkdir -p tree; ln -s ../lib tree/lib; echo >tree/y" });
rule({ name: "Use", target: "use", stderrOk: true, cmd: "cat link dir/alias/a dir/lib/x" });
rule({ name: "Via", target: "via", stderrOk: true, cmd: "ldepend -r tree/lib; cat tree/lib/x" });
`);
    await repo.make("use", { unchecked: true });
    await repo.make("use");
    assert.equal(repo.content("use"), "1\n1\nx\n");
    assert.deepEqual((await repo.deps("use")).sort(), [
      "dir/alias",
      "dir/lib",
      "gen/a",
      "lib/x",
      "link",
    ]);
    repo.source({ s: "2\n" });
    await repo.make("use", { ran: ["Real gen/a", "Use use"] });
    await repo.make("via", { unchecked: true });
    await repo.make("via");
    assert.equal(repo.content("via"), "x\n");
    repo.source({ "lib/x": "X\n" });
    await repo.make("use", "via", { ran: ["Use use", "Via via"] });
  },
);

conforms("git tells the sources where there is no manifest", async (repo) => {
  const git = (...args: string[]) => {
    const { success, stderr } = new Deno.Command("git", {
      args: ["-c", "user.name=n", "-c", "user.email=e@x", ...args],
      cwd: repo.dir.path,
    }).outputSync();
    assert.ok(success, new TextDecoder().decode(stderr));
  };
  repo.rules(
    `rule({ name: "A", target: "a", dep: "sub dir/s", cmd: "cat; cat extra 2>/dev/null; :" });`,
  );
  repo.file({ "sub dir/s": "s\n", ".gitignore": "LMAKE\n" });
  git("init", "-q");
  git("add", "Lmakefile.ts", "sub dir/s");
  const make = async (expected: number, says?: RegExp) => {
    const run = await repo.run(["make", "a"]);
    assert.equal(run.code, expected, run.shown);
    if (says) assert.match(run.shown, says);
    return run.shown;
  };
  await make(0, /done +A/);
  repo.file({ extra: "extra\n" });
  await make(1, /dangling +extra[^]*git add extra/);
  git("add", "extra");
  await make(0, /done +A/);
  assert.equal(repo.content("a"), "s\nextra\n");
  git("rm", "-q", "-f", "extra");
  await make(0, /done +A/);
  assert.equal(repo.content("a"), "s\n");
}, ["git"]);

conforms("a file goes from source to target and back", async (repo) => {
  repo.source({ x: "source\n", s: "1\n" });
  const use = `rule({ name: "Use", target: "use", cmd: "cat x" });`;
  repo.rules(use);
  await repo.make("use", { words: { done: 1 } });
  repo.unlist("x");
  repo.rules(use + `rule({ name: "X", target: "x", dep: "s", cmd: "cat" });`);
  await repo.make("use", { ran: ["X x", "Use use"], says: [/quarantined +x/] });
  assert.equal(repo.content("use"), "1\n");
  repo.list("x");
  await repo.make("use");
  repo.source({ x: "mine\n" });
  await repo.make("use", { words: { done: 1 } });
  assert.equal(repo.content("x"), "mine\n");
  // A target that no rule makes any more is not there for a clean build.
  repo.unlist("x");
  Deno.removeSync(repo.path("x"));
  await repo.make("x", { words: { steady: 1 } });
  repo.rules(use.replace("cat x", "cat x 2>/dev/null; :"));
  await repo.make("use", { words: { done: 1 } });
  assert.equal(repo.content("use"), "");
  assert.ok(!repo.has("x"));
});
