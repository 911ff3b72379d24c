/** Which rule makes a file, and what its command sees of the environment. */

import assert from "node:assert/strict";
import { scenario, words } from "../../support/lmake.ts";

scenario(47, "no way to build", async (repo) => {
  repo.source({ s: "S\n" });
  repo.file({ notsrc: "N\n" });
  repo.rules(String.raw`
antiRule({ name: "Forbidden", target: "{F:.*}.anti" });
rule({ name: "Plain", target: "x.{E:anti}", cmd: "echo" });
rule({ name: "One", target: "twice", cmd: "echo 1" });
rule({ name: "Two", target: "twice", cmd: "echo 2" });
rule({ name: "Reader", target: "reader", cmd: "cat notsrc" });
`);
  await repo.make("nothing", { exit: 1, says: [/no rule/i] });
  await repo.make("x.anti", { exit: 1, says: ["Forbidden"] });
  await repo.make("twice", {
    exit: 1,
    says: [/\bmulti\b/, /\bOne\b/, /\bTwo\b/],
  });
  await repo.make("notsrc", { exit: 1, says: [/dangling\s+notsrc/] });
  await repo.make("reader", {
    exit: 1,
    says: [/dangling\s+notsrc/],
    words: { dep_error: [0, 1], failed: [0, 1], again: [0, 1] },
  });
  await repo.make("s");
  await repo.make();
});

scenario(49, "choosing the rule", async (repo) => {
  repo.source({ "p.c": "p\n", "q.cc": "q\n" });
  repo.rules(String.raw`
rule({ name: "Cc", target: "{F:\\w+}.o", dep: "{F}.c", cmd: "echo c; cat" });
rule({ name: "Cxx", target: "{F:\\w+}.o", dep: "{F}.cc", cmd: "echo cc; cat" });
rule({ name: "High", prio: 5, target: "{F:\\w+}.o", dep: "{F}.special", cmd: "echo special; cat" });
sourceRule({ target: "src_{:.*}" });
rule({ name: "User", target: "user", dep: "src_1", cmd: "cat" });
rule({ name: "Pair", target: "{A:\\w+}-{A}", cmd: "echo {A}" });
rule({ name: "Braces", target: "lit{{b}}", cmd: "echo '{{}}'" });
`);
  await repo.make("p.o", "q.o", {
    words: { done: 2 },
    ran: ["Cc p.o", "Cxx q.o"],
  });
  assert.equal(repo.content("p.o"), "c\np\n");
  assert.equal(repo.content("q.o"), "cc\nq\n");

  repo.remove("p.c");
  repo.source({ "p.cc": "p\n" });
  await repo.make("p.o", { words: { done: 1 }, ran: ["Cxx p.o"] });
  assert.equal(repo.content("p.o"), "cc\np\n");

  await repo.make("user", { exit: 1, ran: [], says: [/missing/, "src_1"] });
  repo.file({ src_1: "found\n" });
  await repo.make("user", { words: { done: 1 } });
  assert.equal(repo.content("user"), "found\n");

  await repo.make("x-x", { words: { done: 1 } });
  await repo.make("x-y", { exit: 1, says: [/no rule/i] });
  await repo.make("lit{b}", { words: { done: 1 } });
  assert.equal(repo.content("lit{b}"), "{}\n");

  repo.source({ "q.special": "q\n" });
  await repo.make("q.o", { words: { done: 1 }, ran: ["High q.o"] });
});

scenario(51, "three environments", async (repo) => {
  // Env runs at each command, as it is the one that shows $TMPDIR twice.
  const rules = (value: number) =>
    String.raw`
rule({ name: "E", target: "e", environ: { V: "${value}" }, cmd: "echo $V" });
rule({ name: "Rok", target: "rok", environResources: { V: "${value}" }, cmd: "echo $V" });
rule({ name: "Rko", target: "rko", environResources: { V: "${value}" }, cmd: "exit 1" });
rule({ name: "A", target: "a", environAncillary: { V: "${value}" }, cmd: "echo $V" });
rule({
  name: "Env",
  target: "env",
  force: true,
  cmd: "echo $HOME; echo \"[$SECRET]\"; ls -A $TMPDIR | wc -l; echo $TMPDIR >>${
      repo.ext.join("tmp")
    }",
});
`;
  const targets = ["e", "rok", "rko", "a", "env"];
  const env = { SECRET: "of the caller" };
  repo.rules(rules(1));
  await repo.make(...targets, {
    env,
    exit: 1,
    words: { done: 4, failed: 1 },
  });
  for (const name of ["e", "rok", "a"]) assert.equal(repo.content(name), "1\n");
  assert.equal(repo.content("env"), `${repo.dir.path}\n[]\n0\n`);

  repo.rules(rules(2));
  await repo.make(...targets, {
    env,
    exit: 1,
    words: { done: 1, failed: 1, steady: 1 },
    ran: ["E e", "Rko rko", "Env env"],
  });
  assert.equal(repo.content("e"), "2\n");
  for (const name of ["rok", "a"]) assert.equal(repo.content(name), "1\n");
  const dirs = words(repo.extContent("tmp"));
  assert.equal(dirs.length, 2);
  assert.equal(new Set(dirs).size, 2, dirs.join());
});
