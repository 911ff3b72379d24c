/** Graphs, profiles and the live line of `clibs make`, on real repos. */

import assert from "node:assert/strict";
// Loaded once for all: a test must not seem to leave a library behind.
import "../../../lib/host/libc.ts";
import { graphOf, markFiles } from "../../../mod.ts";
import { cliArgs } from "../../support/cli.ts";
import { LmakeRepo } from "../../support/lmake.ts";
import { has } from "../../support/tools.ts";

function test(
  name: string,
  fn: (repo: LmakeRepo) => Promise<void>,
  needs: string[] = [],
): void {
  Deno.test({
    name: `tools: ${name}`,
    ignore: Deno.build.os !== "linux" || !needs.every(has),
    async fn() {
      using repo = new LmakeRepo();
      await fn(repo);
    },
  });
}

const RULES = String.raw`
rule({ name: "Gen", targets: { OUT: "{F:\\w+}.h" }, deps: { T: "{F}.t" }, cmd: "cat {T} >{OUT}" });
rule({ name: "Cc", targets: { OUT: "{F:\\w+}.o" }, deps: { SRC: "{F}.c" }, cmd: "cat {SRC} $(cat {SRC}) >{OUT}" });
rule({ name: "Link", targets: { OUT: "prog" }, deps: { A: "a.o", B: "b.o" }, cmd: "cat {A} {B} >{OUT}" });
rule({ name: "Bad", targets: { OUT: "bad" }, deps: { P: "prog" }, cmd: "exit 1" });
`;

/** A program of two sources, which include headers that are made. */
function program(repo: LmakeRepo): void {
  repo.source({
    "a.c": "h.h\n",
    "b.c": "h.h g.h\n",
    "h.t": "H\n",
    "g.t": "G\n",
  });
  repo.rules(RULES);
}

/** State of each node of a graph, by name. */
async function states(
  repo: LmakeRepo,
  ...files: string[]
): Promise<Record<string, string>> {
  const { nodes } = await graphOf({ cwd: repo.dir.path, files });
  return Object.fromEntries(nodes.map(({ name, state }) => [name, state]));
}

interface Event {
  ph: string;
  pid: number;
  name: string;
  args: Record<string, unknown>;
}

test("--profile and --report tell where the time went", async (repo) => {
  program(repo);
  await repo.make("bad", {
    flags: ["--profile", "trace.json", "--report", "page.html"],
    exit: 1,
    words: { done: 5, failed: 1, again: 2 },
  });
  const { traceEvents } = JSON.parse(repo.content("trace.json"));
  const runs = (traceEvents as Event[])
    .filter(({ ph, pid }) => ph === "X" && pid === 1);
  assert.equal(runs.length, 8);
  assert.deepEqual(
    runs.filter(({ name }) => name === "bad").map(({ args }) => args.status),
    ["failed"],
  );
  const critical = (traceEvents as Event[])
    .filter(({ ph, pid }) => ph === "X" && pid === 2).map(({ name }) => name);
  // Sources ask for headers, which are made; then they are compiled again.
  assert.match(critical.join(" "), /^[ab]\.o [gh]\.h [ab]\.o prog bad$/);
  const page = repo.content("page.html");
  for (
    const text of ["clibs make bad", "Critical path", "Link", "dep out of"]
  ) {
    assert.ok(page.includes(text), text);
  }
  await repo.make("prog", { flags: ["--report", "page.html"] });
  assert.match(repo.content("page.html"), /everything was up to date/);
});

test("a profile that cannot be written is refused before any work", async (repo) => {
  program(repo);
  await repo.make("prog", {
    flags: ["--report", "no/such/folder/page.html"],
    exit: 11,
    words: {},
    says: ["Cannot write no/such/folder/page.html"],
  });
  assert.ok(!repo.has("prog"));
});

test("a graph knows how things stand", async (repo) => {
  program(repo);
  // It only reads the rules.
  await repo.make();
  assert.deepEqual(await states(repo, "prog"), {
    prog: "never ran",
    "a.o": "never ran",
    "b.o": "never ran",
    "a.c": "source",
    "b.c": "source",
  });
  await repo.make("prog", { unchecked: true });
  await repo.make("bad", { exit: 1, words: { failed: 1 } });
  const fresh = {
    prog: "up to date",
    "a.o": "up to date",
    "b.o": "up to date",
    "h.h": "up to date",
    "g.h": "up to date",
    "a.c": "source",
    "b.c": "source",
    "h.t": "source",
    "g.t": "source",
  };
  assert.deepEqual(await states(repo, "prog"), fresh);
  assert.deepEqual(await states(repo, "bad"), { ...fresh, bad: "in error" });
  // Removed: made again when it is needed, which is not now.
  Deno.removeSync(repo.path("g.h"));
  assert.deepEqual(await states(repo, "prog"), fresh);
  repo.source({ "g.t": "other\n" });
  assert.deepEqual(await states(repo, "prog"), {
    ...fresh,
    "g.h": "out of date",
    "b.o": "out of date",
    prog: "out of date",
  });
  repo.source({ "g.t": "G\n" });
  await markFiles({
    cwd: repo.dir.path,
    files: ["a.o"],
    mark: "freeze",
    action: "add",
  });
  assert.deepEqual(await states(repo, "prog"), { ...fresh, "a.o": "frozen" });
  Deno.removeSync(repo.path("g.t"));
  const missing = await states(repo, "prog");
  assert.equal(missing["g.t"], "missing");
  assert.equal(missing["b.o"], "out of date");
});

test("a graph tells deps of the rule from those that were found", async (repo) => {
  repo.source({ tab: "", list: "x\n" });
  repo.rules(String.raw`
rule({
  name: "Top",
  targets: { OUT: "top" },
  deps: { L: "list" },
  cmd: "for i in nowhere/a.h nowhere/b.h; do [ -e $i ]; done; echo v | lencode -f tab -x ctx >>{OUT}; cat x.o >>{OUT}",
});
rule({ name: "X", targets: { OUT: "x.o", LOG: "x.log" }, cmd: "echo X >{OUT}; echo L >{LOG}" });
`);
  await repo.make("top", { unchecked: true });
  const cwd = repo.dir.path;
  const graph = await graphOf({ cwd, files: ["top"] });
  const names = new Map(graph.nodes.map(({ id, name }) => [id, name]));
  assert.deepEqual(
    graph.edges.map(({ from, to, static: named }) => [
      names.get(from),
      names.get(to),
      named,
    ]),
    [["top", "list", true], ["top", "tab", false], ["top", "x.o", false]],
  );
  assert.deepEqual(graph.nodes.find(({ name }) => name === "x.o")!.files, [
    "x.o",
    "x.log",
  ]);
  const both = await graphOf({ cwd, files: ["x.log", "top"] });
  assert.deepEqual(
    both.nodes.map(({ name }) => name).sort(),
    ["list", "tab", "top", "x.o"],
  );
});

test("show --graph prints a picture, a page, or text", async (repo) => {
  program(repo);
  await repo.make("prog", { unchecked: true });
  assert.match(
    await repo.show("--graph", "svg", "prog"),
    /^<svg [^]*<\/svg>\n$/,
  );
  assert.match(await repo.show("--graph=html", "prog"), /^<!DOCTYPE html>/);
  assert.match(await repo.show("--graph", "dot", "prog"), /^digraph "prog" \{/);
  const { graph } = JSON.parse(
    await repo.show("--graph", "dot", "--json", "prog", "h.h"),
  );
  assert.deepEqual(graph.targets, ["prog", "h.h"]);
  assert.equal(graph.nodes.length, 9);
  assert.equal(graph.edges.length, 9);
  const wrong = await repo.run(["show", "--graph", "png", "prog"]);
  assert.equal(wrong.code, 11, wrong.shown);
  const two = await repo.run(["show", "--graph", "svg", "-d", "prog"]);
  assert.equal(two.code, 11, two.shown);
});

test("a graph of a read-only repo changes nothing", async (repo) => {
  program(repo);
  await repo.make("prog", { unchecked: true });
  repo.setWritable(false);
  try {
    assert.match(await repo.show("--graph", "dot", "prog"), /a\.o\\nCc/);
  } finally {
    repo.setWritable(true);
  }
});

/** What a terminal gets while a command makes files; `^` is its escape. */
async function onTerminal(
  repo: LmakeRepo,
  env: Record<string, string>,
  ...args: string[]
): Promise<string> {
  const words = [Deno.execPath(), ...cliArgs(), "make", ...args];
  const { stdout } = await new Deno.Command("script", {
    args: ["-qec", words.map((word) => `'${word}'`).join(" "), "/dev/null"],
    cwd: repo.dir.path,
    env: {
      TERM: "xterm-256color",
      CI: "",
      NO_COLOR: "",
      LMAKE_ARGS: "",
      ...env,
    },
    stdin: "null",
  }).output();
  return new TextDecoder().decode(stdout).replaceAll("\x1b", "^");
}

const SLOW = String.raw`
rule({ name: "Slow", targets: { OUT: "{N:\\d}.slow" }, cmd: "sleep 0.5; echo >{OUT}" });
rule({ name: "All", targets: { OUT: "all" }, deps: { A: "1.slow", B: "2.slow" }, cmd: "cat {A} {B} >{OUT}" });
`;

test("a terminal shows how far it has got", async (repo) => {
  repo.rules(SLOW);
  await repo.make();
  const shown = await onTerminal(repo, {}, "-j", "1", "all");
  const line = /\d done, 1 running, \d waiting.* {2}Slow [12]\.slow \d s/;
  assert.match(shown, line);
  // It is gone at the end, and what happened stays.
  const end = shown.slice(shown.lastIndexOf("^[J"));
  assert.match(end, /^\^\[J\^\[\?25h/);
  assert.match(shown, /done +All +\S+ all\^\[K\r\n/);
  // Times are known now.
  Deno.removeSync(repo.path("all"));
  await repo.ok("forget", "1.slow", "2.slow");
  const again = await onTerminal(repo, {}, "-j", "1", "all");
  assert.match(again, /ETA 1 s/);
}, ["script"]);

test("nothing redraws itself without a terminal that can", async (repo) => {
  repo.rules(SLOW);
  await repo.make();
  const cases: Record<string, string>[] = [
    { NO_COLOR: "1" },
    { TERM: "dumb" },
    { CI: "1" },
  ];
  for (const env of cases) {
    const shown = await onTerminal(repo, env, "all");
    await repo.ok("forget", "all", "1.slow", "2.slow");
    assert.doesNotMatch(shown, /\^\[[?JK]/, JSON.stringify(env));
    assert.doesNotMatch(shown, /waiting/);
  }
  const piped = await repo.run(["make", "all"]);
  assert.ok(!piped.shown.includes("\x1b"), piped.shown);
  assert.doesNotMatch(piped.shown, /waiting/);
}, ["script"]);
