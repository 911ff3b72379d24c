/** LMAKE.md section 2: when a job runs, and when it does not. */

import assert from "node:assert/strict";
import { until } from "../../support/lmake.ts";
import { conforms } from "../../support/lmake_conform.ts";

conforms("a job runs if its command changed, and only then", async (repo) => {
  repo.source({ s: "s\n" });
  const rules = (change: Record<string, string>, extra = "") =>
    String.raw`
const text = "${change.text ?? "t"}";
rule({ name: "${change.name ?? "A"}", target: "a", dep: "s", ${
      change.attributes ?? ""
    } cmd: "cat; echo ${change.cmd ?? "x"} $V" });
rule({ name: "F", target: "f", vars: { text: "${
      change.vars ?? "v"
    }" }, cmd: (j) => console.log(j.vars.text) });
${extra}
`;
  repo.rules(rules({}));
  await repo.make("a", "f", { words: { done: 2 } });
  for (
    const [change, extra] of [
      [{ attributes: "" }, "// A comment."],
      [{ text: "other" }, ""],
      [{ name: "Renamed" }, ""],
      [{ attributes: "environAncillary: { V: '1' }," }, ""],
      [{ attributes: "autodep: 'ptrace'," }, ""],
      [{ attributes: "environResources: { V: '1' }," }, ""],
      [{ attributes: "prio: 3, timeout: 100, keepTmp: true, maxRuns: 3," }, ""],
      [
        { attributes: "stderrOk: true," },
        `rule({ name: "Z", target: "z", cmd: "echo" });`,
      ],
    ] as [Record<string, string>, string][]
  ) {
    repo.rules(rules(change, extra));
    const run = await repo.make("a", "f");
    assert.equal(run.jobs.length, 0, JSON.stringify(change));
  }
  repo.rules(rules({ attributes: "environ: { V: '1' }," }));
  await repo.make("a", "f", { words: { done: 1 }, ran: ["A a"] });
  assert.equal(repo.content("a"), "s\nx 1\n");
  repo.rules(rules({ attributes: "environ: { V: '2' }," }));
  await repo.make("a", "f", { words: { done: 1 }, ran: ["A a"] });
  repo.rules(
    rules({ attributes: "environ: { V: '2' }, shell: ['/bin/bash', '-e']," }),
  );
  await repo.make("a", "f", { words: { steady: 1 }, ran: ["A a"] });
  repo.rules(rules({ cmd: "y" }));
  await repo.make("a", "f", { words: { done: 1 }, ran: ["A a"] });
  repo.rules(rules({ cmd: "y", vars: "w" }));
  await repo.make("a", "f", { words: { done: 1 }, ran: ["F f"] });
});

conforms(
  "content that comes back makes a job up to date again",
  async (repo) => {
    repo.source({ s: "1\n" });
    repo.rules(String.raw`
rule({ name: "A", target: "a", dep: "s", cmd: "cat" });
rule({ name: "B", target: "b", dep: "a", cmd: "cat" });
rule({ name: "C", target: "c", dep: "a", cmd: "cat" });
rule({ name: "Bad", target: "bad", dep: "s", cmd: "grep 1" });
`);
    await repo.make("b", "c", "bad", { words: { done: 4 } });
    repo.source({ s: "2\n" });
    await repo.make("c", { words: { done: 2 } });
    await repo.make("bad", { exit: 1, words: { failed: 1 } });
    await repo.make("bad", { exit: 1, ran: [], says: ["already in error"] });
    repo.source({ s: "1\n" });
    await repo.make("b", { ran: ["A a"] });
    await repo.make("c", { words: { done: 1 } });
    await repo.make("bad", {
      words: { done: [0, 1], steady: [0, 1] },
      ran: ["Bad bad"],
    });
  },
);

conforms(
  "an intermediate that is missing is made if something needs it",
  async (repo) => {
    repo.source({ s: "1\n", t: "1\n" });
    repo.rules(String.raw`
rule({ name: "I", target: "sub/i", dep: "s", cmd: "cat" });
rule({ name: "F", target: "f", deps: { I: "sub/i", T: "t" }, cmd: "cat {I} {T}" });
`);
    await repo.make("f", { words: { done: 2 } });
    Deno.removeSync(repo.path("sub"), { recursive: true });
    await repo.make("f");
    assert.ok(!repo.has("sub"));
    await repo.make("f", {
      flags: ["-a"],
      words: { steady: 1 },
      ran: ["I sub/i"],
    });
    assert.ok(repo.has("sub/i"));
    Deno.removeSync(repo.path("sub"), { recursive: true });
    await repo.make("sub/i", { words: { steady: 1 } });
    Deno.removeSync(repo.path("sub"), { recursive: true });
    repo.source({ t: "2\n" });
    await repo.make("f", {
      words: { steady: 1, done: 1 },
      ran: ["I sub/i", "F f"],
    });
    Deno.removeSync(repo.path("f"));
    await repo.make("f", { words: { steady: 1 }, ran: ["F f"] });
  },
);

conforms(
  "a later dep's error waits for what an earlier change brings",
  async (repo) => {
    repo.source({ sel: "x\n", x_in: "1\n", y_in: "1\n" });
    const rules = (by: string) =>
      String.raw`
rule({ name: "G", target: "{F:[xy]}", dep: "{F}_in", cmd: "grep 1" });
rule({ name: "J", target: "j", cmd: "${by}cat $(cat sel)" });
`;
    repo.rules(rules(""));
    await repo.make("j", {
      words: { again: 1, done: [1, 2], was_done: [0, 1], failed: [0, 1] },
      ran: ["G x", "J j"],
      unchecked: true,
    });
    await repo.make("j");
    repo.source({ sel: "y\n", x_in: "2\n" });
    await repo.make("j", { unchecked: true });
    await repo.make("j");
    assert.equal(repo.content("j"), "1\n");
    repo.source({ y_in: "2\n" });
    await repo.make("j", { exit: 1, words: { failed: 1 }, ran: ["G y"] });
    // It changed its mind: the broken one does not matter.
    repo.source({ x_in: "1\n", sel: "x\n" });
    await repo.make("j", { unchecked: true });
    await repo.make("j");

    // In one call they are parallel: the error counts.
    repo.rules(rules("ldepend -R sel x y; "));
    repo.source({ y_in: "1\n" });
    await repo.make("j", { unchecked: true });
    await repo.make("j");
    repo.source({ sel: "y\n", x_in: "3\n" });
    await repo.make("j", { exit: 1, ran: ["G x"] });
  },
);

conforms(
  "nothing after a critical dep that changed is made ahead",
  async (repo) => {
    repo.source({
      suite: "t1 t2\n",
      "t1.in": "1\n",
      "t2.in": "2\n",
      "t3.in": "3\n",
    });
    const rules = (flag: string) =>
      String.raw`
rule({ name: "T", target: "{N:t\\d}", dep: "{N}.in", cmd: "cat" });
rule({ name: "Suite", target: "list", dep: "suite", cmd: "cat" });
rule({ name: "R", target: "r", cmd: "ldepend ${flag} list && cat list >/dev/null && ldepend $(cat list) && cat $(cat list)" });
`;
    repo.rules(rules("-c"));
    await repo.make("r", { unchecked: true });
    await repo.make("r");
    repo.source({ suite: "t1 t3\n", "t2.in": "slow\n" });
    await repo.make("r", { rules: { Suite: 1, T: 1, R: 1 } });
    assert.equal(repo.content("t2"), "2\n");
    assert.equal(repo.content("r"), "1\n3\n");
    repo.source({ suite: "t1 t2\n" });
    await repo.make("r", { rules: { Suite: 1, T: 1, R: 1 } });
    assert.equal(repo.content("r"), "1\nslow\n");
  },
);

conforms(
  "what is declared with a critical dep is made beside it",
  async (repo) => {
    repo.source({ s: "1\n" });
    repo.rules(String.raw`
rule({ name: "G", target: "g{N:\\d}", dep: "s", cmd: "cat" });
rule({ name: "Dynamic", target: "d", cmd: "ldepend -c -R g4 g5; ldepend -R g6; cat g4 g5 g6" });
rule({ name: "Static", target: "st", deps: { A: ["g1", "critical"], B: "g2" }, cmd: "cat {A} {B} g3" });
`);
    await repo.make("d", "st", { unchecked: true });
    await repo.make("d", "st");
    repo.source({ s: "2\n" });
    // The group first; then the job, which still wants what follows.
    await repo.make("d", "st", { words: { again: 2, done: 8 } });
    await repo.make("d", "st");
  },
);

conforms("a job that never settles is given up", async (repo) => {
  repo.source({ s: "s\n" });
  const reads = (n: number, more: string) =>
    String.raw`
rule({ name: "D", target: "d{N:\\d+}", cmd: "echo {N}" });
rule({ name: "J", target: "j", ${more} cmd: "for i in $(seq ${n}); do cat d$i || exit 1; done", stderrOk: true });
`;
  repo.rules(reads(12, ""));
  await repo.make("j", {
    exit: 1,
    words: { done: 10, again: 10, submit_loop: 1, failed: [0, 1] },
    says: ["submit_loop"],
  });
  await repo.make("j", { words: { again: [1, 2], done: 3 } });
  repo.rules(reads(15, "maxSubmits: 3,"));
  await repo.make("j", {
    exit: 1,
    words: { done: [2, 3], again: 3, submit_loop: 1 },
  });
  repo.rules(reads(14, "maxRuns: 1,"));
  await repo.make("j", {
    exit: 1,
    words: { done: [0, 1], again: [0, 1], run_loop: [0, 1] },
    unchecked: true,
  });
});

conforms("force runs a job once in each command", async (repo) => {
  repo.source({ s: "s\n" });
  repo.rules(String.raw`
rule({ name: "A", target: "a", force: true, cmd: "echo a" });
rule({ name: "B", target: "b", dep: "a", cmd: "cat" });
rule({ name: "C", target: "c", dep: "a", cmd: "cat" });
`);
  await repo.make("b", "c", { words: { done: 3 } });
  await repo.make("b", "c", { words: { steady: 1 }, ran: ["A a"] });
  assert.match(await repo.show("-i", "a"), /forced/);
});

conforms(
  "errors propagate by not running, and branches are independent",
  async (repo) => {
    repo.rules(String.raw`
rule({ name: "Bad", target: "bad", cmd: "echo broken >&2; exit 4" });
rule({ name: "One", target: "one", dep: "bad", cmd: "cat" });
rule({ name: "Two", target: "two", deps: { A: "one", B: "good" }, cmd: "cat {A} {B}" });
rule({ name: "Good", target: "good", cmd: "sleep 0.2; echo good" });
`);
    const run = await repo.make("two", {
      exit: 1,
      ran: ["Bad bad", "Good good"],
      says: [/Two two[^]*One one[^]*Bad bad[^]*broken/],
    });
    assert.equal(run.shown.split("broken").length, 2, run.shown);
    assert.ok(!repo.has("two") && !repo.has("one"));
    await repo.make("two", { exit: 1, ran: [], says: ["broken"] });
    await repo.make("good");
  },
);

conforms(
  "a job that fails is tried again as often as asked for",
  async (repo) => {
    const count = repo.ext.join("n");
    repo.rules(String.raw`
rule({ name: "Flaky", target: "flaky", cmd: "echo x >>${count}; [ $(wc -l <${count}) -ge 3 ] && echo ok" });
rule({ name: "Never", target: "never", cmd: "echo no >&2; exit 1" });
`);
    await repo.make("flaky", {
      flags: ["-r", "2"],
      words: { retry: 2, done: 1 },
    });
    await repo.make("never", {
      flags: ["-r", "2"],
      exit: 1,
      words: { retry: 2, failed: 1 },
    });
    await repo.make("never", {
      flags: ["-r", "2"],
      exit: 1,
      words: {},
      unchecked: true,
    });
  },
);

conforms(
  "a job that is killed from outside is lost and tried once more",
  async (repo) => {
    const pid = repo.ext.join("pid");
    const n = repo.ext.join("n");
    repo.rules(String.raw`
rule({ name: "Once", target: "once", cmd: "echo x >>${n}; [ $(wc -l <${n}) -ge 2 ] && echo ok || kill -9 $$" });
rule({ name: "Twice", target: "twice", cmd: "kill -TERM $$; sleep 5" });
rule({ name: "Stubborn", target: "thrice", maxRetriesOnLost: 0, cmd: "kill -9 $$" });
rule({ name: "Outside", target: "outside", cmd: "echo x >>${n}2; echo $$ >${pid}; [ $(wc -l <${n}2) -ge 2 ] || sleep 30; echo ok" });
rule({ name: "Crash", target: "crash", cmd: "kill -SEGV $$" });
`);
    await repo.make("once", { words: { lost: 1, done: 1 } });
    await repo.make("twice", { exit: 1, words: { lost: 1, lost_err: 1 } });
    await repo.make("thrice", { exit: 1, words: { lost_err: 1 } });
    await repo.make("crash", {
      exit: 1,
      words: { failed: 1 },
      says: ["SIGSEGV"],
    });
    await repo.make("outside", {
      words: { lost: 1, done: 1 },
      async during() {
        await until(() => repo.extContent("pid").endsWith("\n"), "job Outside");
        Deno.kill(Number(repo.extContent("pid")), "SIGKILL");
      },
    });
    // What was lost runs again in the next command.
    await repo.make("twice", { exit: 1, words: { lost: 1, lost_err: 1 } });
  },
);

conforms("a job that takes too long is ended by its signals", async (repo) => {
  const log = repo.ext.join("log");
  repo.rules(String.raw`
rule({ name: "Slow", target: "slow", timeout: 0.4, cmd: "sleep 20" });
rule({ name: "Polite", target: "polite", timeout: 0.4, killSigs: [15], cmd: "trap 'echo bye >>${log}; exit 3' TERM; for i in $(seq 200); do sleep 0.05; done" });
rule({ name: "Deaf", target: "deaf", timeout: 0.3, killSigs: [15, 0], cmd: "trap '' TERM; for i in $(seq 400); do sleep 0.05; done" });
`);
  const started = Date.now();
  await repo.make("slow", "polite", "deaf", {
    flags: ["-j", "3"],
    exit: 1,
    words: { failed: 3 },
    says: [/timeout/],
  });
  assert.ok(Date.now() - started < 15_000);
  assert.equal(repo.extContent("log"), "bye\n");
  assert.match(await repo.show("-i", "slow"), /status\s+timeout/);
  await repo.make("slow", { exit: 1, ran: [] });
});

conforms(
  "a source written after the command began is told",
  async (repo) => {
    repo.source({ s: "1\n" });
    const go = repo.ext.join("go");
    const on = repo.ext.join("on");
    repo.rules(String.raw`
rule({ name: "Late", target: "late", cmd: "echo >${on}; while [ ! -e ${go} ]; do sleep 0.02; done; cat s" });
rule({ name: "User", target: "user", dep: "late", cmd: "cat" });
`);
    await repo.make("user", {
      exit: 1,
      words: { dep_error: [1, 2] },
      says: ["overwritten"],
      async during() {
        await until(() => repo.ext.has("on"), "job Late");
        repo.source({ s: "2\n" });
        repo.ext.write({ go: "" });
      },
    });
    await repo.make("user", { rules: { Late: 1, User: 1 } });
    assert.equal(repo.content("user"), "2\n");
  },
);

conforms("a job runs once for two commands at a time", async (repo) => {
  const n = repo.ext.join("n");
  repo.rules(String.raw`
rule({ name: "A", target: "a", cmd: "echo x >>${n}; sleep 0.5; echo a" });
rule({ name: "B", target: "b{N:\\d}", dep: "a", cmd: "cat" });
`);
  await repo.make();
  const ends = await Promise.all(
    ["b1", "b2"].map((name) => repo.run(["make", name])),
  );
  for (const end of ends) assert.equal(end.code, 0, end.shown);
  assert.equal(repo.extContent("n"), "x\n");
  assert.equal(repo.content("b1") + repo.content("b2"), "a\na\n");
});
