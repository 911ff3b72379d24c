/** Flags of deps and targets, folders, writes, links. */

import assert from "node:assert/strict";
import { scenario } from "../../support/lmake.ts";

scenario(31, "four ways to ignore", async (repo) => {
  repo.source({ s: "S\n", t: "T\n" });
  repo.rules(String.raw`
rule({ name: "Bad", target: "bad", cmd: "exit 1" });
rule({ name: "A", target: "a", sideDeps: { X: ["bad", "ignore"] }, stderrOk: true, cmd: "! cat bad" });
rule({ name: "B", target: "b", stderrOk: true, cmd: "ldepend -I bad; ! cat bad" });
rule({
  name: "C",
  target: "c",
  cmd: async (j) => {
    await j.lmake.depend("bad", { ignore: true });
    try {
      Deno.readTextFileSync("bad");
    } catch {
      // It is not there.
    }
  },
});
rule({ name: "D", target: "d", sideTargets: { J: ["junk1", "ignore"] }, cmd: "echo >junk1" });
rule({ name: "E", target: "e", cmd: "ltarget -I junk2; echo >junk2" });
rule({
  name: "F",
  target: "f",
  cmd: async (j) => {
    await j.lmake.target("junk3", { ignore: true });
    Deno.writeTextFileSync("junk3", "\n");
  },
});
rule({ name: "G", target: "g", cmd: "cat s; ldepend -I s t; cat t" });
`);
  const targets = ["a", "b", "c", "d", "e", "f", "g"];
  await repo.make(...targets, {
    words: { done: 7 },
    ran: targets.map((name) => `${name.toUpperCase()} ${name}`),
  });
  for (const name of ["a", "b", "c"]) {
    const deps = await repo.deps(name);
    assert.ok(!deps.includes("bad"), `${name}: ${deps}`);
  }
  for (const [i, name] of ["d", "e", "f"].entries()) {
    assert.ok(repo.has(`junk${i + 1}`));
    const recorded = [
      ...await repo.targets(name),
      ...await repo.deps(name),
    ].filter((file) => file.startsWith("junk"));
    assert.deepEqual(recorded, [], name);
  }
  const deps = await repo.deps("g");
  assert.ok(deps.includes("s") && !deps.includes("t"), `g: ${deps}`);
});

scenario(33, "ignoreError, required", async (repo) => {
  repo.rules(String.raw`
rule({ name: "Fail", target: "fail{N:\\d}", cmd: "echo m{N} >&2; exit {N}" });
rule({ name: "User", target: "user", deps: { A: "fail3" }, cmd: "echo used" });
rule({ name: "Tolerant", target: "tolerant", deps: { A: ["fail4", "ignoreError"] }, cmd: "echo used" });
rule({ name: "Shell", target: "shell", cmd: "ldepend -e fail5" });
rule({ name: "Absent", target: "absent_user", cmd: "ldepend absent; echo" });
rule({ name: "Optional", target: "optional_user", cmd: "ldepend -r absent" });
`);
  const first = await repo.make("user", {
    exit: 1,
    words: { failed: 1 },
    ran: ["Fail fail3"],
    says: [/SUMMARY[^]*\bm3\b/],
  });
  const summary = first.shown.slice(first.shown.indexOf("SUMMARY"));
  assert.match(summary, /\buser\b[^]*\bfail3\b[^]*\bm3\b/);
  await repo.make("tolerant", { words: { failed: 1, done: 1 } });
  assert.equal(repo.content("tolerant"), "used\n");
  await repo.make("shell", { words: { failed: 1, again: 1, was_done: 1 } });
  await repo.make("absent_user", {
    exit: 1,
    words: { dep_error: 1 },
    says: [/required dep missing/],
  });
  await repo.make("optional_user", { words: { done: 1 } });
  await repo.make("user", { exit: 1, ran: [] });
  await repo.make("user", {
    flags: ["-e"],
    exit: 1,
    words: { failed: 1 },
    ran: ["Fail fail3"],
  });
});

scenario(35, "reading dirs", async (repo) => {
  repo.source({ "d/x": "x\n" });
  repo.rules(String.raw`
rule({ name: "Plain", target: "plain", cmd: "ls d" });
rule({ name: "Root", target: "root", cmd: "ls ." });
rule({ name: "Shell", target: "shell", cmd: "ldepend -D d; ls d" });
rule({
  name: "Function",
  target: "function",
  cmd: async (j) => {
    await j.lmake.depend("d", { readdirOk: true });
    console.log([...Deno.readDirSync("d")].map((entry) => entry.name).join("\n"));
  },
});
rule({ name: "RootOk", target: "root_ok", cmd: "ldepend -D .; ls . | grep d$" });
rule({ name: "None", target: "none", cmd: "ls nodir 2>/dev/null; :" });
rule({ name: "System", target: "system", cmd: "ls /usr" });
`);
  await repo.make("plain", {
    exit: 1,
    words: { failed: 1 },
    says: [/(^|[\s'"\x60])d\/?($|[\s'"\x60,:])/m, "readdirOk"],
  });
  await repo.make("root", {
    exit: 1,
    words: { failed: 1 },
    says: ["readdirOk"],
  });
  await repo.make("shell", "function", "root_ok", "none", "system", {
    words: { done: 5 },
  });
  assert.equal(repo.content("shell"), "x\n");
  assert.equal(repo.content("function"), "x\n");
});

scenario(37, "undeclared writes", async (repo) => {
  repo.source({ src: "s\n" });
  repo.rules(String.raw`
rule({ name: "Extra", target: "w1", cmd: "echo x >extra" });
rule({ name: "Late", target: "w2", cmd: "echo x >e5; ltarget e5" });
rule({ name: "ReadFirst", target: "w3", cmd: "cat e6 2>/dev/null; ltarget e6; echo >>e6" });
rule({ name: "NotAllowed", target: "w4", cmd: "ltarget -a e4; echo >e4" });
rule({ name: "Source", target: "w5", cmd: "echo >src" });
rule({ name: "Declared", target: "r1", cmd: "ltarget e3; echo >e3" });
rule({
  name: "DeclaredTwin",
  target: "r2",
  cmd: async (j) => {
    await j.lmake.target("e3twin");
    Deno.writeTextFileSync("e3twin", "x\n");
  },
});
rule({ name: "Moved", targets: { T: "r3" }, cmd: "echo >tmp; mv tmp {T}" });
rule({ name: "Removed", target: "r4", cmd: "echo >x; rm x" });
rule({ name: "Folder", target: "r5", cmd: "mkdir -p n/m" });
`);
  await repo.make("w1", {
    exit: 1,
    words: { failed: 1 },
    says: [/unexpected write/i, "extra", /sideTargets|ltarget|target\(/],
  });
  await repo.make("w2", "w3", "w4", "w5", {
    exit: 1,
    words: { failed: 4 },
    says: ["e5", "e6", "e4", "src"],
  });
  await repo.make("r1", "r2", "r3", "r4", "r5", { words: { done: 5 } });
  assert.ok(repo.has("e3") && repo.has("e3twin") && repo.has("r3"));
  assert.ok(!repo.has("tmp") && !repo.has("x"));
});

scenario(39, "followSymlinks", async (repo) => {
  repo.source({ s: "1\n" });
  repo.rules(String.raw`
rule({ name: "Real", target: "real", dep: "s", cmd: "cat" });
rule({ name: "Lnk", targets: { L: "lnk" }, cmd: "ln -s real {L}" });
rule({
  name: "A",
  target: "a",
  cmd: async (j) => {
    await j.lmake.depend("lnk", { followSymlinks: true, read: true });
  },
});
rule({
  name: "B",
  target: "b",
  cmd: async (j) => {
    await j.lmake.depend("lnk", { read: true });
  },
});
rule({ name: "C", target: "c", cmd: "ldepend -L -R lnk" });
`);
  await repo.make("a", "b", "c", {
    words: { done: [2, 5], was_done: [0, 3], again: [1, 6] },
  });
  const deps = await repo.deps("a");
  assert.ok(deps.includes("lnk") && deps.includes("real"), `a: ${deps}`);
  const linkOnly = await repo.deps("b");
  assert.ok(linkOnly.includes("lnk") && !linkOnly.includes("real"));

  repo.source({ s: "2\n" });
  await repo.make("a", "b", "c", { rules: { Real: 1, A: 1, C: 1 } });
});
