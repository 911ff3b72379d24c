/** LMAKE.md section 3: what happens to targets before, during and after a run. */

import assert from "node:assert/strict";
import type { Count } from "../../support/lmake_lines.ts";
import { conforms } from "../../support/lmake_conform.ts";

conforms("targets of the last run go before the next one", async (repo) => {
  repo.source({ list: "p/a p/b q/c\n" });
  repo.rules(String.raw`
rule({
  name: "Split",
  targets: { P: "{*:[pq]}/{N*:\\w+}", T: "deep/er/t" },
  deps: { LIST: "list" },
  cmd: "[ ! -e deep/er/t ] && [ -d deep/er ] || echo stale >&2; echo t >{T}; for f in $(cat {LIST}); do mkdir -p $(dirname $f); echo $f >$f; done",
});
rule({ name: "Side", target: "side", deps: { LIST: "list" }, sideTargets: { S: "s/{*:.*}" }, cmd: "cat {LIST}; for f in $(cat {LIST}); do mkdir -p s/$f; echo >s/$f/x; done" });
`);
  await repo.make("deep/er/t", "side", { words: { done: 2 } });
  assert.ok(repo.has("q/c") && repo.has("s/q/c/x"));
  repo.source({ list: "p/a\n" });
  await repo.make("deep/er/t", "side", { words: { done: 2 } });
  assert.ok(repo.has("p/a") && repo.has("s/p/a/x"));
  for (const gone of ["q", "p/b", "s/q", "s/p/b"]) {
    assert.ok(!repo.has(gone), gone);
  }
});

conforms(
  "edits of targets are quarantined, not emptied or equal ones",
  async (repo) => {
    repo.source({ s: "1\n" });
    repo.rules(String.raw`
rule({ name: "Star", targets: { P: "p/{N*:\\w+}", T: "t" }, deps: { S: "s" }, cmd: "for n in a b c; do cat {S} >p/$n; done; cat {S} >{T}" });
`);
    // Somebody had one of that name before any job did.
    repo.file({ t: "mine\n" });
    await repo.make("t", { words: { done: 1 }, says: [/quarantined\s+t$/m] });
    assert.equal(repo.content("LMAKE/quarantine/t"), "mine\n");
    repo.file({ "p/a": "by hand\n", "p/b": "", "p/c": "1\n" });
    repo.source({ s: "2\n" });
    await repo.make("t", {
      words: { done: 1 },
      says: [/quarantined\s+p\/a$/m],
      silent: [/quarantined\s+p\/[bc]/],
    });
    assert.equal(repo.content("LMAKE/quarantine/p/a"), "by hand\n");
    repo.file({ "p/a": "again\n" });
    await repo.make("p/a", {
      words: { steady: 1 },
      says: [/quarantined\s+p\/a$/m],
    });
    assert.equal(repo.content("p/a"), "2\n");
    assert.equal(repo.content("LMAKE/quarantine/p/a"), "again\n");
    // A link in its place is an edit too.
    Deno.removeSync(repo.path("t"));
    Deno.symlinkSync("s", repo.path("t"));
    await repo.make("t", { words: { steady: 1 }, says: ["quarantined"] });
    assert.equal(Deno.readLinkSync(repo.path("LMAKE/quarantine/t")), "s");
  },
);

conforms(
  "a quarantined file and a folder of its name get along",
  async (repo) => {
    const rules = (target: string) =>
      `rule({ name: "A", target: "${target}", cmd: "echo made" });`;
    for (
      const [target, text] of [["x", "1"], ["x/y", "2"], ["x", "3"]] as const
    ) {
      repo.rules(rules(target));
      await repo.make(target, { words: { done: [0, 1], steady: [0, 1] } });
      repo.file({ [target]: `${text}\n` });
      await repo.make(target, { words: { steady: 1 }, says: ["quarantined"] });
    }
    assert.equal(repo.content("LMAKE/quarantine/x"), "3\n");
    assert.equal(repo.content("LMAKE/quarantine2/x/y"), "2\n");
  },
);

conforms("incremental targets stay, and are no longer shared", async (repo) => {
  repo.source({ s: "1\n" });
  repo.rules(String.raw`
rule({ name: "Inc", targets: { T: ["t", "incremental"] }, deps: { S: "s" }, cmd: "cat {S} >>{T}" });
rule({ name: "Star", targets: { T: ["star/{N*:\\w+}", "incremental"] }, deps: { S: "s" }, cmd: "cat star/a; cat {S} >>star/a", stderrOk: true });
`);
  await repo.make("t", "star/a", { words: { done: 2 } });
  Deno.linkSync(repo.path("t"), repo.path("other"));
  repo.source({ s: "2\n" });
  await repo.make("t", "star/a", {
    words: { done: 2 },
    says: [/uniquified\s+t$/m],
  });
  assert.equal(repo.content("t"), "1\n2\n");
  assert.equal(repo.content("star/a"), "1\n2\n");
  assert.equal(repo.content("other"), "1\n");
  Deno.removeSync(repo.path("other"));
  await repo.make("t", "star/a");
  // An edit by hand stays as well.
  repo.file({ t: "0\n" });
  repo.source({ s: "3\n" });
  await repo.make("t", { words: { done: 1 }, silent: ["quarantined"] });
  assert.equal(repo.content("t"), "0\n3\n");
});

conforms("what another job wrote over is polluted", async (repo) => {
  repo.source({ s: "1\n" });
  repo.rules(String.raw`
rule({ name: "A", target: "a", dep: "s", cmd: "cat" });
rule({ name: "Use", target: "use", dep: "a", cmd: "cat" });
rule({ name: "B", target: "b", dep: "s", sideTargets: { X: "a" }, cmd: "echo other >a; cat" });
rule({ name: "C", target: "c", dep: "s", cmd: "ltarget q; echo q >q; cat" });
rule({ name: "Q", target: "q", dep: "s", noWarning: undefined, cmd: "cat" });
`.replace(" noWarning: undefined,", ""));
  await repo.make("use", { words: { done: 2 } });
  await repo.make("b", { words: { done: 1 } });
  assert.equal(repo.content("a"), "other\n");
  // Nobody needs it on disk.
  await repo.make("use");
  await repo.make("a", {
    words: { steady: 1 },
    ran: ["A a"],
    says: [/unlink\w*\s+a$/m],
  });
  assert.equal(repo.content("a"), "1\n");
  assert.match(await repo.show("-i", "a"), /polluted/);
  await repo.make("a", "use", "b");

  await repo.make("c", { words: { done: 1 } });
  await repo.make("q", { words: { done: 1 }, says: [/unlink\w*\s+q$/m] });
  assert.equal(repo.content("q"), "1\n");
  // C leaves alone what is another's now.
  repo.source({ s: "2\n" });
  await repo.make("q", { words: { done: 1 } });
  await repo.make("c", { words: { done: 1 } });
  await repo.make("q", { words: { steady: 1 } });
});

conforms(
  "what a job removes of others is made again for those who need it",
  async (repo) => {
    repo.source({ s: "1\n" });
    repo.rules(String.raw`
rule({ name: "A", target: "a", dep: "s", cmd: "cat" });
rule({ name: "Rm", target: "rm", cmd: "rm -f a; echo" });
rule({ name: "Use", target: "use", cmd: "cat a; lcheck_deps; rm -f a" });
`);
    await repo.make("a", { words: { done: 1 } });
    await repo.make("rm", { rules: { A: 1, Rm: 1 } });
    await repo.make("rm", { says: ["up to date"] });
    await repo.make("use", { unchecked: true, exit: 0 });
    await repo.make("use", "rm");
    await repo.make("a", { words: { steady: [0, 1] } });
    repo.source({ s: "2\n" });
    await repo.make("use", "rm", { flags: ["-j", "1"], unchecked: true });
    await repo.make("use");
    assert.equal(repo.content("use"), "2\n");
  },
);

conforms(
  "what a job wrote over or removed is right for the next one",
  async (repo) => {
    repo.source({ s: "1\n" });
    repo.rules(String.raw`
rule({ name: "A", target: "{F:a\\d}", dep: "s", cmd: "cat" });
rule({ name: "Over", target: "over", deps: { A: "a1" }, sideTargets: { X: "a2" }, cmd: "cat {A}; echo other >a2" });
rule({ name: "Rm", target: "rm", deps: { A: "a3" }, cmd: "rm -f {A}; echo" });
rule({ name: "Use", target: "use", deps: { A: "a2", B: "over" }, cmd: "cat {A} {B}" });
rule({ name: "Use3", target: "use3", deps: { R: "rm" }, cmd: "cat {R} a3" });
`);
    const words: Record<string, Count> = {
      done: [5, 9],
      steady: [0, 3],
      again: [0, 3],
      was_done: [0, 2],
      was_steady: [0, 2],
    };
    await repo.make("use", "use3", { words });
    assert.equal(repo.content("use"), "1\n1\n");
    await repo.make("use", "use3");
    repo.source({ s: "2\n" });
    await repo.make("use", "use3", { flags: ["-j", "1"], words });
    assert.equal(repo.content("use"), "2\n2\n");
    assert.equal(repo.content("use3"), "\n2\n");
    await repo.make("use", "use3");
  },
);

conforms("noWarning keeps quiet about what gives way", async (repo) => {
  repo.source({ s: "1\n" });
  repo.rules(String.raw`
rule({ name: "A", targets: { T: ["a", "noWarning"] }, deps: { S: "s" }, cmd: "cat {S} >{T}" });
rule({ name: "B", target: "b", dep: "s", sideTargets: { X: "a" }, cmd: "echo other >a; cat" });
`);
  await repo.make("b", { words: { done: 1 } });
  await repo.make("a", { words: { done: 1 }, silent: [/unlink/] });
});

conforms(
  "static targets have to be made, but for optional and phony ones",
  async (repo) => {
    repo.rules(String.raw`
rule({ name: "Miss", targets: { A: "m1", B: "m2" }, cmd: "echo >{A}" });
rule({ name: "Phony", targets: { A: ["ph", "phony"] }, cmd: "echo out" });
rule({ name: "Opt", targets: { A: "o1", B: ["o2", "optional"] }, cmd: "echo >{A}" });
rule({ name: "User", target: "user", deps: { P: "ph" }, cmd: "echo user" });
rule({ name: "Empty", targets: { A: "e" }, cmd: "" });
`);
    await repo.make("m1", { exit: 1, words: { failed: 1 }, says: ["m2"] });
    await repo.make("m1", { exit: 1, ran: [] });
    await repo.make("ph", "user", { words: { done: 2 } });
    await repo.make("ph", "user");
    await repo.make("o1", { words: { done: 1 } });
    await repo.make("o2", { exit: 1, ran: [], says: [/Opt\b.*not produce/] });
    await repo.make("e", { exit: 1, words: { failed: 1 } });
  },
);

conforms(
  "a file is a target from the start, or from a write or a call on",
  async (repo) => {
    repo.source({ s: "1\n", src: "src\n" });
    repo.rules(String.raw`
rule({ name: "Scratch", targets: { T: "t" }, cmd: "echo x >tmp1; cat tmp1 >{T}; mkdir -p dd; echo >dd/y; rm dd/y; rmdir dd; rm tmp1" });
rule({ name: "Reread", targets: { T: "rr" }, cmd: "cat {T} 2>/dev/null; echo 1 >{T}; cat {T} >/dev/null; echo 2 >>{T}" });
rule({ name: "Side", target: "sd", sideTargets: { L: "log/{*:.*}" }, cmd: "mkdir -p log; echo >log/a; cat log/a; [ -e log/b ] || echo none" });
rule({ name: "DepFirst", target: "df", stderrOk: true, cmd: "cat u; ltarget u; cat s; echo >u" });
rule({ name: "Src", target: "so", sideTargets: { S: ["src", "sourceOk"] }, cmd: "cat src; echo more >>src" });
rule({ name: "Undo", target: "un", cmd: "echo >new; rm new; echo >|new2; mv new2 new3; rm new3" });
`);
    await repo.make("t", "rr", "sd", "un", { words: { done: 4 } });
    assert.equal(repo.content("rr"), "1\n2\n");
    assert.deepEqual(await repo.deps("t"), []);
    assert.deepEqual(await repo.deps("un"), []);
    assert.deepEqual(await repo.targets("sd"), ["sd", "log/a"]);
    assert.deepEqual(await repo.deps("sd"), []);
    await repo.make("df", { exit: 1, words: { failed: 1 }, says: [/\bu\b/] });
    await repo.make("so", { words: { done: 1 } });
    assert.equal(repo.content("src"), "src\nmore\n");
  },
);

conforms(
  "a star target that was there before makes the run unreliable",
  async (repo) => {
    repo.source({ s: "1\n" });
    repo.file({ "p/x": "manual\n" });
    repo.rules(String.raw`
rule({ name: "Append", targets: { P: "p/{N*:\\w+}" }, deps: { S: "s" }, cmd: "cat {S} >>p/x" });
rule({ name: "Test", targets: { P: "r/{N*:\\w+}" }, deps: { S: "s" }, cmd: "[ -s r/x ] && cat r/x >r/y; cat {S} >r/x; :" });
`);
    await repo.make("p/x", {
      words: { rerun: 1, done: 1 },
      says: [/quarantined\s+p\/x/],
    });
    assert.equal(repo.content("p/x"), "1\n");
    assert.match(repo.content("LMAKE/quarantine/p/x"), /^manual\n/);
    repo.source({ s: "2\n" });
    await repo.make("p/x", { words: { done: 1 } });
    assert.equal(repo.content("p/x"), "2\n");
    repo.file({ "r/x": "manual\n" });
    await repo.make("r/x", { words: { rerun: 1, done: 1 } });
    assert.ok(!repo.has("r/y"));
    assert.equal(repo.content("r/x"), "2\n");
  },
);

conforms("sources are written only where that is allowed", async (repo) => {
  repo.source({ src: "1\n", keep: "k\n" });
  repo.rules(String.raw`
rule({ name: "W", target: "w", cmd: "echo 2 >src; echo w" });
rule({ name: "Del", target: "del", cmd: "rm keep; echo d" });
rule({ name: "Ok", targets: { S: ["keep2", "sourceOk"] }, cmd: "echo >{S}" });
`);
  await repo.make("w", {
    exit: 1,
    words: { failed: 1 },
    says: ["src", "sourceOk"],
  });
  assert.equal(repo.content("src"), "2\n");
  await repo.make("w", { flags: ["-s", "-e"], words: { done: 1 } });
  await repo.make("del", { exit: 1, words: { failed: 1 }, says: ["keep"] });
});

conforms("folders of the repo are not listed, unless allowed", async (repo) => {
  repo.source({ "d/x": "x\n", "e/y": "y\n" });
  repo.rules(String.raw`
rule({ name: "Glob", target: "glob", cmd: "echo d/*" });
rule({ name: "RuleOk", target: "rule_ok", readdirOk: true, cmd: "echo d/*" });
rule({ name: "SideOk", target: "side_ok", sideDeps: { D: ["d", "readdirOk"] }, cmd: "echo d/*" });
rule({ name: "SideNot", target: "side_not", sideDeps: { D: ["d", "readdirOk"] }, cmd: "echo d/* e/*" });
rule({ name: "IgnoreOk", target: "ignore_ok", sideDeps: { D: ["d", "ignore"] }, cmd: "echo d/*" });
rule({ name: "IncOk", target: "inc_ok", sideTargets: { D: ["d{*:.*}", "incremental"] }, cmd: "echo d/*" });
rule({ name: "Find", target: "find", cmd: "find e" });
rule({ name: "Own", targets: { T: "own/{N*:.*}" }, cmd: "mkdir -p own/sub; echo >own/sub/x; echo hi >own/t" });
`);
  await repo.make("glob", "side_not", "find", {
    exit: 1,
    words: { failed: 3 },
    says: [/folder d\b/, /folder e\b/, "readdirOk"],
  });
  await repo.make("rule_ok", "side_ok", "ignore_ok", "inc_ok", "own/t", {
    words: { done: 5 },
  });
});

conforms(
  "standard streams, cwd and the temporary folder are a job's own",
  async (repo) => {
    repo.source({ s: "in\n" });
    repo.rules(String.raw`
rule({ name: "In", target: "in", dep: "s", cmd: "cat; pwd; ls -A $TMPDIR | wc -l; echo x >$TMPDIR/x; echo $TMPDIR" });
rule({ name: "Null", target: "null", cmd: "cat; readlink /proc/self/fd/0" });
rule({ name: "Log", targets: { T: "log" }, cmd: "echo to log; echo >{T}" });
rule({ name: "Keep", target: "keep", keepTmp: true, cmd: "echo kept >$TMPDIR/f; echo $TMPDIR" });
rule({ name: "Drop", target: "drop", cmd: "echo dropped >$TMPDIR/f; echo $TMPDIR" });
`);
    await repo.make("in", "null", "log", "keep", "drop", {
      words: { done: 5 },
      silent: ["to log"],
    });
    const [text, cwd, entries, tmp] = repo.content("in").split("\n");
    assert.deepEqual([text, cwd, entries], ["in", repo.dir.path, "0"]);
    assert.throws(() => Deno.statSync(tmp!));
    assert.equal(repo.content("null"), "/dev/null\n");
    assert.equal(await repo.show("-o", "log"), "to log\n");
    const kept = repo.content("keep").trim();
    assert.equal(Deno.readTextFileSync(`${kept}/f`), "kept\n");
    assert.ok((await repo.show("-i", "keep")).includes(kept));
    assert.throws(() => Deno.statSync(repo.content("drop").trim()));
    await repo.ok("forget", "drop");
    await repo.make("drop", { flags: ["-t"], ran: ["Drop drop"] });
    assert.equal(
      Deno.readTextFileSync(`${repo.content("drop").trim()}/f`),
      "dropped\n",
    );
  },
);
