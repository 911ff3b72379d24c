/** Calls of a job: trees of targets, lists, states of deps, direct deps. */

import assert from "node:assert/strict";
import { lineOf, scenario, words } from "../../support/lmake.ts";

scenario(23, "cp and rm target trees", async (repo) => {
  // Each look is at a name that was written, or else is a dep on nothing.
  const rules = (leaveCopies: boolean) =>
    String.raw`
rule({
  name: "Trees",
  targets: { OUT: "out/{*:.*}" },
  cmd: async (j) => {
    const { cpTargetTree, rmTargetTree } = j.lmake;
    const there = (name: string) => {
      try {
        Deno.lstatSync(name);
        return true;
      } catch {
        return false;
      }
    };
    const expect = (names: string[], absent: string[]) => {
      for (const name of names) if (!there(name)) throw new Error(name + " is missing");
      for (const name of absent) if (there(name)) throw new Error(name + " is there");
    };
    const write = (name: string) => {
      Deno.mkdirSync("out", { recursive: true });
      Deno.writeTextFileSync("out/" + name, name + "\n");
    };
    for (const name of ["a1", "a2", "b"]) write(name);
    await cpTargetTree("out", "cpy", "out/a.");
    expect(["cpy/a1", "cpy/a2", "out/a1", "out/a2", "out/b"], ["cpy/b"]);
    await rmTargetTree("out", "out/a.");
    expect(["out/b"], ["out/a1", "out/a2"]);
    await rmTargetTree("out");
    expect([], ["out/b", "out"]);
    if (!${leaveCopies}) {
      await rmTargetTree("cpy");
      expect([], ["cpy/a1", "cpy"]);
    }
    write("z");
  },
});
`;
  repo.rules(rules(false));
  await repo.make("out/z", { words: { done: 1 }, silent: ["cpy"] });
  assert.equal(repo.content("out/z"), "z\n");
  assert.ok(!repo.has("cpy") && !repo.has("out/b"));

  repo.rules(rules(true));
  await repo.make("out/z", {
    exit: 1,
    words: { failed: 1 },
    says: [/unexpected/i, "cpy/a1"],
  });
});

scenario(25, "list functions", async (repo) => {
  repo.source({ "d/x": "x\n", "d/y": "y\n", z: "z\n", late: "l\n" });
  const ext = repo.ext.path;
  repo.rules(String.raw`
rule({
  name: "Shell",
  targets: { T: "t" },
  cmd: "cat z d/x d/y nofile 2>/dev/null; echo hi >{T}; ldepend -l >${ext}/deps; ltarget -l >${ext}/targets",
});
rule({
  name: "Function",
  target: "p.txt",
  deps: { LATE: "late" },
  cmd: async (j) => {
    const { listDeps, listTargets } = j.lmake;
    Deno.readTextFileSync("z");
    Deno.readTextFileSync("d/x");
    Deno.writeTextFileSync("gone", "");
    Deno.removeSync("gone");
    console.log(JSON.stringify([
      await listDeps("d"),
      await listDeps(undefined, "z"),
      await listDeps("d", "d/z"),
      await listTargets(),
      await listDeps(undefined, "late"),
    ]));
  },
});
`);
  await repo.make("t", "p.txt", { words: { done: 2 } });
  const deps = words(repo.extContent("deps"));
  assert.deepEqual(deps, ["z", "d/x", "d/y", "nofile"]);
  assert.deepEqual(words(repo.extContent("targets")), ["t"]);
  assert.deepEqual(
    JSON.parse(repo.content("p.txt")),
    [["d/x"], ["z"], [], ["p.txt"], ["late"]],
  );
});

const OK_AND_BAD = String.raw`
rule({ name: "Ok", target: "ok{N:\\d}", dep: "src", cmd: "cat" });
rule({ name: "Bad", target: "bad", cmd: "exit 1" });
`;

scenario(27, "depend verbose", async (repo) => {
  repo.source({ src: "S\n" });
  repo.rules(
    OK_AND_BAD + String.raw`
rule({
  name: "V",
  target: "v",
  cmd: async (j) => {
    const states = await j.lmake.depend("ok1", "bad", "nope", "/usr/bin/env", "src", {
      verbose: true,
      read: true,
      ignoreError: true,
      required: false,
    });
    const sum = await j.lmake.xxhsumFile("ok1");
    console.log(JSON.stringify({ states, sum }));
  },
});
rule({
  name: "Twin",
  target: "twin",
  cmd: "ldepend -v -R -e -r ok1 bad nope /usr/bin/env src; echo $? >${
      repo.ext.join("rc")
    }",
});
`,
  );
  await repo.make("v", { words: { again: [1, 2], done: 2, failed: 1 } });
  const { states, sum } = JSON.parse(repo.content("v"));
  assert.match(sum, /^[0-9a-f]{16}-R$/);
  assert.deepEqual(states.ok1, { ok: true, checksum: sum });
  assert.equal(states.bad.ok, false);
  assert.deepEqual(states.nope, { ok: true, checksum: "none" });
  assert.deepEqual(states["/usr/bin/env"], {});
  assert.equal(states.src.ok, true);
  assert.match(states.src.checksum, /^[0-9a-f]{16}-R$/);

  await repo.make("twin", { words: { done: 1 } });
  const twin = repo.content("twin");
  assert.deepEqual(words(lineOf(twin, "ok1")), ["ok", sum, "ok1"]);
  assert.equal(words(lineOf(twin, "bad"))[0], "error");
  assert.deepEqual(words(lineOf(twin, "nope")), ["ok", "none", "nope"]);
  assert.deepEqual(words(lineOf(twin, "/usr/bin/env")), [
    "-",
    "-",
    "/usr/bin/env",
  ]);
  assert.deepEqual(words(lineOf(twin, "src")), [
    "ok",
    states.src.checksum,
    "src",
  ]);
  assert.equal(repo.extContent("rc"), "0\n");
});

scenario(29, "direct; sequential versus parallel", async (repo) => {
  repo.source({ src: "S\n" });
  const shell = `shell: ["/bin/bash", "-e"],`;
  repo.rules(
    // A job keeps its cpu while it waits for direct deps.
    "lmake.config.backends.local = { cpu: 4 };\n" + OK_AND_BAD + String.raw`
rule({
  name: "D",
  target: "direct",
  cmd: async (j) => {
    console.log(await j.lmake.depend("ok2", "ok3", { direct: true }));
    Deno.readTextFileSync("ok2");
    Deno.readTextFileSync("ok3");
  },
});
rule({
  name: "Db",
  target: "db",
  cmd: async (j) => {
    console.log(await j.lmake.depend("bad", { direct: true, ignoreError: true }));
  },
});
rule({ name: "Ldb", target: "ldb", cmd: "ldepend -d bad; echo $? >${
      repo.ext.join("rc")
    }" });
rule({ name: "Of", target: "{A:[de]}{N:\\d}", dep: "src", cmd: "cat" });
rule({ name: "Seq", target: "seq", ${shell} stderrOk: true, cmd: "for i in 1 2 3 4; do cat d$i; done" });
rule({
  name: "Par",
  target: "par",
  ${shell}
  stderrOk: true,
  cmd: "ldepend e1 e2 e3 e4; for i in 1 2 3 4; do cat e$i; done",
});
`,
  );
  await repo.make("direct", { words: { done: 3 } });
  assert.equal(repo.content("direct"), "true\n");
  await repo.make("db", { words: { failed: 1, done: 1 } });
  assert.equal(repo.content("db"), "false\n");
  await repo.make("ldb", { exit: 1, words: { dep_error: 1 } });
  assert.equal(repo.extContent("rc"), "1\n");

  await repo.make("seq", { words: { again: 4, done: 5 } });
  assert.equal(repo.content("seq"), "S\n".repeat(4));
  await repo.make("par", { words: { again: 1, done: 5 } });
  assert.equal(repo.content("par"), "S\n".repeat(4));
});
