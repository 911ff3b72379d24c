/** LMAKE.md section 2: which deps a job has, and what their errors mean. */

import assert from "node:assert/strict";
import { conforms } from "../../support/lmake_conform.ts";

conforms("deps are those of the last run", async (repo) => {
  repo.source({ sel: "x\n", x: "x\n", y: "y\n" });
  repo.rules(
    `rule({ name: "J", target: "j", cmd: "cat $(cat sel); cat never 2>/dev/null; :" });`,
  );
  await repo.make("j", { words: { done: 1 } });
  assert.deepEqual(await repo.deps("j"), ["sel", "x", "never"]);
  repo.source({ sel: "y\n" });
  await repo.make("j", { words: { done: 1 } });
  assert.deepEqual(await repo.deps("j"), ["sel", "y", "never"]);
  repo.source({ x: "X\n" });
  await repo.make("j");
});

conforms(
  "a command that changed may not need what is in error",
  async (repo) => {
    const bad = String
      .raw`rule({ name: "Bad", target: "bad", cmd: "exit 1" });`;
    const j = (cmd: string) =>
      `rule({ name: "J", target: "j", stderrOk: true, cmd: "${cmd}" });`;
    repo.rules(bad + j("cat bad"));
    await repo.make("j", {
      exit: 1,
      words: { again: 1, failed: 1, dep_error: 1 },
    });
    await repo.make("j", { exit: 1, ran: [] });
    repo.rules(bad + j("echo good"));
    await repo.make("j", { words: { done: 1 }, ran: ["J j"] });
    assert.deepEqual(await repo.deps("j"), []);
    repo.rules(bad + j("cat bad"));
    await repo.make("j", { exit: 1, unchecked: true });
    repo.rules(
      `rule({ name: "Bad", target: "bad", cmd: "echo" });` + j("cat bad"),
    );
    await repo.make("j", { ran: ["Bad bad", "J j"] });
  },
);

conforms(
  "a dep that is only declared must be right, and triggers nothing",
  async (repo) => {
    repo.source({ s: "1\n" });
    repo.rules(String.raw`
rule({ name: "G", target: "g", dep: "s", cmd: "grep -v 9" });
rule({ name: "J", target: "j", cmd: "ldepend g" });
rule({ name: "K", target: "k", cmd: "ldepend -R g" });
rule({ name: "M", target: "m", cmd: "ldepend -c -E g s" });
`);
    await repo.make("j", { words: { again: 1, done: 1, was_done: 1 } });
    await repo.make("k", "m", { words: { done: 2 } });
    repo.source({ s: "2\n" });
    await repo.make("j", "k", "m", { ran: ["G g", "K k"] });
    repo.source({ s: "9\n" });
    await repo.make("j", { exit: 1, ran: ["G g"] });
    repo.source({ s: "2\n" });
    await repo.make("j", { ran: ["G g"] });
  },
);

conforms("a run stands if what it read is found as it was", async (repo) => {
  repo.source({ s: "1\n" });
  repo.rules(String.raw`
rule({ name: "G", target: "g", dep: "s", cmd: "grep -v '#'" });
rule({ name: "J", target: "j", cmd: "cat g" });
rule({ name: "F", target: "f", cmd: "cat g; exit 1" });
`);
  await repo.make("g", { words: { done: 1 } });
  repo.source({ s: "#\n1\n" });
  await repo.make("j", { words: { again: 1, steady: 1, was_done: 1 } });
  repo.source({ s: "##\n1\n" });
  await repo.make("f", {
    exit: 1,
    words: { again: 1, steady: 1, was_failed: 1 },
  });
  // What is up to date makes nobody wait.
  await repo.ok("forget", "-d", "j");
  await repo.make("j", { words: { steady: 1 } });
});

conforms("loops are errors", async (repo) => {
  repo.rules(String.raw`
rule({ name: "A", target: "a", stderrOk: true, cmd: "cat b" });
rule({ name: "B", target: "b", stderrOk: true, cmd: "cat c" });
rule({ name: "C", target: "c", stderrOk: true, cmd: "cat a" });
rule({ name: "S", target: "s", dep: "t", cmd: "cat" });
rule({ name: "T", target: "t", dep: "s", cmd: "cat" });
rule({ name: "Self", target: "self", stderrOk: true, cmd: "cat self" });
rule({ name: "Deep", target: "{F:.*}x", dep: "{F}xx", cmd: "cat" });
`);
  await repo.make("a", { exit: 1, unchecked: true });
  await repo.make("a", { exit: 1, ran: [], unchecked: true, says: ["loop"] });
  await repo.make("s", { exit: 1, ran: [] });
  await repo.make("qx", { exit: 1, ran: [], says: ["infinite"] });
  await repo.make("self", { exit: 1, unchecked: true });
});

conforms("an error ends with its cause", async (repo) => {
  repo.source({ s: "bad\n" });
  repo.rules(String.raw`
rule({ name: "G", target: "g", dep: "s", cmd: "grep good" });
rule({ name: "H", target: "h", dep: "g", cmd: "cat" });
rule({ name: "I", target: "i", cmd: "cat h" });
rule({ name: "Ig", target: "ig", deps: { G: ["g", "ignoreError"] }, cmd: "cat g 2>/dev/null; echo end" });
`);
  await repo.make("i", { exit: 1, unchecked: true });
  await repo.make("i", "ig", { exit: 1, ran: ["Ig ig"] });
  repo.source({ s: "good\n" });
  await repo.make("i", "ig", { rules: { G: 1, H: 1, I: 1, Ig: 1 } });
  assert.equal(repo.content("ig"), "good\nend\n");
});

conforms("only who reads a target that changed runs", async (repo) => {
  repo.source({ s: "a1\nb1\n" });
  repo.rules(String.raw`
rule({ name: "Two", targets: { A: "a", B: "b", C: ["c/{N*:\\w+}"] }, deps: { S: "s" }, cmd: "grep a {S} >{A}; grep b {S} >{B}; for c in $(cat {S}); do echo >c/$c; done" });
rule({ name: "U", target: "{F:[ab]}.u", dep: "{F}", cmd: "cat" });
rule({ name: "V", target: "v", cmd: "cat c/a1 2>/dev/null; echo v" });
`);
  await repo.make("a.u", "b.u", "c/a1", { words: { done: 3 } });
  await repo.make("v", { words: { done: 1 } });
  repo.source({ s: "a1\nb2\n" });
  await repo.make("a.u", "b.u", "v", {
    words: { done: 2 },
    ran: ["Two a", "U b.u"],
  });
  assert.ok(repo.has("c/b2") && !repo.has("c/b1"));
  repo.source({ s: "a2\nb2\n" });
  await repo.make("a.u", "b.u", "v", { rules: { Two: 1, U: 1, V: 1 } });
  // A star target that is no longer made is a change.
  repo.source({ s: "a2\nb2\nx\n" });
  await repo.make("c/x", { words: { done: 1 } });
  repo.source({ s: "a2\nb2\n" });
  await repo.make("a", { words: { done: 1 } });
});

conforms("other dates and modes of targets do not count", async (repo) => {
  repo.source({ s: "1\n" });
  repo.rules(String.raw`
rule({ name: "A", target: "a", dep: "s", cmd: "cat" });
rule({ name: "Old", targets: { T: "old" }, deps: { S: "s" }, cmd: "cp {S} {T}; touch -d 2001-01-01 {T}" });
rule({ name: "Hard", targets: { T: "hard" }, deps: { S: "s" }, cmd: "ln {S} {T}" });
rule({ name: "Use", target: "use", cmd: "cat a old hard" });
`);
  await repo.make("a", "old", "hard", { words: { done: 3 } });
  await repo.make("use", { words: { done: 1 } });
  repo.touch("a");
  Deno.chmodSync(repo.path("a"), 0o600);
  await repo.make("a", "old", "hard", "use");
  Deno.chmodSync(repo.path("a"), 0o700);
  await repo.make("use");
  await repo.make("a", { words: { steady: 1 }, says: ["quarantined"] });
  repo.source({ s: "2\n" });
  await repo.make("use", { rules: { A: 1, Old: 1, Hard: 1, Use: 1 } });
  assert.equal(repo.content("use"), "2\n2\n2\n");
  assert.equal(repo.content("s"), "2\n");
});

conforms("a daemon ends with its job", async (repo) => {
  const pid = repo.ext.join("pid");
  repo.rules(String.raw`
rule({ name: "D", target: "d", cmd: "sleep 30 & echo $! >${pid}; echo d" });
`);
  const started = Date.now();
  await repo.make("d", { words: { done: 1 } });
  assert.ok(Date.now() - started < 10_000);
  assert.throws(() => Deno.kill(Number(repo.extContent("pid")), "SIGCONT"));
});
