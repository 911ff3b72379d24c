/** The functions of the job module and their twins: arguments, results, errors. */

import assert from "node:assert/strict";
import { lineOf, LmakeRepo, words } from "../../support/lmake.ts";

function test(name: string, fn: (repo: LmakeRepo) => Promise<void>): void {
  Deno.test({
    name: `functions: ${name}`,
    ignore: Deno.build.os !== "linux",
    async fn() {
      using repo = new LmakeRepo();
      await fn(repo);
    },
  });
}

/** Code for a job: what a call throws, or its result. */
const TRY = `const attempt = async (call: () => unknown) => {
      try { return await call() ?? null; } catch (error) { return "throws " + (error as Error).message; }
    };`;

test("depend: forms, defaults, results and errors", async (repo) => {
  repo.source({ a: "A\n", b: "B\n", c: "C\n" });
  repo.rules(String.raw`
rule({ name: "Ok", target: "ok{N:\\d}", cmd: "echo ok{N}" });
rule({ name: "Bad", target: "bad", cmd: "exit 1" });
rule({ name: "Forms", target: "forms.json", cmd: async (j) => {
    ${TRY}
    const { depend } = j.lmake;
    const results = [
      await attempt(() => depend("a")),
      await attempt(() => depend(["a", "b"], { read: true })),
      await attempt(() => depend("c", "/usr/bin/env", "/no/such/file", {})),
      await attempt(() => depend()),
      await attempt(() => depend("ok1", "ok2", { direct: true })),
      await attempt(() => depend("bad", { direct: true, ignoreError: true })),
      await attempt(() => depend("ok1", "nope", "/etc/passwd", { verbose: true, required: false })),
      await attempt(() => depend("ok3", { verbose: true })),
    ];
    const wrong = [
      () => depend("a", { reed: true } as never),
      () => depend("a", { read: "yes" } as never),
      () => depend("a", { regexpr: true, read: true }),
      () => depend("a", { regexpr: true, verbose: true }),
      () => depend("a", { regexpr: true, direct: true }),
      () => depend("a", { regexpr: true, followSymlinks: true }),
      () => depend("a", { verbose: true, direct: true }),
      () => depend(""),
      () => depend("a", ""),
      () => depend(3 as never),
      () => depend("(", { regexpr: true }),
    ];
    for (const call of wrong) results.push(await attempt(call));
    console.log(JSON.stringify(results));
} });
rule({ name: "Twin", target: "twin", stderrOk: true, cmd: "ldepend; echo $?; ldepend -q 2>/dev/null; echo $?; ldepend '' 2>/dev/null; echo $?; ldepend -X -R a 2>/dev/null; echo $?; ldepend -v -e -r ok1 nope bad ok4; echo $?; ldepend -v -r bad >/dev/null; echo $?; ldepend --read --no-required a; echo $?; ldepend -d ok1; echo $?; ldepend -e bad" });
rule({ name: "Required", target: "required", cmd: "ldepend nope" });
`);
  await repo.make("forms.json", { unchecked: true });
  const found = JSON.parse(repo.content("forms.json"));
  assert.deepEqual(found.slice(0, 6), [null, null, null, null, true, false]);
  assert.deepEqual(Object.keys(found[6]), ["ok1", "nope", "/etc/passwd"]);
  assert.equal(found[6].ok1.ok, true);
  assert.match(found[6].ok1.checksum, /^[0-9a-f]{16}-R$/);
  assert.deepEqual([found[6].nope, found[6]["/etc/passwd"]], [{
    ok: true,
    checksum: "none",
  }, {}]);
  for (const [i, text] of found.slice(8).entries()) {
    assert.match(String(text), /^throws/, `${i}`);
  }
  const deps = await repo.deps("forms.json");
  assert.deepEqual(deps.slice(0, 3), ["a", "b", "c"]);
  assert.match(lineOf(await repo.show("-d", "forms.json"), "c"), /---/);
  await repo.make("twin", { unchecked: true });
  const lines = repo.content("twin").split("\n");
  assert.deepEqual(lines.slice(0, 4), ["0", "11", "11", "11"]);
  assert.match(lines[4]!, /^ok [0-9a-f]{16}-R ok1$/);
  assert.deepEqual([lines[5], lines[6]?.replace(/ \S+ /, " x ")], [
    "ok none nope",
    "error x bad",
  ]);
  assert.deepEqual(lines.slice(8, 12), ["0", "1", "0", "0"]);
  await repo.make("required", {
    exit: 1,
    words: { dep_error: [0, 1] },
    says: ["required dep missing"],
  });
});

test("depend: the state told by verbose is a dep, also of equal content", async (repo) => {
  repo.source({ s: "0\n" });
  repo.rules(String.raw`
rule({ name: "Dep", target: "dep", dep: "s", cmd: "read x; echo same; exit $x" });
rule({ name: "Tell", target: "tell", cmd: "ldepend -v -e dep | sed 's/ .*//'; echo >>${repo.ext.path}/runs" });
`);
  await repo.make("tell", { unchecked: true });
  assert.equal(repo.content("tell"), "ok\n");
  repo.source({ s: "1\n" });
  await repo.make("tell", { unchecked: true });
  assert.equal(repo.content("tell"), "error\n");
  repo.source({ s: "0\n" });
  await repo.make("tell", { unchecked: true });
  assert.equal(repo.content("tell"), "ok\n");
  await repo.make("tell");
});

test("followSymlinks: each link on the way, flags for the last file", async (repo) => {
  repo.source({ "d/real": "R\n", other: "O\n" });
  repo.sourceLink({ l1: "l2", l2: "dir/real", dir: "d", tl: "made" });
  repo.rules(String.raw`
rule({ name: "Follow", target: "follow", cmd: "ldepend -L -R -c l1" });
rule({ name: "Stay", target: "stay", cmd: "ldepend -R -c l1" });
rule({ name: "Through", target: "through", cmd: "ldepend -R dir/real" });
rule({ name: "Target", target: "target", cmd: async (j) => {
  await j.lmake.target("tl", { followSymlinks: true });
  Deno.writeTextFileSync("tl", "written\n");
} });
rule({ name: "TargetTwin", target: "target2", cmd: "ltarget -L tl; echo twin >tl" });
`);
  await repo.make("follow", "stay", "through", "target", {
    words: { done: 4 },
  });
  const list = await repo.show("-d", "follow");
  assert.deepEqual(await repo.deps("follow"), ["l1", "l2", "dir", "d/real"]);
  assert.match(lineOf(list, "l1"), /L--/);
  assert.match(lineOf(list, "d/real"), /LR-/);
  const flags = (text: string, name: string) =>
    lineOf(text, name).split(/\s+/)[0];
  assert.ok(
    lineOf(list, "d/real").includes("c") && !flags(list, "l1")?.includes("c"),
    list,
  );
  assert.deepEqual(await repo.deps("stay"), ["l1"]);
  assert.deepEqual(await repo.deps("through"), ["dir", "d/real"]);
  assert.equal(repo.content("made"), "written\n");
  assert.deepEqual((await repo.targets("target")).sort(), ["made", "target"]);
  assert.deepEqual(await repo.deps("target"), ["tl"]);
  await repo.make("target2", { words: { done: 1 }, unchecked: true });
  assert.equal(repo.content("made"), "twin\n");
});

test("target: results and errors, writes that no tracer saw, names outside", async (repo) => {
  repo.source({ s: "S\n" });
  const ext = repo.ext.path;
  repo.rules(String.raw`
rule({ name: "Calls", target: "calls.json", cmd: async (j) => {
    ${TRY}
    const { Autodep, target } = j.lmake;
    const results = [
      await attempt(() => target("x1")),
      await attempt(() => target(["x2", "x3"], { write: true })),
      await attempt(() => target("${ext}/outside", { write: true })),
      await attempt(() => target()),
      await attempt(() => target("x1", { rite: true } as never)),
      await attempt(() => target("x1", { regexpr: true, write: true })),
      await attempt(() => target("")),
    ];
    await Autodep.run(false, () => Deno.writeTextFileSync("x2", "unseen\n"));
    console.log(JSON.stringify(results));
} });
rule({ name: "Twin", target: "twin", cmd: "ltarget; echo $?; ltarget --no-such 2>/dev/null; echo $?; ltarget -X -W x 2>/dev/null; echo $?; ltarget -W -s -e -c -E -r -D y1; echo $?; echo >y1; ltarget -l" });
`);
  await repo.make("calls.json", "twin", { words: { done: 2 } });
  const found = JSON.parse(repo.content("calls.json"));
  assert.deepEqual(found.slice(0, 4), [null, null, null, null]);
  for (const text of found.slice(4)) assert.match(text, /^throws/);
  assert.deepEqual((await repo.targets("calls.json")).sort(), [
    "calls.json",
    "x2",
  ]);
  assert.deepEqual(words(repo.content("twin")), [
    "0",
    "11",
    "11",
    "0",
    "twin",
    "y1",
  ]);
});

test("checkDeps: results, delay, errors", async (repo) => {
  repo.source({ s: "S\n" });
  repo.rules(String.raw`
rule({ name: "Bad", target: "bad", cmd: "exit 1" });
rule({ name: "Dep", target: "dep", dep: "s", cmd: "cat" });
rule({ name: "Calls", target: "calls.json", cmd: async (j) => {
    ${TRY}
    const { checkDeps, depend } = j.lmake;
    Deno.readTextFileSync("dep");
    const start = Date.now();
    const results = [await attempt(() => checkDeps()), await attempt(() => checkDeps(0, true))];
    const early = Date.now() - start;
    results.push(await attempt(() => checkDeps(0.3, true)), Date.now() - start - early >= 290);
    await depend("bad", { direct: true });
    results.push(await attempt(() => checkDeps(0, true)), await attempt(() => checkDeps(-1)), await attempt(() => checkDeps("x" as never)));
    Deno.writeTextFileSync("${
    repo.ext.join("calls.json")
  }", JSON.stringify(results));
} });
rule({ name: "Twin", target: "twin", stderrOk: true, cmd: "cat dep; lcheck_deps; echo $?; lcheck_deps -s; echo $?; lcheck_deps -d x; echo $?; lcheck_deps -d 0.1 -s; echo $?; ldepend -d bad; lcheck_deps -s; echo $? >${
    repo.ext.join("rc")
  }" });
`);
  await repo.make("calls.json", "twin", {
    // A job that waits for a direct dep keeps its resources.
    flags: ["-j4"],
    exit: 1,
    unchecked: true,
  });
  const found = JSON.parse(repo.extContent("calls.json"));
  assert.deepEqual(found.slice(0, 5), [null, true, true, true, false]);
  assert.match(found[5], /^throws/);
  assert.match(found[6], /^throws/);
  assert.equal(repo.extContent("rc"), "1\n");
  assert.deepEqual(words(repo.content("twin")), ["S", "0", "0", "11", "0"]);
});

test("lists: order, folders, patterns on names as told, what is absent", async (repo) => {
  repo.source({ "d/x": "x\n", "d/e/y": "y\n", z: "z\n", unread: "u\n" });
  repo.rules(String.raw`
rule({
  name: "Lists",
  targets: { J: "lists.json", O: "o/{*:.*}" },
  deps: { U: "unread" },
  cmd: async (j) => {
    ${TRY}
    const { listDeps, listRoot, listTargets } = j.lmake;
    for (const name of ["z", "d/x", "d/e/y"]) Deno.readTextFileSync(name);
    try { Deno.readTextFileSync("absent"); } catch { /* It is. */ }
    Deno.mkdirSync("o/p", { recursive: true });
    for (const name of ["o/b", "o/p/a", "o/gone"]) Deno.writeTextFileSync(name, name);
    Deno.removeSync("o/gone");
    const out = [
      await listDeps(), await listDeps("d"), await listDeps("d/"), await listDeps("d/x"), await listDeps(undefined, /d.*/),
      await listDeps("d", "x"), await listTargets(), await listTargets("o/p"), await listTargets("o", "o/b"),
      await listRoot("d"), await listRoot("d/"), await listRoot("."), await listRoot("/usr/"),
      await attempt(() => listDeps("")), await attempt(() => listDeps(undefined, "(")), await attempt(() => listRoot("")),
    ];
    Deno.chdir("d");
    out.push(await listDeps(), await listRoot("../o"), await listTargets("../o/p", ".*/a"));
    Deno.chdir("/");
    out.push(await listDeps("${repo.dir.path}/d/e"), await listTargets("${repo.dir.path}/o/p"), await listRoot("${repo.dir.path}"));
    Deno.chdir("${repo.dir.path}");
    Deno.writeTextFileSync(j.J, JSON.stringify(out));
  },
});
`);
  await repo.make("lists.json", { words: { done: 1 } });
  const root = repo.dir.path;
  const found = JSON.parse(repo.content("lists.json"));
  assert.deepEqual(found.slice(0, 13), [
    ["unread", "z", "d/x", "d/e/y", "absent"],
    ["d/x", "d/e/y"],
    ["d/x", "d/e/y"],
    [],
    ["d/x", "d/e/y"],
    [],
    ["o/b", "o/p/a"],
    ["o/p/a"],
    ["o/b"],
    "d",
    "d",
    ".",
    "/usr",
  ]);
  for (const text of found.slice(13, 16)) assert.match(String(text), /^throws/);
  assert.deepEqual(found.slice(16), [
    ["../unread", "../z", "x", "e/y", "../absent"],
    "../o",
    ["../o/p/a"],
    [`${root}/d/e/y`],
    [`${root}/o/p/a`],
    root,
  ]);
});

test("target trees: links, bits, bytes, errors without effect", async (repo) => {
  repo.rules(String.raw`
rule({
  name: "Trees",
  targets: { R: "trees.json", A: "a/{*:.*}", B: "b/{*:.*}", C: "c/{*:.*}" },
  cmd: async (j) => {
    ${TRY}
    const { cpTargetTree, mvTargetTree, rmTargetTree } = j.lmake;
    const bytes = new Uint8Array([0, 255, 10, 128]);
    Deno.mkdirSync("a/deep", { recursive: true });
    Deno.writeFileSync("a/bin", bytes, { mode: 0o755 });
    Deno.writeTextFileSync("a/deep/text", "text\n");
    Deno.symlinkSync("../nowhere", "a/deep/link");
    const out = [];
    for (const [from, to] of [["", "b"], ["/a", "b"], ["a", ""], ["a", "../b"], ["../a", "b"], ["a", "/b"]] as const) {
      out.push(await attempt(() => cpTargetTree(from, to)), await attempt(() => mvTargetTree(from, to)));
    }
    for (const dir of ["", "/a", "../a", "a/../.."]) out.push(await attempt(() => rmTargetTree(dir)));
    await cpTargetTree("a", "b");
    await mvTargetTree("b", "c", ".*(bin|link)");
    const there = (name: string) => { try { Deno.lstatSync(name); return true; } catch { return false; } };
    out.push([
      Deno.readFileSync("c/bin").join(), (Deno.statSync("c/bin").mode! & 0o111) !== 0,
      Deno.readLinkSync("c/deep/link"), there("b/bin"), there("b/deep/text"),
    ]);
    await rmTargetTree("b");
    out.push(there("b"), there("a/deep/text"));
    Deno.writeTextFileSync(j.R, JSON.stringify(out));
  },
});
`);
  await repo.make("trees.json", { unchecked: true });
  const found = JSON.parse(repo.content("trees.json"));
  for (const text of found.slice(0, 16)) assert.match(String(text), /^throws/);
  assert.deepEqual(found.slice(16), [
    ["0,255,10,128", true, "../nowhere", false, true],
    false,
    true,
  ]);
});

test("reportImport: dotted names, folders, suffixes, errors", async (repo) => {
  repo.source({ "p2/mod.ts": "", "p2/pkg/mod.ts": "", "here.x": "", list: "" });
  repo.rules(String.raw`
rule({ name: "Dotted", target: "dotted", cmd: async (j) => { await j.lmake.reportImport("a.b.mod", ["p1", "p2/", "p3"], [".x", ".ts"]); } });
rule({ name: "Empty", target: "empty", cmd: async (j) => { await j.lmake.reportImport("here", ["", "p2"], [".x"]); } });
rule({ name: "Outside", target: "outside", cmd: async (j) => { await j.lmake.reportImport("nothing", ["/usr", "p1"], [".q"]); } });
rule({ name: "Default", target: "default", cmd: async (j) => { await j.lmake.reportImport("nothing"); } });
rule({ name: "Only", target: "only", cmd: async (j) => { await j.lmake.reportImport("", ["p2"]); for (const _ of Deno.readDirSync("p2")); } });
rule({ name: "Wrong", target: "wrong", cmd: async (j) => {
  for (const call of [() => j.lmake.reportImport("x", "p1" as never), () => j.lmake.reportImport(3 as never, ["p1"])]) {
    try { await call(); console.log("fine"); } catch { console.log("throws"); }
  }
} });
`);
  await repo.make("dotted", "empty", "outside", "default", "only", "wrong", {
    words: { done: 6 },
  });
  assert.deepEqual(
    await repo.deps("dotted"),
    ["p1/mod.x", "p1/mod.ts", "p2/mod.x", "p2/mod.ts"],
  );
  assert.deepEqual(await repo.deps("empty"), ["here.x"]);
  assert.deepEqual(await repo.deps("outside"), ["p1/nothing.q"]);
  assert.ok((await repo.deps("default")).includes("nothing.ts"));
  assert.deepEqual(await repo.deps("only"), []);
  assert.equal(repo.content("wrong"), "throws\nthrows\n");
});

test("runCc and lrun_cc: folders of all flags, stdin, stdout, failure", async (repo) => {
  repo.rules(String.raw`
dirRule();
rule({ name: "Run", target: "run", stderrOk: true, cmd: async (j) => {
  const args = ["-Ia", "-I", "b", "-iquote", "c", "-isystemd", "-idirafter", "e", "-Lf", "-L", "g", "-I=h", "-I$SYSROOT/i", "-I/usr/include", "-I"];
  const out = await j.lmake.runCc("sh", "-c", "cat; echo err >&2; for d in a b c d e f g; do test -d $d && echo $d; done", "sh", ...args, { stdin: "in\n" });
  console.log(JSON.stringify(out));
  try { await j.lmake.runCc("sh", "-c", "exit 3"); console.log("fine"); } catch { console.log("throws"); }
} });
rule({ name: "Twin", target: "twin", stderrOk: true, cmd: "echo in | lrun_cc -m ... sh -c 'cat; exit 4' sh -Ia -idirafter k; echo $?; lrun_cc; echo $?" });
`);
  await repo.make("run", "twin", { unchecked: true });
  const [first, second] = repo.content("run").split("\n");
  assert.deepEqual(JSON.parse(first!), {
    code: 0,
    stdout: "in\na\nb\nc\nd\ne\nf\ng\n",
  });
  assert.equal(second, "throws");
  assert.equal(await repo.show("-e", "run"), "err\n");
  assert.deepEqual(words(repo.content("twin")), ["in", "4", "11"]);
  const markers = (await repo.deps("run")).filter((name) =>
    name.endsWith("...")
  );
  assert.deepEqual(markers, [..."abcdefg"].map((dir) => `${dir}/...`));
  assert.ok((await repo.deps("twin")).includes("k/..."));
});
