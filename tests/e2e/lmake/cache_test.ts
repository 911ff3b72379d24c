/** Results that repos share: hits, refusals, and what is not shared. */

import assert from "node:assert/strict";
import {
  type Entry,
  type KeptTarget,
  writeEntry,
} from "../../../lib/rules/cache/format.ts";
import { runHistories } from "../../support/histories.ts";
import { LmakeRepo } from "../../support/lmake.ts";
import { TempDir } from "../../support/temp.ts";
import { has } from "../../support/tools.ts";

function test(
  name: string,
  body: (cache: TempDir) => Promise<void>,
  needs: string[] = [],
): void {
  Deno.test({
    name: `lmake cache: ${name}`,
    ignore: Deno.build.os !== "linux" || !needs.every(has),
    async fn() {
      using cache = new TempDir();
      await body(cache);
    },
  });
}

/** A repo with some sources, whose rules have a cache. */
function repoOf(
  cache: Pick<TempDir, "path">,
  sources: Record<string, string>,
  rules: string,
  size = "1G",
): LmakeRepo {
  const repo = new LmakeRepo();
  repo.source(sources);
  const settings = JSON.stringify({ main: { dir: cache.path, size } });
  // Imports come first.
  const imports = rules.match(/^import .*$/mg) ?? [];
  repo.rules(
    `${imports.join("\n")}\nlmake.config.caches = ${settings};\n` +
      rules.replace(/^import .*$/mg, ""),
  );
  return repo;
}

const CAT = `
rule({ name: "Cat", targets: { OUT: "{F:.*}.out" }, deps: { IN: "{F}.txt" },
  cache: "main", environ: { HERE: "$REPO_ROOT" },
  cmd: "cat {IN} $(cat {IN} | head -1).inc >{OUT}; [ -n \\"$HERE\\" ]" });
`;
const TEXTS = {
  "a.txt": "x\n",
  "x.inc": "X\n",
  "b.txt": "y\n",
  "y.inc": "Y\n",
};

/** Files of a cache below one of its folders. */
function filesOf(cache: TempDir, folder: "blobs" | "jobs"): string[] {
  const below = (dir: string): string[] =>
    [...Deno.readDirSync(dir)].flatMap(({ name, isDirectory }) =>
      isDirectory ? below(`${dir}/${name}`) : [`${dir}/${name}`]
    );
  return below(cache.join(`lmake-v1/${folder}`)).sort();
}

function count(text: string, part: string): number {
  return text.split(part).length - 1;
}

test("the same repo elsewhere builds with hits only", async (cache) => {
  using one = repoOf(cache, TEXTS, CAT);
  await one.make("a.out", "b.out", { words: { done: 2 } });
  using other = repoOf(cache, TEXTS, CAT);
  await other.make("a.out", "b.out", { words: { hit_done: 2 } });
  assert.equal(other.content("a.out"), "x\nX\n");
  await other.make("a.out", "b.out", { words: {} });
  assert.deepEqual(await other.deps("a.out"), await one.deps("a.out"));
  // What was taken is as good as what was made: it runs when a dep changes.
  other.source({ "x.inc": "Z\n" });
  await other.make("a.out", "b.out", { ran: ["Cat a.out"] });
  assert.equal(other.content("a.out"), "x\nZ\n");
});

test("C is built with hits, also through a generated header", async (cache) => {
  const sources = {
    "main.c": '#include "gen.h"\n#include "own.h"\nint main() { return N; }\n',
    "own.h": "#define OWN 1\n",
    "n.txt": "7\n",
  };
  const rules = `
rule({ name: "Gen", targets: { H: "gen.h" }, deps: { N: "n.txt" }, cache: "main",
  cmd: "echo \\"#define N $(cat {N})\\" >{H}" });
rule({ name: "Cc", targets: { O: "{F:.*}.o" }, deps: { C: "{F}.c" }, cache: "main",
  compression: 3, cmd: "gcc -c {C} -o {O}" });
rule({ name: "Ld", targets: { E: "{F:.*}.exe" }, deps: { O: "{F}.o" }, cache: "main",
  cmd: "gcc {O} -o {E}" });`;
  using one = repoOf(cache, sources, rules);
  await one.make("main.exe", {
    words: { done: [2, 3], was_done: [0, 1], again: [0, 9] },
  });
  using other = repoOf(cache, sources, rules);
  const run = await other.make("main.exe", {
    words: { hit_done: 2, was_hit_done: 1 },
  });
  assert.deepEqual(
    run.jobs.map(({ word, rule }) => `${rule} ${word}`).sort(),
    ["Cc was_hit_done", "Gen hit_done", "Ld hit_done"],
  );
  const { code } = new Deno.Command(other.path("main.exe")).outputSync();
  assert.equal(code, 7);
  assert.ok(filesOf(cache, "blobs").some((path) => path.endsWith(".zst")));
  await other.make("main.exe", { words: {} });
}, ["gcc"]);

test("each set of deps has its entry", async (cache) => {
  using repo = repoOf(cache, TEXTS, CAT);
  await repo.make("a.out", { words: { done: 1 } });
  repo.source({ "x.inc": "second\n" });
  await repo.make("a.out", { words: { done: 1 } });
  // Another name is read because of what the first one holds.
  repo.source({ "a.txt": "y\n" });
  await repo.make("a.out", { words: { done: 1 } });
  repo.source({ "a.txt": "x\n" });
  await repo.make("a.out", { words: { hit_done: 1 } });
  assert.equal(repo.content("a.out"), "x\nsecond\n");
  repo.source({ "x.inc": "X\n" });
  await repo.make("a.out", { words: { hit_done: 1 } });
  assert.equal(repo.content("a.out"), "x\nX\n");
  assert.equal(filesOf(cache, "jobs").length, 3);
  // The same again, as it was before.
  Deno.removeSync(repo.path("a.out"));
  await repo.make("a.out", { words: { hit_steady: 1 } });
  repo.file({ "a.out": "edited by hand\n" });
  await repo.make("a.out", { words: { hit_steady: 1 }, says: ["quarantined"] });
  assert.equal(repo.content("LMAKE/quarantine/a.out"), "edited by hand\n");
});

test("programs hear of the cache and the reason", async (cache) => {
  using one = repoOf(cache, TEXTS, CAT);
  await one.make("a.out", { words: { done: 1 } });
  using other = repoOf(cache, TEXTS, CAT);
  await other.make({ words: {} });
  const { stdout } = await other.ok("make", "--json", "a.out");
  const { events } = JSON.parse(stdout);
  const [event] = events.filter(({ rule }: { rule?: string }) => rule);
  assert.equal(event.word, "hit_done");
  assert.equal(event.reason, "never run");
  assert.equal(event.cache, "main");
  assert.match(await other.show("-i", "a.out"), /never run/);
});

const KINDS = `
rule({ name: "Kinds", cache: "main", stderrOk: true, stdout: undefined,
  targets: { BIN: "{F:.*}.bin", LINK: "{F}.link", MARK: ["{F}.mark", "phony"],
    PARTS: "{F}.d/{N*:[0-9]+}", MAYBE: ["{F}.maybe", "optional"] },
  deps: { IN: "{F}.txt" },
  cmd: "cp {IN} {BIN}; chmod +x {BIN}; ln -s {F}.bin {LINK}; " +
    "for i in 1 2; do echo $i >{F}.d/$i; done; " +
    "ltarget side.tmp; echo side >side.tmp; echo told >&2; echo said" });
`.replace(" stdout: undefined,", "");

test("a hit gives targets of all kinds, and what the job said", async (cache) => {
  using one = repoOf(cache, { "k.txt": "K\n" }, KINDS);
  await one.make("k.bin", { words: { done: 1 } });
  using other = repoOf(cache, { "k.txt": "K\n" }, KINDS);
  const run = await other.make("k.bin", {
    words: { hit_done: 1 },
    says: ["told"],
    flags: ["-o"],
  });
  assert.match(run.stdout, /^said$/m);
  assert.equal(Deno.lstatSync(other.path("k.bin")).mode! & 0o111, 0o111);
  assert.equal(Deno.readLinkSync(other.path("k.link")), "k.bin");
  assert.equal(other.content("k.d/1") + other.content("k.d/2"), "1\n2\n");
  assert.equal(other.content("side.tmp"), "side\n");
  assert.equal(other.has("k.mark"), false);
  assert.match(await other.show("-e", "k.bin"), /told/);
  assert.match(await other.show("-o", "k.bin"), /said/);
  assert.deepEqual(await other.targets("k.bin"), await one.targets("k.bin"));
  await other.make("k.bin", "k.d/2", "k.mark", { words: {} });
  // Also by hand.
  Deno.removeSync(other.path("k.bin"));
  await other.ok("debug", "-n", "k.bin");
  const [script] = [...Deno.readDirSync(other.path("LMAKE/debug"))];
  new Deno.Command("bash", {
    args: [other.path(`LMAKE/debug/${script!.name}`)],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).outputSync();
  assert.equal(other.content("k.bin"), "K\n");
});

test("a poisoned entry is refused, and made again", async (cache) => {
  const poisons: [string, "blobs" | "jobs", (path: string) => void][] = [
    ["other bytes", "blobs", (path) => {
      Deno.chmodSync(path, 0o644);
      const { size } = Deno.statSync(path);
      Deno.writeFileSync(path, new Uint8Array(size).fill(66));
    }],
    ["truncated content", "blobs", (path) => Deno.truncateSync(path, 1)],
    ["longer content", "blobs", (path) => Deno.truncateSync(path, 1e9)],
    ["truncated entry", "jobs", (path) => Deno.truncateSync(path, 99)],
    ["empty entry", "jobs", (path) => Deno.truncateSync(path, 0)],
    ["edited entry", "jobs", (path) => {
      const text = Deno.readTextFileSync(path);
      Deno.writeTextFileSync(path, text.replaceAll("Cat", "Cut"));
    }],
    ["huge entry", "jobs", (path) => Deno.truncateSync(path, 1e9)],
    ["entry as a link", "jobs", (path) => {
      Deno.renameSync(path, cache.join("elsewhere"));
      Deno.symlinkSync(cache.join("elsewhere"), path);
    }],
  ];
  const targets = ["a.out", "b.out"];
  using one = repoOf(cache, TEXTS, CAT);
  await one.make(...targets, { words: { done: 2 } });
  for (const [name, folder, poison] of poisons) {
    filesOf(cache, folder).forEach(poison);
    using repo = repoOf(cache, TEXTS, CAT);
    const run = await repo.make(...targets, { words: { done: 2 } });
    assert.equal(
      count(run.stderr, "refused an entry"),
      1,
      `${name}: ${run.shown}`,
    );
    assert.equal(repo.content("a.out"), "x\nX\n", name);
    using next = repoOf(cache, TEXTS, CAT);
    await next.make(...targets, {
      words: { hit_done: 2 },
      silent: ["refused"],
    });
  }
  // What is simply gone is no offence.
  for (const path of filesOf(cache, "blobs")) Deno.removeSync(path);
  using repo = repoOf(cache, TEXTS, CAT);
  await repo.make("a.out", { words: { done: 1 }, silent: ["refused"] });
});

test("entries of foes lead nowhere", async (cache) => {
  using ext = new TempDir();
  using one = repoOf(cache, TEXTS, CAT);
  await one.make("a.out", { words: { done: 1 } });
  const [path] = filesOf(cache, "jobs");
  const folder = path!.slice(0, path!.lastIndexOf("/"));
  const [, line] = Deno.readTextFileSync(path!).split("\n");
  const good = JSON.parse(line!) as Entry;
  const [target] = good.targets;
  const evil = (more: KeptTarget[], deps = good.deps): Entry => ({
    ...good,
    deps,
    targets: [target!, ...more],
  });
  const as = (file: string) => ({ ...target!, file }) as KeptTarget;
  const link = (file: string, text: string): KeptTarget => ({
    file,
    flags: [],
    kind: "link",
    text,
  });
  const attacks: [name: string, entry: Entry, refused: boolean][] = [
    ["absolute", evil([as(ext.join("evil"))]), true],
    ["upward", evil([as("../evil")]), true],
    ["upward inside", evil([as("d/../../evil")]), true],
    ["ours", evil([as("LMAKE/state.db")]), true],
    ["ours itself", evil([as("LMAKE")]), true],
    ["through its link", evil([link("d", ext.path), as("d/evil")]), true],
    ["the rules", evil([as("Lmakefile.ts")]), false],
    ["a source", evil([as("b.txt")]), false],
    ["a dep of it", evil([as("x.inc")]), true],
    ["through a link", evil([as("out/evil")]), false],
    ["a nul", evil([as("a\0b")]), true],
    ["no target", { ...good, targets: [] }, true],
    [
      "a dep",
      evil([as("dep.tmp")], [
        ...good.deps,
        { file: "dep.tmp", kinds: 7, flags: [], sum: "none", group: 9 },
      ]),
      true,
    ],
    [
      "dep of nobody",
      evil([], [
        ...good.deps,
        { file: "a/../../b", kinds: 7, flags: [], sum: "none", group: 9 },
      ]),
      true,
    ],
    [
      "huge",
      {
        ...good,
        targets: [
          {
            ...target!,
            content: { sha256: "0".repeat(64), size: 2 ** 50 },
          } as KeptTarget,
        ],
      },
      true,
    ],
    ["huge output", { ...good, stdout: "x".repeat(3e6) }, true],
  ];
  for (const [name, entry, refused] of attacks) {
    for (const old of Deno.readDirSync(folder)) {
      Deno.removeSync(`${folder}/${old.name}`);
    }
    const written = writeEntry(entry);
    Deno.writeTextFileSync(`${folder}/${written.name}`, written.text);
    using repo = repoOf(cache, TEXTS, CAT);
    Deno.symlinkSync(ext.path, repo.path("out"));
    const rules = repo.content("Lmakefile.ts");
    const run = await repo.make("a.out", { words: { done: 1 } });
    const said = count(run.stderr, "refused an entry");
    assert.equal(said, refused ? 1 : 0, `${name}: ${run.shown}`);
    assert.equal(repo.content("a.out"), "x\nX\n", name);
    assert.equal(repo.content("Lmakefile.ts"), rules, name);
    assert.equal(repo.content("x.inc"), "X\n", name);
    assert.equal(repo.has("../evil"), false, name);
    assert.deepEqual([...Deno.readDirSync(ext.path)], [], name);
  }
});

test("-c says how the cache is used", async (cache) => {
  const rules = `
rule({ name: "Now", targets: { OUT: "{F:.*}.now" }, deps: { IN: "{F}.txt" },
  cache: "main", cmd: "cat {IN}; cat /proc/sys/kernel/random/uuid >{OUT}" });`;
  const sources = { "a.txt": "A\n", "b.txt": "B\n" };
  using one = repoOf(cache, sources, rules);
  await one.make("a.now", { words: { done: 1 }, flags: ["-c", "none"] });
  assert.equal(cache.has("lmake-v1"), false);
  using two = repoOf(cache, sources, rules);
  await two.make("a.now", { words: { done: 1 }, flags: ["-c", "download"] });
  assert.equal(cache.has("lmake-v1"), false);
  using three = repoOf(cache, sources, rules);
  await three.make("a.now", { words: { done: 1 }, flags: ["-c", "check"] });
  assert.equal(filesOf(cache, "jobs").length, 1);
  using four = repoOf(cache, sources, rules);
  await four.make("a.now", "b.now", {
    words: { done: 2 },
    flags: ["-c", "check"],
    says: ["the cache main has other content of a.now"],
    silent: ["other content of b.now"],
  });
  using five = repoOf(cache, sources, rules);
  await five.make("a.now", {
    words: { hit_done: 1 },
    flags: ["-c", "download"],
  });
  assert.equal(five.content("a.now"), three.content("a.now"));
  using six = repoOf(cache, sources, rules);
  await six.make("a.now", { words: { done: 1 }, flags: ["-c", "none"] });
  const bad = await six.run(["make", "-c", "often", "a.now"]);
  assert.equal(bad.code, 11, bad.shown);
});

test("what was taken may be read at once", async (cache) => {
  // No date tells whether a file that new is still being written.
  const rules = CAT + `
rule({ name: "Use", targets: { OUT: "{F:.*}.use" }, cmd: "cat {F}.out >{OUT}" });`;
  using one = repoOf(cache, TEXTS, rules);
  await one.make("a.out", { words: { done: 1 } });
  for (let i = 0; i < 5; i++) {
    using other = repoOf(cache, TEXTS, rules);
    await other.make("a.use", {
      words: { hit_done: 1, again: 1, was_done: [0, 1], done: [0, 1] },
    });
    await other.make("a.use", { words: {} });
  }
});

test("random histories end as a clean build does, the second time by hits", async (cache) => {
  const settings = JSON.stringify({ main: { dir: cache.path, size: "1G" } });
  const rewrite = (rules: string) =>
    `lmake.config.caches = ${settings};\n` +
    rules.replaceAll(/\brule\(\{/g, 'rule({ cache: "main",');
  const seed = Number(Deno.env.get("HISTORIES_SEED") ?? "1");
  const first = await runHistories(seed, 30, { rewrite });
  assert.deepEqual(first.faults, [], first.faults.join("\n\n"));
  const second = await runHistories(seed, 30, { rewrite });
  assert.deepEqual(second.faults, [], second.faults.join("\n\n"));
  assert.ok(first.jobs > 150, JSON.stringify(first));
  assert.ok(second.hits > 100, JSON.stringify(second));
  assert.ok(second.jobs < first.jobs / 3, JSON.stringify(second));
});

test("what others must not have is not kept", async (cache) => {
  const rules = `
const base = { cache: "main", deps: { IN: "in" } };
rule({ ...base, name: "Force", targets: { T: "force" }, force: true, cmd: "cat {IN} >{T}" });
rule({ ...base, name: "Bad", targets: { T: "bad" }, cmd: "cat {IN} >{T}; exit 3" });
rule({ ...base, name: "Grow", targets: { T: ["grow", "incremental"] }, cmd: "cat {IN} >>{T}" });
rule({ ...base, name: "Blind", targets: { T: "blind" }, autodep: "none", cmd: "cat {IN} >{T}" });
rule({ ...base, name: "Src", targets: { T: "src" }, sideTargets: { S: ["log", "sourceOk"] },
  cmd: "cat {IN} >{T}; echo more >>log" });
rule({ ...base, name: "Try", targets: { T: "try" }, sideDeps: { B: ["bad", "ignoreError"] },
  cmd: "cat {IN} bad >{T} 2>/dev/null; true" });
`;
  using one = repoOf(cache, { in: "I\n", log: "L\n" }, rules);
  for (const name of ["force", "grow", "blind", "src", "try"]) {
    await one.make(name, { unchecked: true });
    assert.equal(one.has(name), true, name);
  }
  await one.make("bad", { exit: 1, unchecked: true });
  assert.equal(cache.has("lmake-v1/jobs"), false, "nothing is kept");
});

test("codes are deps of a hit", async (cache) => {
  const rules = `
rule({ name: "Enc", targets: { T: "{F:.*}.code" }, deps: { IN: "{F}.txt" }, cache: "main",
  cmd: "lencode -f tab -x ctx <{IN} >{T}" });`;
  const sources = { "a.txt": "value", tab: "" };
  using one = repoOf(cache, sources, rules);
  await one.make("a.code", { words: { done: 1 } });
  const table = one.content("tab");
  assert.notEqual(table, "");
  // There is no such code yet, and only a run makes it.
  using empty = repoOf(cache, sources, rules);
  await empty.make("a.code", { words: { done: 1 } });
  assert.equal(empty.content("tab"), table);
  using same = repoOf(cache, { ...sources, tab: table }, rules);
  await same.make("a.code", { words: { hit_done: 1 } });
  using other = repoOf(
    cache,
    { ...sources, tab: "\tmine\tctx\tvalue\n" },
    rules,
  );
  await other.make("a.code", { words: { done: 1 } });
  assert.equal(other.content("a.code"), "mine\n");
});

test("functions are found by their text", async (cache) => {
  const rules = `
import { shout } from "./shout.ts";
rule({ name: "Fn", targets: { T: "{F:.*}.up" }, deps: { IN: "{F}.txt" }, cache: "main",
  vars: { end: "!" },
  async cmd(j) {
    const { end } = await import("./end.ts");
    Deno.writeTextFileSync(j.T, shout(Deno.readTextFileSync(j.IN)) + j.vars.end + end);
  } });`;
  const sources = {
    "a.txt": "loud",
    "shout.ts": "export const shout = (t: string) => t.toUpperCase();\n",
    "end.ts": 'export const end = ".";\n',
  };
  using one = repoOf(cache, sources, rules);
  const first = await one.make("a.up", { unchecked: true });
  assert.equal(one.has("a.up"), true, first.shown);
  assert.equal(one.content("a.up"), "LOUD!.");
  using other = repoOf(cache, sources, rules);
  await other.make("a.up", { words: { hit_done: 1 } });
  using differs = repoOf(cache, sources, rules.replace('"!"', '"?"'));
  await differs.make("a.up", { words: { done: 1 } });
});

test("a listing of sources counts", async (cache) => {
  const rules = `
rule({ name: "Ls", targets: { T: "list" }, readdirOk: true, cache: "main",
  cmd: "cd src && ls >../{T}" });`;
  const sources = { "src/a": "A\n", "src/b": "B\n" };
  using one = repoOf(cache, sources, rules);
  await one.make("list", { words: { done: 1 } });
  using same = repoOf(cache, sources, rules);
  await same.make("list", { words: { hit_done: 1 } });
  using other = repoOf(cache, { ...sources, "src/c": "C\n" }, rules);
  await other.make("list", { words: { done: 1 } });
  assert.equal(other.content("list"), "a\nb\nc\n");
});

test("a cache that cannot be used is told of, once", async (cache) => {
  using none = repoOf(cache, TEXTS, CAT.replace('"main"', '"other"'));
  const bad = await none.make("a.out", { exit: 3, words: {} });
  assert.match(bad.stderr, /the cache other of rule Cat: there is none/);
  using size = repoOf(cache, TEXTS, CAT, "much");
  await size.make("a.out", { exit: 3, words: {}, says: ["no amount"] });
  // A file is no folder.
  cache.write({ file: "" });
  using repo = repoOf(
    { path: cache.join("file") },
    TEXTS,
    CAT,
  );
  const run = await repo.make("a.out", "b.out", { words: { done: 2 } });
  assert.equal(count(run.stderr, "cannot use the cache main"), 1, run.shown);
});

test("four commands at once share a cache that is always full", async (cache) => {
  const sources: Record<string, string> = {};
  const targets: string[] = [];
  for (let i = 0; i < 30; i++) {
    sources[`s${i}.txt`] = `${i}\n`.repeat(3000 + i);
    targets.push(`s${i}.cp`);
  }
  const rules = `
rule({ name: "Cp", targets: { T: "{F:.*}.cp" }, deps: { IN: "{F}.txt" }, cache: "main",
  cmd: "cp {IN} {T}" });`;
  const limit = 300_000;
  const repos = [0, 1, 2, 3].map(() =>
    repoOf(cache, sources, rules, `${limit}`)
  );
  try {
    for (const repo of repos) await repo.make({ words: {} });
    for (let round = 0; round < 2; round++) {
      const runs = await Promise.all(
        repos.map((repo) => repo.run(["make", "-j", "2", ...targets])),
      );
      for (const run of runs) {
        assert.equal(run.code, 0, run.shown);
        assert.equal(count(run.stderr, "refused"), 0, run.shown);
      }
      const files = [...filesOf(cache, "blobs"), ...filesOf(cache, "jobs")];
      const bytes = files.reduce(
        (sum, path) => sum + Deno.statSync(path).size,
        0,
      );
      assert.ok(bytes > 0 && bytes <= limit, `${bytes} bytes`);
      for (const repo of repos) {
        for (const target of targets) {
          const source = target.replace(".cp", ".txt");
          assert.equal(repo.content(target), sources[source]);
          Deno.removeSync(repo.path(target));
        }
      }
    }
  } finally {
    for (const repo of repos) repo[Symbol.dispose]();
  }
});
