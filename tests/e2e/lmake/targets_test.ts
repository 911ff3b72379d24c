/** Star and optional targets, critical deps, early checks of deps. */

import assert from "node:assert/strict";
import { LmakeRepo, scenario } from "../../support/lmake.ts";

scenario(11, "star targets", async (repo) => {
  repo.source({ list: "a b\n" });
  repo.rules(String.raw`
rule({
  name: "Split",
  targets: { PART: "parts/{N*:\\w+}.txt" },
  deps: { LIST: "list" },
  cmd: "for w in $(cat {LIST}); do echo $w >parts/$w.txt; done",
});
rule({ name: "Up", target: "{N:\\w+}.up", dep: "parts/{N}.txt", cmd: "tr a-z A-Z" });
`);
  await repo.make("a.up", "b.up", {
    words: { done: 3 },
    ran: ["Split parts/{N*}.txt", "Up a.up", "Up b.up"],
  });
  assert.equal(repo.content("a.up"), "A\n");
  assert.equal(repo.content("b.up"), "B\n");
  await repo.make("parts/c.txt", {
    exit: 1,
    says: [/Split\b.*\b(does|did) not produce/],
    ran: [],
  });
  await repo.make("c.up", { exit: 1 });

  repo.source({ list: "a c\n" });
  await repo.make("a.up", "c.up", {
    words: { done: 2 },
    ran: ["Split parts/{N*}.txt", "Up c.up"],
  });
  assert.ok(!repo.has("parts/b.txt"));
  assert.equal(repo.content("c.up"), "C\n");
  await repo.make("b.up", { exit: 1, ran: [] });
});

scenario(13, "optional target", async (repo) => {
  repo.source({ "x.sel": "fancy\n", "y.sel": "plain\n" });
  repo.rules(String.raw`
rule({
  name: "Fancy",
  prio: 1,
  targets: { O: ["{F:\\w+}.res", "optional"] },
  deps: { S: "{F}.sel" },
  cmd: "[ $(cat {S}) = fancy ] && echo fancy >{O}; :",
});
rule({ name: "Plain", target: "{F:\\w+}.res", deps: { S: "{F}.sel" }, cmd: "echo plain" });
`);
  await repo.make("x.res", "y.res", { rules: { Fancy: 2, Plain: 1 } });
  assert.equal(repo.content("x.res"), "fancy\n");
  assert.equal(repo.content("y.res"), "plain\n");
  repo.source({ "x.sel": "plain\n" });
  await repo.make("x.res", { rules: { Fancy: 1, Plain: 1 } });
  assert.equal(repo.content("x.res"), "plain\n");
});

scenario(15, "critical static dep", async () => {
  for (const critical of [true, false]) {
    using repo = new LmakeRepo();
    repo.source({
      suite: "t1.rpt t2.rpt\n",
      "t1.in": "1\n",
      "t2.in": "2\n",
      "t3.in": "3\n",
    });
    repo.rules(String.raw`
rule({ name: "T", target: "{N:t\\d}.rpt", dep: "{N}.in", cmd: "cat" });
rule({
  name: "Report",
  target: "report",
  deps: { S: ${critical ? '["suite", "critical"]' : '"suite"'} },
  cmd: "cat $(cat {S})",
});
`);
    await repo.make("report", { words: { again: 1, done: 3 } });
    assert.equal(repo.content("report"), "1\n2\n");

    repo.source({ "t2.in": "2 slow\n", suite: "t1.rpt t3.rpt\n" });
    await repo.make("report", {
      words: { again: 1, done: critical ? 2 : 3 },
      ran: ["T t3.rpt", "Report report", ...critical ? [] : ["T t2.rpt"]],
    });
    assert.equal(repo.content("report"), "1\n3\n");
    assert.equal(repo.content("t2.rpt"), critical ? "2\n" : "2 slow\n");

    repo.source({ "t1.in": "1b\n" });
    await repo.make("report", {
      words: { done: 2 },
      ran: ["T t1.rpt", "Report report"],
    });
    assert.equal(repo.content("report"), "1b\n3\n");
  }
});

scenario(17, "checkDeps kills early", async () => {
  const calls: [call: string, check: (log: string[]) => void][] = [
    ["lcheck_deps -s;", (log) => assert.deepEqual(log, ["ran", "end"])],
    ["lcheck_deps;", (log) => {
      assert.equal(count(log, "end"), 1);
      assert.ok(count(log, "ran") <= 2, log.join(" "));
    }],
    ["", (log) => assert.equal(count(log, "end"), 2)],
  ];
  for (const [call, check] of calls) {
    using repo = new LmakeRepo();
    const log = repo.ext.join("t");
    repo.source({ src: "s\n" });
    repo.rules(String.raw`
rule({ name: "Dep", target: "dep{N:\\d}", cmd: "cat src; echo {N}" });
rule({
  name: "Heavy",
  target: "heavy",
  stderrOk: true,
  cmd: "cat dep1 dep2; ${call} echo ran >>${log}; sleep 1; echo end >>${log}; cat dep1 dep2",
});
`);
    await repo.make("heavy", {
      words: { [call.includes("-s") ? "rerun" : "again"]: 1, done: 3 },
    });
    check(repo.extContent("t").split("\n").filter(Boolean));
    assert.equal(repo.content("heavy"), "s\n1\ns\n2\ns\n1\ns\n2\n");
  }
});

function count(log: string[], word: string): number {
  return log.filter((line) => line === word).length;
}
