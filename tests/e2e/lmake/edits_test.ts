/** Edits at the wrong place or time, and the commands around `clibs make`. */

import assert from "node:assert/strict";
import { lineOf, scenario, until } from "../../support/lmake.ts";

scenario(53, "manual edits", async (repo) => {
  repo.source({ s: "S\n" });
  repo.rules(String.raw`
rule({ name: "A", target: "a", dep: "s", cmd: "cat" });
rule({ name: "B", target: "b", dep: "a", cmd: "cat" });
`);
  await repo.make("b", { words: { done: 2 } });

  repo.file({ a: "by hand\n" });
  await repo.make("b");
  assert.equal(repo.content("a"), "by hand\n");
  await repo.make("a", {
    words: { steady: 1 },
    ran: ["A a"],
    says: [/quarantined\s+.*\ba\b/],
  });
  assert.equal(repo.content("a"), "S\n");
  assert.equal(repo.content("LMAKE/quarantine/a"), "by hand\n");

  repo.file({ a: "S\n" });
  await repo.make("a");

  repo.file({ a: "by hand again\n" });
  repo.source({ s: "S2\n" });
  await repo.make("b", {
    words: { done: 2 },
    ran: ["A a", "B b"],
    says: [/quarantined\s+.*\ba\b/],
  });
  assert.equal(repo.content("b"), "S2\n");
  assert.equal(repo.content("LMAKE/quarantine/a"), "by hand again\n");

  repo.file({ a: "" });
  await repo.make("a", {
    words: { steady: 1 },
    ran: ["A a"],
    silent: ["quarantined"],
  });
  assert.equal(repo.content("a"), "S2\n");
});

scenario(55, "source edited while used", async (repo) => {
  const begun = (name: string) => () => repo.ext.has(name);
  repo.source({ s: "1\n", same: "same\n" });
  repo.rules(String.raw`
rule({ name: "A", target: "a", cmd: "cat s; echo >${
    repo.ext.join("a")
  }; sleep 1; cat s" });
rule({ name: "B", target: "b", cmd: "echo >${
    repo.ext.join("b")
  }; sleep 1; cat same" });
`);
  await repo.make("a", {
    exit: 1,
    words: { dep_error: 1, again: [0, 1] },
    says: [/overwritten/],
    async during() {
      await until(begun("a"), "job A");
      repo.source({ s: "2\n" });
    },
  });
  await repo.make("a", { words: { done: 1 } });
  assert.equal(repo.content("a"), "2\n2\n");

  const second = await repo.make("b", {
    unchecked: true,
    async during() {
      await until(begun("b"), "job B");
      repo.source({ same: "same\n" });
    },
  });
  if (second.code !== 0) {
    assert.equal(second.code, 1, second.shown);
    assert.match(second.shown, /overwritten/);
    await repo.make("b", { words: { steady: [0, 1], done: [0, 1] } });
  }
  assert.equal(repo.content("b"), "same\n");
});

scenario(57, "error conditions and lshow", async (repo) => {
  repo.source({ s: "S\n", "hidden/h": "H\n" });
  repo.rules(String.raw`
rule({ name: "Warn", target: "warn", cmd: "echo w-text >&2" });
rule({ name: "WarnOk", target: "warn_ok", stderrOk: true, cmd: "echo w-shown >&2" });
rule({
  name: "Full",
  targets: { T: "{F:\\w+}.full" },
  deps: { S: "s" },
  stderrOk: true,
  cmd: "cat {S} hidden/h >{T}; echo to-stdout-{F}; echo to-stderr >&2",
});
rule({ name: "User", targets: { U: "user" }, deps: { F: "x.full" }, cmd: "cat {F} >{U}; echo user-stdout" });
`);
  await repo.make("warn", {
    exit: 1,
    words: { failed: 1 },
    says: ["w-text"],
  });
  await repo.make("warn_ok", { words: { done: 1 }, says: ["w-shown"] });
  await repo.make("user", {
    flags: ["-o"],
    words: { done: 2 },
    says: ["user-stdout"],
    silent: ["to-stdout-x"],
  });
  const check = async () => {
    const info = await repo.show("-i", "x.full");
    for (
      const fact of [
        /rule\b.*\bFull\b/i,
        /job\b.*\bx\.full\b/i,
        /reason\b.*never run/i,
        /status\b.*\bok\b/i,
        /\brc\b.*\b0\b/i,
      ]
    ) assert.match(info, fact);
    const command = await repo.show("-c", "x.full");
    assert.match(command, /cat s hidden\/h >x\.full; echo to-stdout-x/);
    assert.match(await repo.show("-e", "x.full"), /^to-stderr$/m);
    assert.match(await repo.show("-o", "x.full"), /^to-stdout-x$/m);
    assert.ok((await repo.targets("x.full")).includes("x.full"));
    assert.match(await repo.show("-D", "s"), /\bx\.full\b/);
    assert.match(await repo.show("-T", "x.full"), /\bFull\b.*\bx\.full\b/);
    const bill = await repo.show("-b", "user");
    lineOf(bill, "s");
    lineOf(bill, "hidden/h");
    assert.doesNotMatch(bill, /x\.full/);
    JSON.parse(await repo.show("-p", "-d", "x.full"));
  };
  await check();

  const before = await listing(repo.dir.path);
  repo.setWritable(false);
  try {
    await check();
  } finally {
    repo.setWritable(true);
  }
  assert.equal(await listing(repo.dir.path), before);
});

scenario(59, "lforget, lmark", async (repo) => {
  repo.source({ s: "S\n", hidden: "H\n" });
  repo.rules(String.raw`
rule({ name: "A", target: "a", dep: "s", cmd: "cat; cat hidden" });
rule({ name: "T", target: "t", dep: "s", cmd: "echo t; cat" });
rule({ name: "U", target: "u", dep: "t", cmd: "cat" });
`);
  await repo.make("a", "u", { words: { done: 3 } });

  await repo.ok("forget", "a");
  await repo.make("a", { words: { steady: 1 }, ran: ["A a"] });
  await repo.make("a");
  assert.ok((await repo.deps("a")).includes("hidden"));
  await repo.ok("forget", "-d", "a");
  assert.ok(!(await repo.deps("a")).includes("hidden"));
  await repo.make("a", { words: { steady: 1 }, ran: ["A a"] });
  const none = await repo.run(["forget", "nosuch"]);
  assert.ok(none.code === 0 || none.code === 1, none.shown);
  const usage = await repo.run(["forget", "--nosuch"]);
  assert.equal(usage.code, 11, usage.shown);

  await repo.ok("mark", "-ta", "s");
  repo.source({ s: "S2\n" });
  await repo.make("a", { says: [/SUMMARY[^]*no.trigger/i] });
  assert.equal(repo.content("a"), "S\nH\n");
  await repo.ok("mark", "-td", "s");
  await repo.make("a", "u", { words: { done: 3 } });

  await repo.ok("mark", "-fa", "t");
  repo.file({ t: "frozen\n" });
  repo.source({ s: "S3\n" });
  await repo.make("u", {
    words: { done: 1 },
    ran: ["U u"],
    says: [/SUMMARY[^]*frozen/i],
  });
  assert.equal(repo.content("u"), "frozen\n");
  assert.match((await repo.ok("mark", "-fl")).stdout, /\bt$/m);
  await repo.ok("mark", "-fc");
  await repo.make("u", { words: { done: 2 }, ran: ["T t", "U u"] });
  assert.equal(repo.content("u"), "t\nS3\n");
  const refused = await repo.run(["mark", "-fa", "s"]);
  assert.equal(refused.code, 1, refused.shown);
});

/** Every file with its size and date. */
async function listing(dir: string): Promise<string> {
  const { stdout } = await new Deno.Command("find", {
    args: [dir, "-printf", "%p %s %T@\\n"],
  }).output();
  return new TextDecoder().decode(stdout).split("\n").sort().join("\n");
}
