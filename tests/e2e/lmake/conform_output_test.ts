/** LMAKE.md section 5: what is printed and kept, and how a command ends. */

import assert from "node:assert/strict";
import { sortedEntries } from "../../../lib/host/files.ts";
import { conforms } from "../../support/lmake_conform.ts";

const CHAIN = String.raw`
rule({ name: "A", target: "a", dep: "s", cmd: "cat" });
rule({ name: "B", target: "b", dep: "a", cmd: "cat" });
rule({ name: "Split", targets: { P: "p/{N*:\\d}.txt" }, deps: { S: "s" }, cmd: "cat {S} >p/1.txt" });
rule({ name: "Named", target: "x-{N:\\d}", jobName: "number {N}", cmd: "echo {N}" });
`;

conforms("a line has time, word, rule, duration and job", async (repo) => {
  repo.source({ s: "1\n" });
  repo.rules(CHAIN);
  const first = await repo.make("b", "p/1.txt", "x-7", { words: { done: 4 } });
  assert.match(first.shown, /^\d\d:\d\d:\d\d done +A +\d+\.\d+s a$/m);
  assert.match(
    first.shown,
    /^\d\d:\d\d:\d\d done +Split +\d+\.\d+s p\/\{N\*\}\.txt$/m,
  );
  assert.match(
    first.shown,
    /^\d\d:\d\d:\d\d done +Named +\d+\.\d+s number 7$/m,
  );
  assert.match(first.shown, /^\d\d:\d\d:\d\d new +s$/m);
  assert.match(
    first.shown,
    /SUMMARY\n[^]*^ *done +4 +\d+\.\d+s$[^]*^ *elapsed +/m,
  );
  assert.doesNotMatch(first.shown, /why:|never run/);

  repo.source({ s: "2\n" });
  const second = await repo.make("b", { flags: ["-v"], words: { done: 2 } });
  assert.match(second.shown, /changed +s$/m);
  assert.match(second.shown, /done +A +\S+ a\n +why: dep out of date: s$/m);
  const json = await repo.run(["make", "--json", "x-7", "x-8"]);
  const report = JSON.parse(json.stdout);
  assert.equal(json.stderr, "");
  const [done] = report.events.filter(({ word }: { word: string }) =>
    word === "done"
  );
  assert.equal(done.reason, "never run");
  assert.equal(done.rule, "Named");
  assert.deepEqual(
    report.targets.map((
      { file, ok, ran }: Record<string, unknown>,
    ) => [file, ok, ran]),
    [["x-7", true, false], ["x-8", true, true]],
  );
  await repo.make("b", { says: [/b was already up to date/] });
});

conforms("sources are told once, many of them in one line", async (repo) => {
  const names = Array.from({ length: 1000 }, (_, i) => `in/${i}`);
  repo.source(Object.fromEntries(names.map((name) => [name, `${name}\n`])));
  repo.rules(
    `rule({ name: "All", target: "all", cmd: "cat in/{{?,??,???}} | wc -l", readdirOk: true });`,
  );
  const first = await repo.make("all", {
    words: { done: 1 },
    says: [/new +1,000 sources$/m],
  });
  assert.equal(first.shown.match(/^\S+ new /gm)?.length, 1);
  assert.ok(first.shown.split("\n").length < 20, first.shown);
  await repo.make("all", { silent: [/\bnew\b/] });
  for (const name of names.slice(0, 3)) repo.source({ [name]: "other\n" });
  const more = await repo.make("all", {
    flags: ["-v"],
    words: { done: [0, 1], steady: [0, 1] },
  });
  assert.equal(more.shown.match(/changed +in\/\d$/gm)?.length, 3);
  repo.touch("in/7");
  await repo.make("all", { flags: ["-v"], says: [/ steady +in\/7$/m] });
  repo.unlist("in/8");
  Deno.removeSync(repo.path("in/9"));
  await repo.make("all", {
    exit: 1,
    ran: [],
    says: [/missing +in\/9$/m, /missing source/],
  });
});

conforms(
  "a failure's output is shown once, in the tree of errors",
  async (repo) => {
    repo.rules(String.raw`
rule({ name: "Bad", target: "bad{N:\\d}", cmd: "echo out-{N}; seq 1000 1199 >&2; echo last-{N} >&2; exit 3" });
rule({ name: "Short", target: "short", maxStderrLen: 5, stderrOk: true, cmd: "seq 2000 2049 >&2" });
rule({ name: "One", target: "one", deps: { A: "bad1", B: "bad2" }, cmd: "cat {A}" });
rule({ name: "Two", target: "two", deps: { A: "one" }, cmd: "cat {A}" });
rule({ name: "Three", target: "three", deps: { A: "one", B: "bad1" }, cmd: "cat {A}" });
rule({ name: "Fn", target: "fn", cmd: () => { throw new Error("my-message"); } });
`);
    const run = await repo.make("two", "three", {
      exit: 1,
      words: { failed: 2 },
      says: [
        /Two two[^]*One one[^]*Bad bad1: exit code 3/,
        /Bad bad2: exit code 3/,
        /Three three: dep_error\n +One one: dep_error, as above\n/,
      ],
    });
    for (const line of ["1000", "1099"]) {
      const times = run.shown.split("\n").filter((text) =>
        text.trim() === line
      );
      assert.equal(times.length, 2, run.shown);
    }
    assert.ok(!run.shown.includes("1100"));
    assert.equal(run.shown.split("101 more lines").length, 3);
    const short = await repo.make("short", {
      words: { done: 1 },
      says: ["2004", /45 more lines/],
    });
    assert.ok(!short.shown.includes("2005"));
    const fn = await repo.make("fn", {
      exit: 1,
      words: { failed: 1 },
      says: ["my-message"],
    });
    assert.equal(fn.shown.split("my-message").length, 2, fn.shown);
    assert.doesNotMatch(fn.shown, /lib\/rules|node_modules|deno\//);
  },
);

conforms("what cannot be made is explained", async (repo) => {
  repo.source({ "a.c": "c\n" });
  repo.rules(String.raw`
rule({ name: "Cc", target: "{F:.*}.o", dep: "{F}.c", cmd: "cat" });
rule({ name: "Ld", target: "{F:.*}.exe", deps: { O: "{F}.o", L: "lib.ld" }, cmd: "cat {O} {L}" });
rule({ name: "Star", targets: { P: "gen/{N*:.*}" }, cmd: "echo >gen/x" });
`);
  await repo.make("b.o", {
    exit: 1,
    ran: [],
    says: [/no rule[^]*Cc\b[^]*\bb\.c/],
  });
  await repo.make("a.exe", {
    exit: 1,
    ran: [],
    says: [/no rule[^]*Ld\b[^]*\blib\.ld/],
  });
  await repo.make("gen/y", {
    exit: 1,
    ran: ["Star gen/{N*}"],
    says: [/no rule[^]*Star does not produce it/],
  });
  await repo.make("nothing", "a.o", {
    exit: 1,
    ran: ["Cc a.o"],
    says: [/nothing: no rule/],
  });
  await repo.make("long/".repeat(60) + "x.o", {
    exit: 1,
    ran: [],
    says: [/200/],
  });
});

conforms("each command leaves a transcript", async (repo) => {
  repo.source({ s: "1\n" });
  repo.rules(CHAIN);
  await repo.make("b", { words: { done: 2 } });
  const run = await repo.make("b");
  const outputs = repo.path("LMAKE/outputs");
  const [day, ...others] = sortedEntries(outputs);
  assert.match(day!.name, /^\d{4}-\d\d-\d\d$/);
  assert.equal(others.length, 0);
  const files = sortedEntries(`${outputs}/${day!.name}`).map(({ name }) =>
    name
  );
  assert.equal(files.length, 2);
  for (const name of files) assert.match(name, /^\d\d:\d\d:\d\d/);
  const text = Deno.readTextFileSync(`${outputs}/${day!.name}/${files[1]}`);
  assert.ok(run.stderr.includes(text.trim()), text);
});

conforms("exit codes tell what went wrong", async (repo) => {
  repo.source({ s: "1\n" });
  repo.rules(CHAIN);
  await repo.make("a", { words: { done: 1 } });
  const exits: [code: number, args: string[]][] = [
    [0, ["make"]],
    [0, ["make", "a"]],
    [0, ["make", "s"]],
    [0, ["make", "./p/../a"]],
    [1, ["make", "nothing"]],
    [1, ["make", "/etc/hosts"]],
    [1, ["make", "../outside"]],
    [11, ["make", "--nosuch"]],
    [11, ["make", "-j", "many", "a"]],
    [11, ["show", "--nosuch"]],
  ];
  for (const [code, args] of exits) {
    const run = await repo.run(args);
    assert.equal(run.code, code, run.shown);
  }
  for (
    const broken of [
      "rule({ name: 'A', target: 'a', cmd",
      "throw new Error('mine');",
      `import "./missing.ts";`,
      "rule({ name: 'A', target: 'a', comand: 'x' });",
      "rule({ name: 'A', target: '/abs', cmd: 'x' });",
      "lmake.config.nosuch = 1;",
    ]
  ) {
    repo.rules(CHAIN + broken);
    repo.source({ s: `${broken.length}\n` });
    const run = await repo.make("a", { exit: 3, words: {} });
    assert.doesNotMatch(run.shown, /SUMMARY/);
    assert.equal(repo.content("a"), "1\n");
  }
  repo.rules(CHAIN);
  await repo.make("a", { words: { done: 1 } });
  repo.ext.write({ "in/x": "" });
  const elsewhere = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      new URL("../../../main.ts", import.meta.url).pathname,
      "make",
      "a",
    ],
    cwd: repo.ext.join("in"),
  }).output();
  assert.equal(elsewhere.code, 5);
  Deno.removeSync(repo.path("Manifest"));
  const unlisted = await repo.run(["make", "a"]);
  assert.equal(unlisted.code, 5, unlisted.shown);
});

conforms("a job that takes long is announced", async (repo) => {
  repo.rules(String.raw`
rule({ name: "Long", target: "long", startDelay: 0.1, cmd: "sleep 0.5" });
rule({ name: "Quick", target: "quick", startDelay: 5, cmd: "sleep 0.3" });
`);
  const run = await repo.make("long", "quick", { words: { done: 2 } });
  assert.match(run.shown, /^\S+ start +Long +long\n[^]*done +Long/m);
  assert.doesNotMatch(run.shown, /start +Quick/);
});

conforms("reasons and ends are told afterwards", async (repo) => {
  repo.source({ s: "1\n", r: "1\n" });
  const rules = (v: string) =>
    String.raw`
rule({ name: "A", target: "a", dep: "s", environResources: { V: "${v}" }, cmd: "cat; grep -v 9 r" });
`;
  repo.rules(rules("1"));
  const after = async (reason: RegExp, status = /status +ok/) => {
    const info = await repo.show("-i", "a");
    assert.match(info, reason);
    assert.match(info, status);
  };
  await repo.make("a", { words: { done: 1 } });
  await after(/reason +never run/);
  repo.source({ r: "2\n" });
  await repo.make("a", { words: { done: 1 } });
  await after(/reason +dep out of date: r/);
  Deno.removeSync(repo.path("a"));
  await repo.make("a", { words: { steady: 1 } });
  await after(/reason +target missing: a/);
  repo.file({ a: "edit\n" });
  await repo.make("a", { words: { steady: 1 } });
  await after(/reason +target manually polluted: a/);
  repo.source({ r: "9\n" });
  await repo.make("a", { exit: 1, words: { failed: 1 } });
  await after(/reason +dep out of date: r/, /status +err/);
  await repo.make("a", { exit: 1, flags: ["-e"], words: { failed: 1 } });
  await after(/reason +was in error/, /status +err/);
  repo.rules(rules("2"));
  await repo.make("a", { exit: 1, words: { failed: 1 } });
  await after(/reason +resources changed and in error/, /status +err/);
});

conforms(
  "a program that preloading cannot see is refused, or followed",
  async (repo) => {
    const source = `#include <stdio.h>
int main(void) { FILE *f = fopen("s", "r"); int c; while ((c = getc(f)) != EOF) putchar(c); return 0; }`;
    repo.ext.write({ "t.c": source });
    const built = new Deno.Command("gcc", {
      args: ["-static", "-O1", "-o", repo.path("tool"), repo.ext.join("t.c")],
    }).outputSync();
    assert.ok(built.success);
    repo.list("tool");
    repo.source({ s: "1\n" });
    repo.rules(String.raw`
rule({ name: "Auto", target: "auto", cmd: "./tool" });
rule({ name: "Ptrace", target: "ptrace", autodep: "ptrace", cmd: "./tool" });
rule({ name: "Preload", target: "preload", autodep: "ld_preload", cmd: "./tool" });
rule({ name: "Unknown", target: "unknown", autodep: "magic", cmd: "echo" });
rule({ name: "None", target: "none", autodep: "none", deps: { S: "s" }, cmd: "./tool" });
`);
    await repo.make("auto", "ptrace", "none", { words: { done: 3 } });
    await repo.make("preload", {
      exit: 1,
      words: { failed: 1 },
      says: [/tool\b.*static/, /autodep.*("auto"|"ptrace")/],
    });
    await repo.make("unknown", {
      exit: 1,
      words: { failed: 1 },
      says: ["magic"],
    });
    repo.source({ s: "2\n" });
    await repo.make("auto", "ptrace", "none", { words: { done: 3 } });
    assert.equal(repo.content("auto"), "2\n");
  },
  ["gcc"],
);
