/** Patterns, the choice of rules, predefined rules, deps of the configuration. */

import assert from "node:assert/strict";
import { LmakeRepo, words } from "../../support/lmake.ts";

function test(name: string, fn: (repo: LmakeRepo) => Promise<void>): void {
  Deno.test({
    name: `rules: ${name}`,
    ignore: Deno.build.os !== "linux",
    async fn() {
      using repo = new LmakeRepo();
      await fn(repo);
    },
  });
}

test("patterns: stems by name and without, twice, star, braces", async (repo) => {
  repo.source({ "a.b.c": "C\n" });
  repo.rules(
    String.raw`
rule({ name: "Stems", stems: { S: "[a-z.]+", N: /\d/ }, target: "st/{S}-{N}-{:x|y}", cmd: "echo {S} {N}" });
rule({ name: "Twice", target: "tw/{A:\\w+}/{A}", cmd: "echo {A}" });
rule({ name: "Braces", target: "br/{{{A:x{2}}}}", cmd: "echo '{{{A}}}'" });
rule({ name: "Dot", target: "dot/{A:.*}.end", cmd: "echo {A}" });
rule({ name: "Literal", target: "li.[x]+(a|b)", cmd: "echo literal" });
rule({
  name: "Star",
  targets: { ONE: "star/{D:\\w+}/{N*:\\d}{:\\w*}{*:-?}", LOG: "star/{D}.log{:\\w*}" },
  cmd: "echo {ONE('1','')} >{LOG}; echo 1 >star/{D}/1",
});
rule({ name: "Merge", targets: { A: "merged", B: "merged" }, cmd: "echo {A} {B} >{B}" });
`.replace("{:\\\\w*}{*:-?}", "{*:-?}").replace("{D}.log{:\\\\w*}", "{D}.log"),
  );
  await repo.make(
    "st/a.b-7-x",
    "tw/q/q",
    "br/{xx}",
    "dot/a/b c.end",
    "li.[x]+(a|b)",
    "star/d/1",
    "merged",
    {
      words: { done: 7 },
    },
  );
  assert.equal(repo.content("st/a.b-7-x"), "a.b 7\n");
  assert.equal(repo.content("br/{xx}"), "{xx}\n");
  assert.equal(repo.content("dot/a/b c.end"), "a/b c\n");
  assert.equal(repo.content("star/d.log"), "star/d/1\n");
  assert.equal(repo.content("merged"), "merged merged\n");
  await repo.make("tw/q/r", "st/a.b-77-x", "li.yx", "xst/a-1-x", {
    exit: 1,
    words: {},
  });
});

test("what is refused when rules are read", async (repo) => {
  repo.source({ s: "S\n" });
  const wrong: [string, RegExp][] = [
    [`rule({ name: "A", target: "/abs", cmd: "" })`, /absolute/],
    [`rule({ name: "A", target: "a/../b", cmd: "" })`, /\.\./],
    [`rule({ name: "A", target: "./a", cmd: "" })`, /part \./],
    [`rule({ name: "A", target: "a//b", cmd: "" })`, /empty/],
    [`rule({ name: "A", target: "a/", cmd: "" })`, /ends with/],
    [
      `rule({ name: "A", targets: { T: ["a", "incremantal"] }, cmd: "" })`,
      /incremental/,
    ],
    [`rule({ name: "A", target: "{X}", cmd: "" })`, /not defined/],
    [`rule({ name: "A", target: "{X:(}", cmd: "" })`, /regular expression/],
    [
      `rule({ name: "A", target: "a", cmd: "" }); rule({ name: "A", target: "b", cmd: "" })`,
      /of that name/,
    ],
    [
      `rule({ name: "A", targets: { T: "a{X:.}", U: "b{X:..}" }, cmd: "" })`,
      /defin/,
    ],
    [
      `rule({ name: "A", targets: { T: "a{X:.}", U: "b" }, cmd: "" })`,
      /static stems/,
    ],
    [`rule({ name: "A", target: "a", cmd: "{NOPE}" })`, /NOPE/],
    [`rule({ name: "A", target: "a{X*:.}", cmd: "" })`, /star stems/],
    [`rule({ name: "A", target: "a", prioo: 1, cmd: "" } as never)`, /prio/],
    [
      `rule({ name: "A", target: "a", retriedErrors: ["bad luck"], cmd: "" })`,
      /kind of error/,
    ],
    [`lmake.config.pathMaxx = 1;`, /pathMax/],
    [`lmake.config.pathMax = "long";`, /whole number/],
    [`throw new Error("no rules today");`, /no rules today/],
  ];
  for (const [text, says] of wrong) {
    repo.rules(text);
    // An error of the rules builds nothing.
    const run = await repo.run(["make", "s"]);
    assert.equal(run.code, 3, run.shown);
    assert.match(run.stderr, says, text);
    if (!text.includes("config")) {
      assert.match(run.stderr, /Lmakefile\.ts:\d+/, text);
    }
  }
});

test("groups by priority, sure ones and maybes, who wins and who does not", async (repo) => {
  repo.source({ s: "S\n", one: "1\n", "f.x": "X\n" });
  repo.rules(String.raw`
rule({ name: "High", prio: 2, targets: { O: ["p/{F:\\w+}", "optional"] }, deps: { S: "one" }, cmd: "test {F} = high && echo high >{O}; true" });
rule({ name: "Star", prio: 1, targets: { O: "p/{*:star\\d?}" }, cmd: "echo star >p/star" });
rule({ name: "Never", prio: 1, target: "p/{F:\\w+}", dep: "no such dep", cmd: "echo never" });
rule({ name: "Low", target: "p/{F:\\w+}", cmd: "echo low" });

rule({ name: "SureA", target: "m/{F:a|both}", cmd: "echo a >>${repo.ext.path}/m" });
rule({ name: "SureB", target: "m/{F:b|both}", cmd: "echo b >>${repo.ext.path}/m" });
rule({ name: "MaybeA", targets: { O: "n/{*:\\w+}" }, cmd: "echo a >n/x; echo a >n/y" });
rule({ name: "MaybeB", targets: { O: ["n/{F:\\w+}", "optional"] }, cmd: "test {F} = x && echo b >{O}; true" });
rule({ name: "FailA", prio: 3, targets: { O: ["e/{F:\\w+}", "optional"] }, cmd: "exit 1" });
rule({ name: "FailB", target: "e/{F:\\w+}", cmd: "echo b" });
rule({ name: "Two", targets: { A: "{F:\\w}.x.{*:.*}", B: "{F}.x.y" }, cmd: "echo y >{B}" });
`);
  await repo.make("p/high", "p/star", "p/star2", "p/other", {
    rules: { High: 4, Star: 1, Low: 2 },
  });
  for (
    const [name, text] of [
      ["high", "high"],
      ["star", "star"],
      ["star2", "low"],
      ["other", "low"],
    ]
  ) {
    assert.equal(repo.content(`p/${name}`), `${text}\n`);
  }
  await repo.make("m/both", {
    exit: 1,
    words: {},
    says: [/multi\b/, "SureA", "SureB"],
  });
  assert.equal(repo.extContent("m"), "");
  await repo.make("n/y", { rules: { MaybeA: 1, MaybeB: 1 } });
  await repo.make("n/x", {
    exit: 1,
    rules: { MaybeB: 1 },
    says: [/multi\b/, "MaybeA", "MaybeB"],
  });
  // What failed counts as producing.
  await repo.make("e/x", { exit: 1, rules: { FailA: 1 } });
  // Static patterns first.
  await repo.make("f.x.y", { rules: { Two: 1 } });
});

test("anti and source rules, uphill names, long names, deep deps", async (repo) => {
  repo.source({ "gen/list": "L\n" });
  const long = "x".repeat(60);
  repo.rules(String.raw`
lmake.config.pathMax = 50;
lmake.config.maxDepDepth = 6;
antiRule({ target: "no/{:.*}", prio: 1 });
sourceRule({ target: "no/but/{:.*}", prio: 5 });
antiRule({ name: "Lower", targets: { A: "no/but/not", B: "no/but/neither" }, prio: 4 });
antiRule({ name: "Higher", target: "no/but/never", prio: 6 });
sourceRule({ name: "Src", target: "src_{:\\w+}" });
rule({ name: "Any", target: "no/{:.*}", cmd: "echo any" });
rule({ name: "File", target: "up", cmd: "echo up" });
rule({ name: "Below", target: "up/{:.*}", cmd: "echo below" });
rule({ name: "Long", target: "long/{:x+}", cmd: "echo long" });
rule({ name: "Deep", target: "{F:.*}.d", dep: "{F}.d.d", cmd: "cat" });
rule({ name: "Chain", target: "c{N:\\d+}", dep: (j) => Number(j.N) < 4 ? "c" + (Number(j.N) + 1) : "gen/list", cmd: "cat" });
rule({ name: "User", target: "user", stderrOk: true, cmd: "cat src_1 no/but/x; cat up/x; true" });
`);
  repo.file({ "no/but/x": "X\n", src_1: "1\n", "no/but/never": "N\n" });
  await repo.make("c1", "user", { rules: { Chain: 4, User: 1, File: 1 } });
  assert.equal(repo.content("user"), "1\nX\n");
  await repo.make("no/a", { exit: 1, words: {}, says: [/AntiRule/] });
  await repo.make("no/but/y", { exit: 1, words: {}, says: [/missing/] });
  await repo.make("no/but/never", {
    exit: 1,
    words: {},
    says: [/dangling|Higher/],
  });
  await repo.make("up/x", { exit: 1, words: {}, says: [/\bup\b is a file/] });
  await repo.make(`long/${long}`, { exit: 1, words: {}, says: [/longer/] });
  await repo.make("long/xx", { words: { done: 1 } });
  await repo.make("e.d", { exit: 1, words: {}, says: [/infinite/] });
});

test("dirRule, aliasRule, homelessRule, traceRule", async (repo) => {
  repo.rules(String.raw`
import { homelessRule, traceRule } from "@clibs/cli/lmake";
dirRule();
dirRule({ name: "Other", marker: "here{}" });
rule({ name: "Part", target: "part{N:\\d}", cmd: "echo {N}" });
aliasRule({ name: "all", deps: ["part1", "part2"] });
aliasRule({ name: "Some", target: "some-{N:\\d}", deps: { P: "part{N}" } });
homelessRule({ name: "Homeless", target: "homeless", environ: { X: "1" }, cmd: "echo $X; test $HOME = $TMPDIR && ls -A $HOME" });
traceRule({ name: "Traced", target: "traced", cmd: "echo one\necho two" });
traceRule({ name: "Logged", targets: { L: "logged" }, cmd: "echo three >{L}" });
`);
  await repo.make(
    "a/b/...",
    "a/here{}",
    "all",
    "some-3",
    "homeless",
    "traced",
    "logged",
    {
      rules: {
        DirRule: 1,
        Other: 1,
        Part: 3,
        all: 1,
        Some: 1,
        Homeless: 1,
        Traced: 1,
        Logged: 1,
      },
    },
  );
  assert.equal(repo.content("a/b/..."), "");
  assert.ok(!repo.has("all") && repo.has("part2"));
  assert.equal(repo.content("homeless"), "1\n");
  assert.equal(repo.content("traced"), "one\ntwo\n");
  assert.match(await repo.show("-e", "traced"), /\+ echo one/);
  assert.match(await repo.show("-o", "logged"), /\+ echo three/);
  await repo.make("all", "some-3");
});

test("what Lmakefile.ts imports, reads and asks for are deps of it", async (repo) => {
  repo.source({
    "rules/more.ts": `export const word = "one";\n`,
    conf: "c1\n",
  });
  repo.rules(String.raw`
import { word } from "./rules/more.ts";
const late = (() => { try { return Deno.readTextFileSync("late").trim(); } catch { return "absent"; } })();
const who = lmake.userEnviron.WHO ?? "nobody";
console.log("READING");
rule({ name: "Out", target: "out", cmd: ${"`"}echo ${"${word}"} ${"${Deno.readTextFileSync('conf').trim()}"} ${"${late}"} ${"${who}"}${"`"} });
`);
  const out = async (
    env: Record<string, string>,
    reads: boolean,
    text: string,
  ) => {
    const run = await repo.make("out", { env, unchecked: true });
    assert.equal(run.shown.includes("READING"), reads, run.shown);
    assert.equal(repo.content("out"), `${text}\n`);
  };
  await out({}, true, "one c1 absent nobody");
  await out({ OTHER: "1" }, false, "one c1 absent nobody");
  repo.source({ "rules/more.ts": `export const word = "two";\n` });
  await out({}, true, "two c1 absent nobody");
  repo.source({ conf: "c2\n", late: "late\n" });
  await out({}, true, "two c2 late nobody");
  repo.touch("conf");
  await out({}, false, "two c2 late nobody");
  await out({ WHO: "me" }, true, "two c2 late me");
  await out({ WHO: "me" }, false, "two c2 late me");
});

test("sub-repos have their own rules, below their own roots", async (repo) => {
  repo.source({ "sub/s": "S\n", top: "T\n", "sub/deep/d": "D\n" });
  const imports = `import { lmake, rule } from "@clibs/cli/lmake";\n`;
  repo.source({
    "sub/Lmakefile.ts": imports + String.raw`
lmake.config.subRepos = ["deep"];
rule({ name: "Copy", target: "{F:\\w+}.copy", deps: { S: "{F}", T: ["top", "top"] }, environ: { R: "$REPO_ROOT $TOP_REPO_ROOT" }, cmd: "cat {S} {T}; pwd; echo $R; cat s" });
rule({ name: "Roots", target: "roots", vars: [lmake.repoRoot, lmake.topRepoRoot], cmd: async (j) => {
  const { repoRoot, topRepoRoot } = await import("@clibs/cli/lmake");
  console.log([...j.vars, repoRoot, topRepoRoot].join(" "));
  await j.lmake.depend("s", { read: true });
  console.log(await j.lmake.listDeps("."));
} });
`,
    "sub/deep/Lmakefile.ts": imports +
      `rule({ name: "Copy", target: "{F:.*}.copy", dep: "{F}", cmd: "cat" });\n`,
  });
  repo.rules(String.raw`
lmake.config.subRepos = ["sub"];
rule({ name: "Copy", target: "{F:.*}.copy", dep: "{F}", cmd: "echo top; cat" });
`);
  const [root, sub] = [repo.dir.path, repo.path("sub")];
  await repo.make("sub/s.copy", "sub/deep/d.copy", "top.copy", "sub/roots", {
    words: { done: 4 },
  });
  assert.equal(repo.content("top.copy"), "top\nT\n");
  assert.equal(repo.content("sub/s.copy"), `S\nT\n${sub}\n${sub} ${root}\nS\n`);
  assert.equal(repo.content("sub/deep/d.copy"), "D\n");
  assert.deepEqual(words(repo.content("sub/roots")), [
    sub,
    root,
    sub,
    root,
    "[",
    '"s"',
    "]",
  ]);
  assert.deepEqual(await repo.deps("sub/s.copy"), ["sub/s", "top"]);
  // From within, the outer repo is still the one.
  const inside = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--no-check",
      "--quiet",
      `${Deno.cwd()}/main.ts`,
      "make",
      "s.copy",
    ],
    cwd: sub,
  }).output();
  assert.equal(inside.code, 0, new TextDecoder().decode(inside.stderr));
  repo.source({
    "sub/Lmakefile.ts": imports +
      `rule({ name: "New", target: "{F:\\\\w+}.copy", dep: "{F}", cmd: "cat; echo new" });\n`,
  });
  await repo.make("sub/s.copy", { words: { done: 1 } });
  assert.equal(repo.content("sub/s.copy"), "S\nnew\n");
});
