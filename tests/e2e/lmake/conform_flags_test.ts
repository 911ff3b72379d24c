/** Flags of deps and targets: static, side and dynamic ones. */

import assert from "node:assert/strict";
import { lineOf, LmakeRepo, words } from "../../support/lmake.ts";

function test(name: string, fn: (repo: LmakeRepo) => Promise<void>): void {
  Deno.test({
    name: `flags: ${name}`,
    ignore: Deno.build.os !== "linux",
    async fn() {
      using repo = new LmakeRepo();
      await fn(repo);
    },
  });
}

/** Letters of the flags of a dep or target, as `clibs show` has them. */
async function flagsOf(
  repo: LmakeRepo,
  what: "-d" | "-t",
  job: string,
  file: string,
): Promise<string[]> {
  const list = JSON.parse(
    await repo.show(what, "-p", job),
  )[0][what === "-d" ? "deps" : "targets"];
  const found = list.find((one: { file: string }) => one.file === file);
  assert.ok(found, `no ${file} in ${JSON.stringify(list)}`);
  return found.flags.sort();
}

test("defaults, and -flag turns off", async (repo) => {
  repo.source({ a: "A\n", b: "B\n", "d/x": "x\n" });
  repo.rules(String.raw`
rule({
  name: "Static",
  targets: { T: ["t", "essential", "noWarning"], P: ["p", "phony", "-phony", "essential", "-essential"] },
  deps: { A: "a", B: ["b", "-essential", "critical", "readdirOk", "ignoreError"] },
  cmd: "cat {A} {B} >{T}; echo >{P}",
});
rule({
  name: "Dynamic",
  target: "dyn",
  sideDeps: { S: ["{*:[ab]}", "critical", "essential"] },
  sideTargets: { S: ["side{*:\\d}", "sourceOk", "essential", "-essential"] },
  cmd: "cat a; ldepend -r b; ldepend -c -E -e -D a d; echo >side1; ltarget -E -s -w -i side2; echo >side2",
});
`);
  await repo.make("t", "dyn", { words: { done: 2 } });
  assert.deepEqual(await flagsOf(repo, "-d", "t", "a"), [
    "essential",
    "required",
  ]);
  assert.deepEqual(await flagsOf(repo, "-d", "t", "b"), [
    "critical",
    "ignoreError",
    "readdirOk",
    "required",
  ]);
  assert.deepEqual(await flagsOf(repo, "-t", "t", "t"), [
    "essential",
    "noWarning",
  ]);
  assert.deepEqual(await flagsOf(repo, "-t", "t", "p"), []);
  const a = await flagsOf(repo, "-d", "dyn", "a");
  for (const flag of ["critical", "essential", "ignoreError", "readdirOk"]) {
    assert.ok(a.includes(flag), `${a}`);
  }
  const b = await flagsOf(repo, "-d", "dyn", "b");
  assert.ok(b.includes("critical") && !b.includes("required"), `${b}`);
  assert.ok((await flagsOf(repo, "-t", "dyn", "side1")).includes("sourceOk"));
  const side2 = await flagsOf(repo, "-t", "dyn", "side2");
  for (
    const flag of ["essential", "sourceOk", "noWarning", "incremental", "allow"]
  ) {
    assert.ok(side2.includes(flag), `${side2}`);
  }
  assert.match(lineOf(await repo.show("-d", "dyn"), "a"), /c/);
});

test("critical: static, side and dynamic ones hold back what follows", async (repo) => {
  repo.source({ list: "p1\n", s: "S\n", p1: "1\n" });
  const user = (name: string, extra: string, cmd: string) =>
    `rule({ name: "${name}", target: "${name.toLowerCase()}", stderrOk: true, ${extra} cmd: "${cmd}; cat $(cat list)" });`;
  repo.rules(String.raw`
rule({ name: "Gen", target: "gen{N:\\d}", dep: "s", cmd: "cat; echo {N}" });
${user("Side", 'sideDeps: { L: ["list", "critical"] },', ":")}
${user("Twin", "", "ldepend -c list")}
${user("Func", "", "ldepend -c -R list")}
${user("Plain", "", ":")}
`);
  repo.source({ list: "gen1\n" });
  await repo.make("side", "twin", "func", "plain", { unchecked: true });
  assert.equal(repo.content("plain"), "S\n1\n");
  // The old object is not made again where the list was critical.
  repo.source({ list: "gen2\n", s: "S2\n" });
  const run = await repo.make("side", "twin", "func", { unchecked: true });
  assert.ok(
    !run.jobs.some(({ job, word }) => job === "gen1" && word === "done"),
    run.shown,
  );
  assert.equal(repo.content("side"), "S2\n2\n");
  repo.source({ list: "p1\n", s: "S3\n" });
  await repo.make("plain", { rules: { Gen: 1, Plain: 1 } });
});

test("ignoreError: static, side and dynamic; required", async (repo) => {
  repo.source({ s: "S\n" });
  repo.rules(String.raw`
rule({ name: "Bad", target: "bad{N:\\d}", cmd: "echo partial; exit 1" });
rule({ name: "Static", target: "static", deps: { B: ["bad1", "ignoreError"] }, cmd: "cat {B}" });
rule({ name: "Side", target: "side", sideDeps: { B: ["bad2", "ignoreError"] }, cmd: "cat bad2 || true", stderrOk: true });
rule({ name: "Match", target: "match", cmd: "ldepend -e -X 'bad[34]'; cat bad3 || true", stderrOk: true });
rule({ name: "None", target: "none", cmd: "cat bad5 || true", stderrOk: true });
rule({ name: "SideReq", target: "sidereq", sideDeps: { R: ["nope{*:\\d}", "required"] }, cmd: "cat nope1 || true", stderrOk: true });
rule({ name: "NotReq", target: "notreq", cmd: "cat nope2 || true", stderrOk: true });
rule({ name: "TargetDep", target: "tdep", cmd: "cat s; ltarget -e bad6; cat bad6 || true", stderrOk: true });
`);
  await repo.make("static", "side", "match", "notreq", "tdep", {
    rules: { Bad: 4, Static: 1, Side: 1, Match: 1, NotReq: 1, TargetDep: 1 },
    unchecked: true,
  });
  assert.equal(repo.content("static"), "partial\n");
  assert.equal(repo.content("side"), "partial\n");
  assert.equal(repo.content("match"), "partial\n");
  await repo.make("none", {
    exit: 1,
    words: { failed: 1, dep_error: [0, 1], again: [0, 1] },
  });
  await repo.make("sidereq", {
    exit: 1,
    words: { dep_error: [0, 1] },
    says: ["required dep missing"],
  });
});

test("ignore: from its call on, for reads and for writes", async (repo) => {
  repo.source({ a: "A\n", b: "B\n" });
  repo.rules(String.raw`
rule({ name: "Side", target: "side", sideDeps: { X: ["{*:[ab]}", "ignore"] }, cmd: "cat a b" });
rule({ name: "Star", target: "star", cmd: "cat a; ldepend -I -X '[ab]'; cat b" });
rule({ name: "Exempt", target: "exempt", cmd: "ldepend a; ldepend -I -X '.'; cat a b" });
rule({ name: "Subject", target: "subject", cmd: "ldepend -x -r a; ldepend -I -X '.'; cat a b" });
rule({ name: "Junk", targets: { T: "junk", J: ["jnk{*:\\d}", "ignore"] }, cmd: "echo >jnk1; cat jnk1 >{T}" });
rule({ name: "Late", target: "late", cmd: "ltarget tmp1; echo >tmp1; ltarget -I -X 'tmp.'; echo >tmp2; echo x >>tmp1" });
rule({ name: "StarAllow", target: "allow", cmd: "ltarget -X 'out\\d'; echo >out1; ltarget out2; echo >out2; ltarget -w -X 'out.'" });
`);
  await repo.make(
    "side",
    "star",
    "exempt",
    "subject",
    "junk",
    "late",
    "allow",
    { words: { done: 7 } },
  );
  assert.deepEqual(await repo.deps("side"), []);
  assert.deepEqual(await repo.deps("star"), ["a"]);
  assert.deepEqual(await repo.deps("exempt"), ["a"]);
  assert.ok(!(await flagsOf(repo, "-d", "exempt", "a")).includes("ignore"));
  assert.equal(repo.content("subject"), "A\nB\n");
  assert.deepEqual(await repo.targets("junk"), ["junk"]);
  assert.deepEqual((await repo.targets("late")).sort(), ["late", "tmp1"]);
  assert.deepEqual((await repo.targets("allow")).sort(), [
    "allow",
    "out1",
    "out2",
  ]);
  assert.ok((await flagsOf(repo, "-t", "allow", "out1")).includes("noWarning"));
  assert.ok(
    !(await flagsOf(repo, "-t", "allow", "out2")).includes("noWarning"),
  );
});

test("readdirOk: attribute, static, side, dynamic, on targets too", async (repo) => {
  repo.source({ "d/x": "x\n", "e/y": "y\n", list: "d\n" });
  repo.rules(String.raw`
rule({ name: "Side", target: "side", sideDeps: { D: ["d", "readdirOk"] }, cmd: "ls d" });
rule({ name: "Match", target: "match", cmd: "ldepend -D -X '[de]'; ls d e" });
rule({ name: "Target", target: "target", cmd: "ltarget -D d; ls d" });
rule({ name: "TargetInc", target: "inc", cmd: "ltarget -i d; ls d" });
rule({ name: "Side2", target: "side2", sideTargets: { D: ["e", "readdirOk"] }, cmd: "ls e" });
rule({ name: "Ignored", target: "ignored", sideDeps: { D: ["d", "ignore"] }, cmd: "ls d" });
rule({ name: "Glob", target: "glob", cmd: "echo d/*" });
rule({ name: "Rm", target: "rm", cmd: "mkdir -p own/sub; rm -r own" });
rule({ name: "Late", target: "late", cmd: "ls e; ldepend -D e" });
`);
  await repo.make("side", "match", "target", "inc", "side2", "ignored", {
    words: { done: 6 },
  });
  assert.deepEqual(await repo.deps("target"), []);
  await repo.make("glob", {
    exit: 1,
    words: { failed: 1 },
    says: ["readdirOk", /\bd\b/],
  });
  await repo.make("rm", "late", { unchecked: true });
});

test("incremental, sourceOk, phony, optional, noWarning, allow", async (repo) => {
  repo.source({ s: "S\n", src: "1\n", list: "a b\n" });
  repo.rules(String.raw`
rule({ name: "Inc", targets: { T: ["inc", "incremental"], ST: ["st/{*:\\w+}", "incremental"] }, deps: { S: "s" }, cmd: "cat {S} >>{T}; echo >>st/log" });
rule({ name: "Src", targets: { T: "srcuser", U: ["src", "sourceOk"] }, cmd: "echo two >src; echo >{T}" });
rule({ name: "SideSrc", target: "sidesrc", sideTargets: { U: ["list", "sourceOk"] }, cmd: "echo c >list" });
rule({ name: "DynSrc", target: "dynsrc", cmd: "ltarget -s list; echo d >list" });
rule({ name: "Phony", targets: { T: ["phony", "phony"] }, deps: { S: "s" }, cmd: "" });
rule({ name: "PhonyStar", targets: { P: ["ph/{*:\\w+}", "phony"] }, cmd: "mkdir -p ph; echo a >ph/a" });
rule({ name: "PhonyUser", target: "phonyuser", deps: { P: "phony" }, cmd: "test ! -e {P} && echo fine" });
rule({ name: "Shared1", targets: { T: "sh1" }, sideTargets: { X: "common" }, deps: { S: "s" }, cmd: "cat {S} >{T}; echo 1 >common" });
rule({ name: "Shared2", targets: { T: "sh2", X: "common" }, deps: { S: "s" }, cmd: "cat {S} >{T}; echo 2 >common" });
rule({ name: "Quiet2", targets: { T: "sh3", X: ["quiet", "noWarning"] }, deps: { S: "s" }, cmd: "cat {S} >{T}; echo 2 >quiet" });
rule({ name: "Quiet1", targets: { T: "sh4" }, sideTargets: { X: "quiet" }, deps: { S: "s" }, cmd: "cat {S} >{T}; echo 1 >quiet" });
rule({ name: "NoAllow", target: "noallow", cmd: "ltarget -a -w x; ltarget -a untouched; ltarget x; echo >x" });
`);
  await repo.make("inc", "phonyuser", { words: { done: 3 } });
  assert.ok(!repo.has("phony"));
  await repo.make("ph/a", "ph/any", { rules: { PhonyStar: 1 } });
  assert.ok(repo.has("ph/a") && !repo.has("ph/any"));
  await repo.make("ph/any");
  // Of a file with another name, a copy is changed.
  Deno.linkSync(repo.path("inc"), repo.path("inc.link"));
  repo.source({ s: "S2\n" });
  await repo.make("inc", "phonyuser", {
    rules: { Inc: 1 },
    says: ["uniquified"],
  });
  assert.equal(repo.content("inc"), "S\nS2\n");
  assert.equal(repo.content("inc.link"), "S\n");
  assert.equal(repo.content("st/log"), "\n\n");
  await repo.make("srcuser", "noallow", { words: { done: 2 } });
  assert.equal(repo.content("src"), "two\n");
  assert.deepEqual(await repo.deps("noallow"), []);
  await repo.make("sidesrc", { words: { done: 1 } });
  assert.equal(repo.content("list"), "c\n");
  await repo.make("sh1", { words: { done: 1 } });
  // Made by another job: it is removed with a word, unless that is unwanted.
  await repo.make("sh2", { words: { done: 1 }, says: [/unlink\w*\s+common/] });
  await repo.make("sh4", { words: { done: 1 } });
  await repo.make("sh3", { words: { done: 1 }, silent: [/unlink\w*\s+quiet/] });
});

test("static deps that are never read, and deps of no access", async (repo) => {
  repo.source({ a: "A\n", b: "B\n", c: "C\n" });
  repo.rules(String.raw`
rule({ name: "Unread", target: "unread", deps: { A: "a", B: "b" }, cmd: "cat {B}; ldepend c" });
`);
  await repo.make("unread", { words: { done: 1 } });
  assert.match(lineOf(await repo.show("-d", "unread"), "a"), /---/);
  repo.source({ a: "A2\n", c: "C2\n" });
  await repo.make("unread");
  repo.source({ b: "B2\n" });
  await repo.make("unread", { words: { done: 1 } });
  repo.remove("c");
  await repo.make("unread", { exit: 1, unchecked: true });
  assert.deepEqual(words(repo.content("unread")), ["B2"]);
});

test("Autodep nests, ends with throws, and goes to children", async (repo) => {
  repo.source({ a: "A\n", b: "B\n", c: "C\n", d: "D\n" });
  repo.rules(String.raw`
rule({ name: "Auto", target: "auto.json", cmd: async (j) => {
    const { Autodep, getAutodep, setAutodep } = j.lmake;
    const run = (name: string) => new Deno.Command("cat", { args: [name] }).outputSync();
    const out = [getAutodep()];
    try {
      using _off = new Autodep(false);
      out.push(getAutodep(), _off.active);
      run("a");
      { using _on = new Autodep(true); out.push(getAutodep()); run("b"); }
      out.push(getAutodep());
      throw new Error("out");
    } catch { out.push(getAutodep()); }
    await Autodep.run(false, async () => { await Promise.resolve(); Deno.readTextFileSync("c"); out.push(getAutodep()); });
    setAutodep(false);
    Deno.readTextFileSync("c");
    setAutodep(true);
    run("d");
    console.log(JSON.stringify(out));
} });
`);
  await repo.make("auto.json", { words: { done: 1 } });
  assert.deepEqual(JSON.parse(repo.content("auto.json")), [
    true,
    false,
    false,
    true,
    false,
    true,
    false,
  ]);
  assert.deepEqual(
    (await repo.deps("auto.json")).filter((name) => /^[a-d]$/.test(name)),
    ["b", "d"],
  );
});
