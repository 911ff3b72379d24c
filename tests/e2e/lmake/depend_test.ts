/** The options of `depend()` and `target()` that no scenario has, one by one. */

import assert from "node:assert/strict";
import { lineOf, LmakeRepo, words } from "../../support/lmake.ts";

function test(name: string, fn: (repo: LmakeRepo) => Promise<void>): void {
  Deno.test({
    name,
    ignore: Deno.build.os !== "linux",
    async fn() {
      using repo = new LmakeRepo();
      await fn(repo);
    },
  });
}

/** Words of the line of `clibs show` about a dep or a target. */
async function flagsOf(
  repo: LmakeRepo,
  flag: "-d" | "-t",
  job: string,
  file: string,
): Promise<string> {
  const line = lineOf(await repo.show(flag, job), file);
  return words(line).find((word) => /^[a-z-]{8}$/.test(word)) ?? "";
}

test("depend: after a critical dep that changed, nothing is made ahead", async (repo) => {
  repo.source({ index: "a", "src/a": "1\n", "src/b": "1\n" });
  const user = (name: string, critical: boolean) =>
    String.raw`
rule({
  name: "${name}",
  target: "${name}.out",
  cmd: async (j) => {
    await j.lmake.depend("index", { read: true, critical: ${critical} });
    const name = Deno.readTextFileSync("index");
    console.log(Deno.readTextFileSync("${name}/" + name));
  },
});
rule({ name: "Of${name}", target: "${name}/{F:\\w+}", dep: "src/{F}", cmd: "cat" });
`;
  repo.rules(user("Critical", true) + user("Plain", false));
  await repo.make("Critical.out", "Plain.out", { unchecked: true });
  assert.match(await flagsOf(repo, "-d", "Critical.out", "index"), /c/);
  repo.source({ index: "b", "src/a": "2\n" });
  await repo.make("Critical.out", "Plain.out", {
    ran: [
      "Critical Critical.out",
      "OfCritical Critical/b",
      "Plain Plain.out",
      "OfPlain Plain/a",
      "OfPlain Plain/b",
    ],
  });
});

test("depend and target: essential is kept for those who ask", async (repo) => {
  repo.source({ s: "S\n" });
  repo.rules(String.raw`
rule({
  name: "A",
  target: "a",
  cmd: async (j) => {
    await j.lmake.depend("s", { essential: true });
    await j.lmake.target("side", { essential: true });
    Deno.writeTextFileSync("side", "x");
  },
});
`);
  await repo.make("a", { words: { done: 1 } });
  assert.equal(await flagsOf(repo, "-d", "a", "s"), "-e--r-s-");
  assert.match(await flagsOf(repo, "-t", "a", "side"), /^ae/);
});

test("depend: regexpr gives flags to all deps but those with noStar", async (repo) => {
  const job = (name: string, ...calls: string[]) =>
    String.raw`
rule({
  name: "${name}",
  target: "${name}.out",
  cmd: async (j) => {
    ${calls.join("\n    ")}
    try {
      Deno.readTextFileSync("fail3");
    } catch {
      // Its job failed.
    }
  },
});
`;
  const pattern =
    `await j.lmake.depend("fai.\\\\d", { regexpr: true, ignoreError: true, required: false });`;
  const named = (options: string) =>
    `await j.lmake.depend("fail3", { ${options} });`;
  repo.source({ s: "S\n", t: "T\n" });
  repo.rules(
    String.raw`
rule({ name: "Fail", target: "fail{N:\\d}", cmd: "exit {N}" });
rule({
  name: "Ignore",
  target: "ignore",
  cmd: async (j) => {
    Deno.readTextFileSync("s");
    await j.lmake.depend("[st]", { regexpr: true, ignore: true });
    Deno.readTextFileSync("t");
  },
});
` + job("Before", pattern) + job("Named", named(""), pattern) +
      job("Star", named("noStar: false"), pattern),
  );
  await repo.make("Before.out", "Star.out", "ignore", {
    rules: { Fail: 1, Before: 1, Star: 1, Ignore: 1 },
    words: { done: [0, 3], was_done: [0, 3], failed: 1, again: [0, 2] },
  });
  await repo.make("Named.out", { exit: 1, words: { dep_error: 1 } });
  const deps = await repo.deps("ignore");
  assert.ok(deps.includes("s") && !deps.includes("t"), deps.join());
});

test("target: write reports what nobody sees", async (repo) => {
  repo.source({ s: "S\n" });
  repo.rules(String.raw`
rule({
  name: "Unseen",
  target: "unseen",
  autodep: "none",
  cmd: async (j) => {
    Deno.writeTextFileSync("side", "x\n");
    Deno.writeTextFileSync("hidden", "x\n");
    await j.lmake.target("side", { write: true });
  },
});
`);
  await repo.make("unseen", { words: { done: 1 } });
  assert.deepEqual((await repo.targets("unseen")).toSorted(), [
    "side",
    "unseen",
  ]);
});

test("target: sourceOk lets a source be written", async (repo) => {
  repo.source({ src: "1\n" });
  repo.rules(String.raw`
rule({
  name: "Write",
  target: "out",
  cmd: async (j) => {
    await j.lmake.target("src", { sourceOk: true });
    Deno.writeTextFileSync("src", "2\n");
  },
});
`);
  await repo.make("out", { words: { done: 1 } });
  assert.equal(repo.content("src"), "2\n");
});

test("target: incremental keeps a file, and reads of it are no deps", async (repo) => {
  repo.source({ s: "S\n" });
  repo.rules(String.raw`
rule({
  name: "Log",
  target: "out",
  dep: "s",
  cmd: async (j) => {
    await j.lmake.target("log", { incremental: true });
    let log = "";
    try {
      log = Deno.readTextFileSync("log");
    } catch {
      // The first run.
    }
    Deno.writeTextFileSync("log", log + "run\n");
  },
});
`);
  await repo.make("out", { words: { done: 1 } });
  await repo.ok("forget", "out");
  await repo.make("out", { words: { done: [0, 1], steady: [0, 1] } });
  assert.equal(repo.content("log"), "run\nrun\n");
  assert.ok(!(await repo.deps("out")).includes("log"));
  await repo.make("out");
});

test("target: followSymlinks declares what a link leads to", async (repo) => {
  repo.sourceLink({ link: "real" });
  repo.rules(String.raw`
rule({
  name: "Follow",
  target: "out",
  cmd: async (j) => {
    await j.lmake.target("link", { followSymlinks: true });
    Deno.writeTextFileSync("link", "through\n");
  },
});
`);
  await repo.make("out", { words: { done: 1 } });
  assert.equal(repo.content("real"), "through\n");
  assert.ok((await repo.deps("out")).includes("link"));
  assert.ok((await repo.targets("out")).includes("real"));
});

test("target: regexpr allows all that match, noStar: false a named one too", async (repo) => {
  repo.rules(String.raw`
rule({
  name: "Match",
  target: "match",
  cmd: async (j) => {
    await j.lmake.target("gen/.*", { regexpr: true });
    Deno.mkdirSync("gen");
    for (const name of ["a", "b"]) Deno.writeTextFileSync("gen/" + name, name);
  },
});
rule({
  name: "Named",
  target: "named",
  cmd: async (j) => {
    await j.lmake.target("own", { allow: false });
    await j.lmake.target("ow.", { regexpr: true });
    Deno.writeTextFileSync("own", "");
  },
});
rule({
  name: "Star",
  target: "star",
  cmd: async (j) => {
    await j.lmake.target("own2", { allow: false, noStar: false });
    await j.lmake.target("ow..", { regexpr: true });
    Deno.writeTextFileSync("own2", "");
  },
});
`);
  await repo.make("match", "star", { words: { done: 2 } });
  assert.deepEqual((await repo.targets("match")).toSorted(), [
    "gen/a",
    "gen/b",
    "match",
  ]);
  await repo.make("named", {
    exit: 1,
    words: { failed: 1 },
    says: [/unexpected write/],
  });
});

test("target: flags of deps hold if the file proves to be one", async (repo) => {
  repo.source({ "d/x": "x\n" });
  const job = (name: string, body: string) =>
    String.raw`
rule({ name: "${name}", target: "${name}.out", cmd: async (j) => {
  const read = (name: string) => { try { Deno.readTextFileSync(name); } catch {} };
  ${body}
} });
`;
  repo.rules(
    String
      .raw`rule({ name: "Fail", target: "fail{N:\\d}", cmd: "exit {N}" });` +
      job(
        "Error",
        `await j.lmake.target("fail1", { allow: false, ignoreError: true }); read("fail1");`,
      ) + job(
        "Readdir",
        `await j.lmake.target("d", { allow: false, readdirOk: true }); [...Deno.readDirSync("d")];`,
      ) + job(
        "Critical",
        `await j.lmake.target("d/x", { allow: false, critical: true }); read("d/x");`,
      ) + job(
        "Required",
        `await j.lmake.target("absent", { allow: false, required: true }); read("absent");`,
      ) + job(
        "Untouched",
        `await j.lmake.target("absent", "fail2", { allow: false });`,
      ),
  );
  await repo.make("Error.out", "Readdir.out", "Critical.out", "Untouched.out", {
    rules: { Fail: 1, Error: 1, Readdir: 1, Critical: 1, Untouched: 1 },
  });
  assert.match(await flagsOf(repo, "-d", "Critical.out", "d/x"), /^c/);
  const deps = await repo.deps("Untouched.out");
  assert.ok(!deps.includes("absent") && !deps.includes("fail2"), deps.join());
  await repo.make("Required.out", {
    exit: 1,
    words: { dep_error: 1 },
    says: [/required dep missing/],
  });
});

test("target: noWarning silences the line about another job's file", async () => {
  for (const noWarning of [false, true]) {
    using repo = new LmakeRepo();
    repo.rules(String.raw`
rule({ name: "Own", targets: { T: ["own", ${
      noWarning ? '"noWarning"' : '"essential"'
    }] }, cmd: "echo own >{T}" });
rule({ name: "Other", target: "other", cmd: async (j) => {
  await j.lmake.target("own");
  Deno.removeSync("own");
  Deno.writeTextFileSync("own", "other\n");
} });
`);
    await repo.make("own", { words: { done: 1 } });
    await repo.make("other", { unchecked: true });
    assert.equal(repo.content("own"), "other\n");
    const line = /unlink\w*\s+own/;
    await repo.make("own", {
      ran: ["Own own"],
      ...noWarning ? { silent: [line] } : { says: [line] },
    });
    assert.equal(repo.content("own"), "own\n");
  }
});
