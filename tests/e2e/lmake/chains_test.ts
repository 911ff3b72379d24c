/** Chains of jobs: cut-off, hidden and absent deps, compilers, links. */

import assert from "node:assert/strict";
import { lastWords, lineOf, scenario } from "../../support/lmake.ts";

scenario(1, "chain and early cut-off", async (repo) => {
  repo.source({ "a.in": "#c\nA\n", "b.in": "B\n" });
  repo.rules(String.raw`
rule({ name: "Strip", target: "{F:.*}.txt", dep: "{F}.in", cmd: "sed '/^#/d'" });
rule({
  name: "Join",
  target: "{A:[a-z]+}+{B:[a-z]+}.out",
  deps: { X: "{A}.txt", Y: "{B}.txt" },
  cmd: "cat {X} {Y}",
});
`);
  await repo.make("a+b.out", {
    words: { done: 3 },
    ran: ["Strip a.txt", "Strip b.txt", "Join a+b.out"],
  });
  assert.equal(repo.content("a+b.out"), "A\nB\n");
  await repo.make("a+b.out", { says: [/already up to date/] });

  repo.source({ "a.in": "#another\nA\n" });
  await repo.make("a+b.out", { words: { steady: 1 }, ran: ["Strip a.txt"] });
  repo.touch("a.in");
  await repo.make("a+b.out");
  repo.source({ "a.in": "A2\n" });
  await repo.make("a+b.out", {
    words: { done: 2 },
    ran: ["Strip a.txt", "Join a+b.out"],
  });
  assert.equal(repo.content("a+b.out"), "A2\nB\n");
});

scenario(3, "hidden generated dep", async (repo) => {
  repo.source({ "main.c": "gen.h\n", "gen.src": "x\n" });
  repo.rules(String.raw`
rule({ name: "Gen", target: "gen.h", dep: "gen.src", cmd: "sed 's/x/y/;/^#/d'" });
rule({
  name: "Comp",
  target: "main.o",
  deps: { SRC: "main.c" },
  stderrOk: true,
  cmd: "for f in $(cat {SRC}); do cat $f; done",
});
`);
  await repo.make("main.o", {
    words: { again: 1, done: 2 },
    ran: ["Gen gen.h", "Comp main.o"],
  });
  assert.equal(repo.content("main.o"), "y\n");
  await repo.make("main.o");

  const listing = await repo.show("-d", "main.o");
  assert.deepEqual(
    lastWords(listing).filter((name) => /^(main\.c|gen\.h)$/.test(name)),
    ["main.c", "gen.h"],
  );
  assert.match(lineOf(listing, "main.c"), /\bSRC\b/);

  repo.source({ "gen.src": "z\n" });
  await repo.make("main.o", {
    words: { done: 2 },
    ran: ["Gen gen.h", "Comp main.o"],
  });
  assert.equal(repo.content("main.o"), "z\n");
});

scenario(5, "absent candidate becomes a source", async (repo) => {
  repo.source({ "late/v": "late\n" });
  repo.rules(String.raw`
rule({ name: "P", target: "out", cmd: "cat early/v 2>/dev/null || cat late/v" });
`);
  await repo.make("out", { words: { done: 1 } });
  assert.equal(repo.content("out"), "late\n");
  assert.match(lineOf(await repo.show("-dv", "out"), "early/v"), /\bnone\b/);

  repo.source({ "early/v": "early\n" });
  await repo.make("out", { words: { done: 1 } });
  assert.equal(repo.content("out"), "early\n");
  await repo.make("out");

  repo.unlist("early/v");
  await repo.make("out", {
    exit: 1,
    says: [/dangling\s+early\/v/, /\b(git add|Manifest)\b/],
  });
  assert.equal(repo.content("out"), "early\n");

  repo.remove("early/v");
  await repo.make("out", { words: { done: 1 } });
  assert.equal(repo.content("out"), "late\n");
});

scenario(7, "runCc", async (repo) => {
  repo.source({
    "main.c": '#include "v.h"\nint x=V;\n',
    "inc/v.h": "#define V 1\n",
  });
  // Counts real runs without being seen itself.
  repo.ext.write({
    gcc: `#!/bin/sh\necho run >>${repo.ext.join("n")}\nexec gcc "$@"\n`,
  });
  Deno.chmodSync(repo.ext.join("gcc"), 0o755);
  repo.rules(String.raw`
dirRule();
rule({
  name: "Comp",
  targets: { OBJ: "{F:.*}.o" },
  deps: { SRC: "{F}.c" },
  cmd: async (j) => {
    const r = await j.lmake.runCc(
      "${
    repo.ext.join("gcc")
  }", "-Iearly", "-I", "inc", "-c", "-o", j.OBJ, j.SRC,
    );
    console.log(r.code, JSON.stringify(r.stdout));
  },
});
`);
  const first = await repo.make("main.o", { words: { again: 1, done: 3 } });
  assert.deepEqual(
    first.jobs.filter(({ word }) => word === "done").map(({ job }) => job)
      .sort(),
    ["early/...", "inc/...", "main.o"],
  );
  assert.ok(repo.has("early/...") && repo.has("inc/..."));
  assert.equal(repo.extContent("n"), "run\n");
  assert.match(await repo.show("-o", "main.o"), /^0 ""$/m);
  await repo.make("main.o");

  const object = Deno.readFileSync(repo.path("main.o"));
  repo.source({ "early/v.h": "#define V 2\n" });
  await repo.make("main.o", { words: { done: 1 }, ran: ["Comp main.o"] });
  assert.notDeepEqual(Deno.readFileSync(repo.path("main.o")), object);
}, ["gcc"]);

scenario(9, "generated symbolic link", async (repo) => {
  repo.source({ which: "d1\n", d1: "one\n", d2: "two\n" });
  repo.rules(String.raw`
rule({ name: "Cur", targets: { L: "current" }, deps: { W: "which" }, cmd: "ln -s $(cat {W}) {L}" });
rule({ name: "Use", target: "use", cmd: "cat current" });
rule({ name: "Rl", target: "rl", cmd: "readlink current" });
`);
  await repo.make("use", "rl", { words: { done: 3, again: [0, 2] } });
  assert.equal(repo.content("use"), "one\n");
  assert.equal(repo.content("rl"), "d1\n");

  repo.source({ d1: "ONE\n" });
  await repo.make("use", "rl", { words: { done: 1 }, ran: ["Use use"] });
  repo.source({ which: "d2\n" });
  await repo.make("use", "rl", { words: { done: 3 } });
  assert.equal(repo.content("use"), "two\n");
  assert.equal(repo.content("rl"), "d2\n");
  repo.source({ d1: "zzz\n" });
  await repo.make("use", "rl");
});
