/** The attributes of rules, one by one. */

import assert from "node:assert/strict";
import { LmakeRepo, until, words } from "../../support/lmake.ts";

function test(name: string, fn: (repo: LmakeRepo) => Promise<void>): void {
  Deno.test({
    name: `attributes: ${name}`,
    ignore: Deno.build.os !== "linux",
    async fn() {
      using repo = new LmakeRepo();
      await fn(repo);
    },
  });
}

test("functions of stems, targets, deps and resources", async (repo) => {
  repo.source({ "a.s": "A\n", "b.s": "B\n", level: "3\n" });
  repo.rules(String.raw`
lmake.config.backends.local.tok = 9;
rule({
  name: "Dyn",
  targets: { OUT: "{F:[ab]}.out", LOG: "{F}.log" },
  deps: (j) => ({ SRC: j.F + ".s" }),
  resources: (j) => ({ tok: j.F === "a" ? 1 : 2 }),
  environ: (j) => ({ E: [j.F, j.OUT, j.SRC, j.tok].join(), LEVEL: Deno.readTextFileSync("level").trim() }),
  environResources: (j) => ({ R: "r" + j.SRC }),
  environAncillary: (j) => ({ A: "a" + j.LOG }),
  shell: (j) => j.F === "a" ? ["/bin/bash", "-e"] : "/bin/bash",
  timeout: (j) => j.tok * 100,
  autodep: (j) => j.F === "a" ? "ld_preload" : "ptrace",
  backend: (j) => j.F ? "local" : "nowhere",
  cmd: "echo $E $LEVEL $R $A {tok} >{OUT}; cat {SRC} >{LOG}; test {F} = a || false; true",
});
rule({ name: "In", target: "{F:[ab]}.in", dep: (j) => j.F + ".s", cmd: "cat" });
`);
  await repo.make("a.out", "b.out", "a.in", { words: { done: 3 } });
  assert.equal(repo.content("a.out"), "a,a.out,a.s,1 3 ra.s aa.log 1\n");
  assert.equal(repo.content("b.out"), "b,b.out,b.s,2 3 rb.s ab.log 2\n");
  assert.equal(repo.content("a.in"), "A\n");
  assert.deepEqual(await repo.deps("a.out"), ["a.s", "level"]);
  assert.match(await repo.show("-i", "b.out"), /autodep\s+ptrace/);
  // What the function read is a dep, whatever it gave.
  repo.source({ level: "4\n" });
  await repo.make("a.out", "a.in", { words: { done: 1 } });
  assert.equal(repo.content("a.out"), "a,a.out,a.s,1 4 ra.s aa.log 1\n");
});

test("what a function reads is made first", async (repo) => {
  repo.source({ src: "1\n" });
  repo.rules(String.raw`
rule({ name: "Made", target: "made", dep: "src", cmd: "cat" });
rule({ name: "List", target: "list", cmd: "echo src" });
const read = (name: string) => {
  try { return Deno.readTextFileSync(name).trim(); } catch { return ""; }
};
rule({ name: "Env", target: "env", environ: () => ({ V: read("made") }), cmd: "echo V=$V" });
rule({ name: "Deps", target: "deps", deps: () => read("list") ? { X: read("list") } : {}, cmd: "cat src; ldepend -l" });
`);
  await repo.make("env", "deps", { unchecked: true });
  assert.equal(repo.content("env"), "V=1\n");
  repo.source({ src: "2\n" });
  await repo.make("env", "deps", { unchecked: true });
  assert.equal(repo.content("env"), "V=2\n");
  assert.ok(words(repo.content("deps")).includes("src"));
  await repo.make("env", "deps");
});

test("a function that throws, a method or a backend that there is not", async (repo) => {
  repo.rules(String.raw`
rule({ name: "Throws", target: "t1", environ: () => { throw new Error("no luck"); }, cmd: ":" });
rule({ name: "Kind", target: "t2", timeout: () => "soon" as never, cmd: ":" });
rule({ name: "Method", target: "t3", autodep: "telepathy", cmd: ":" });
rule({ name: "Backend", target: "t4", backend: "moon", cmd: ":" });
rule({ name: "Good", target: "t5", cmd: ":" });
`);
  await repo.make("t1", "t2", "t3", "t4", "t5", {
    exit: 1,
    words: { failed: 4, done: 1 },
    says: ["no luck", "telepathy", "moon", /timeout/],
  });
});

test("shells by name, and of the repo's own; templates in attributes", async (repo) => {
  repo.source({ "sh.in": '#!/bin/sh\necho mine\nshift\neval "$1"\n' });
  repo.rules(String.raw`
lmake.config.backends.local.tok = 5;
rule({ name: "Template", target: "t{N:\\d}", resources: { tok: "{N}" }, environ: { E: "e{N}{tok}" }, cmd: "echo {tok} $E" });
rule({ name: "Braces", target: "braces", environ: () => ({ E: "{x}" }), cmd: "echo $E" });
rule({ name: "Name", target: "name", shell: "cat", useScript: true, cmd: "text\n" });
rule({ name: "Nobody", target: "nobody", shell: ["no-such-shell"], cmd: "" });
rule({ name: "Shell", target: "tools/sh", dep: "sh.in", cmd: "cat; chmod +x tools/sh" });
rule({ name: "Own", target: "own", shell: "tools/sh", cmd: "echo run" });
`);
  await repo.make("t2", "braces", "name", "own", { words: { done: 5 } });
  assert.deepEqual(
    ["t2", "braces", "name", "own"].map((name) => repo.content(name)),
    ["2 e22\n", "{x}\n", "text\n", "mine\nrun\n"],
  );
  assert.deepEqual(await repo.deps("own"), ["tools/sh"]);
  await repo.make("nobody", {
    exit: 1,
    words: { failed: 1 },
    says: ["no-such-shell"],
  });
  repo.source({ "sh.in": "#!/bin/sh\necho other\n" });
  await repo.make("own", { words: { done: 2 } });
  assert.equal(repo.content("own"), "other\n");
});

test("resources: the sum never exceeds the pool, and too much is an error", async (repo) => {
  const log = repo.ext.join("log");
  repo.rules(String.raw`
lmake.config.backends.local = { cpu: 8, tok: 3, mem: "2G" };
rule({
  name: "Tok",
  target: "t{N:\\d}",
  resources: (j) => ({ tok: Number(j.N), mem: "256M" }),
  cmd: "echo +{N} >>${log}; sleep 0.15; echo -{N} >>${log}; echo {tok} {mem}",
});
rule({ name: "Much", target: "much", resources: { tok: 4 }, cmd: ":" });
rule({ name: "Mem", target: "mem", resources: { mem: "3G" }, cmd: ":" });
rule({ name: "None", target: "none", resources: { unicorn: 1 }, cmd: ":" });
rule({ name: "Amount", target: "amount", resources: { tok: "plenty" }, cmd: ":" });
rule({ name: "Prio", target: "p{N:\\d}", prio: 1, resources: { tok: 2 }, cmd: "sleep 0.05" });
`);
  await repo.make("t1", "t2", "t3", { words: { done: 3 } });
  await repo.make("much", "mem", "none", "amount", "p1", {
    exit: 1,
    words: { failed: 4, done: 1 },
    says: [/\btok\b/, /\bmem\b/, "unicorn", "plenty"],
  });
  let sum = 0;
  for (const step of words(repo.extContent("log"))) {
    sum += Number(step);
    assert.ok(sum <= 3, repo.extContent("log"));
  }
  assert.equal(repo.content("t2"), "2 256\n");
});

test("force, keepTmp, startDelay, jobName, useScript, interpreter", async (repo) => {
  const deno = repo.ext.write({
    "my-deno":
      `#!/bin/sh\necho "$@" >>${repo.ext.path}/argv\nexec ${Deno.execPath()} "$@"\n`,
  });
  void deno;
  Deno.chmodSync(repo.ext.join("my-deno"), 0o755);
  repo.rules(String.raw`
rule({ name: "Force", target: "force", force: true, cmd: "echo same" });
rule({ name: "Keep", target: "keep", keepTmp: true, cmd: "echo kept >$TMPDIR/file; echo $TMPDIR" });
rule({ name: "Slow", target: "{N:slow}", jobName: "the {N} one", startDelay: 0.1, cmd: "sleep 0.5" });
rule({ name: "Script", target: "script", useScript: true, cmd: "echo $0 $1" });
rule({ name: "Plain", target: "plain", cmd: "echo $0" });
rule({ name: "Python", target: "py", shell: ["/usr/bin/env", "cat"], useScript: true, cmd: "the text {{}}" });
rule({ name: "Function", target: "function", interpreter: ["${
    repo.ext.join("my-deno")
  }"], cmd: () => console.log("ran") });
`);
  const run = await repo.make(
    "force",
    "keep",
    "slow",
    "script",
    "plain",
    "py",
    "function",
    {
      words: { done: 7 },
      says: [
        /\bstart\b.*\bSlow\b.*the slow one/,
        /\bdone\b.*\bSlow\b.*the slow one/,
      ],
    },
  );
  assert.ok(!/\bstart\b.*\bPlain\b/.test(run.shown));
  const tmp = repo.content("keep").trim();
  assert.equal(Deno.readTextFileSync(`${tmp}/file`), "kept\n");
  assert.match(await repo.show("-i", "keep"), new RegExp(`tmp\\s+${tmp}`));
  assert.match(repo.content("script"), /^\/\S+\n$/);
  assert.equal(repo.content("plain"), "/bin/bash\n");
  assert.equal(repo.content("py"), "the text {}");
  assert.ok(repo.ext.has("argv"));
  await repo.make("force", "keep", {
    words: { steady: 1 },
    ran: ["Force force"],
  });
});

test("stderrOk, readdirOk, maxStderrLen, exit codes, shells", async (repo) => {
  repo.source({ "d/x": "x\n" });
  const many = "for i in 1 2 3 4 5 6; do echo line$i >&2; done";
  repo.rules(String.raw`
rule({ name: "Ok", target: "ok", stderrOk: true, maxStderrLen: 2, cmd: "${many}" });
rule({ name: "Bad", target: "bad", maxStderrLen: 2, cmd: "${many}; exit 3" });
rule({ name: "Quiet", target: "quiet", cmd: "echo oops >&2" });
rule({ name: "List", target: "list", readdirOk: true, cmd: "ls d" });
rule({ name: "Last", target: "last", cmd: "false; true" });
rule({ name: "Strict", target: "strict", shell: ["/bin/bash", "-e"], cmd: "false; true" });
rule({ name: "Sh", target: "sh", shell: "/bin/sh", cmd: "echo $0; pwd; echo $HOME" });
rule({ name: "Signal", target: "signal", cmd: "kill -SEGV $$" });
`);
  await repo.make("ok", "list", "last", "sh", {
    words: { done: 4 },
    says: ["line2", "4 more lines"],
    silent: ["line3"],
  });
  assert.equal(
    repo.content("sh"),
    `/bin/sh\n${repo.dir.path}\n${repo.dir.path}\n`,
  );
  await repo.make("bad", "quiet", "strict", "signal", {
    exit: 1,
    words: { failed: 4 },
    says: ["exit code 3", "line2", "more lines", "oops", /SEGV/],
    silent: ["line3"],
  });
  assert.equal((await repo.show("-e", "bad")).split("\n").length, 7);
});

test("timeout, killSigs, killDaemons", async (repo) => {
  const ext = repo.ext.path;
  repo.rules(String.raw`
rule({ name: "Late", target: "late", timeout: 0.3, cmd: "sleep 30" });
rule({
  name: "Polite",
  target: "polite",
  timeout: 0.3,
  killSigs: [2, 0],
  cmd: "trap 'echo int >${ext}/polite; exit 0' INT; for i in $(seq 100); do sleep 0.05; done",
});
rule({
  name: "Deaf",
  target: "deaf",
  timeout: 0.2,
  killSigs: [15],
  cmd: "trap 'echo term >${ext}/deaf' TERM; while :; do sleep 0.05; done",
});
rule({ name: "Daemon", target: "daemon", killDaemons: true, cmd: "setsid sh -c 'echo $$ >${ext}/pid; sleep 60' & sleep 0.3" });
rule({ name: "Left", target: "left", killDaemons: false, cmd: "(sleep 0.8; echo late >${ext}/left) >/dev/null 2>&1 &" });
`);
  await repo.make("late", "polite", "deaf", {
    exit: 1,
    words: { failed: 3 },
    says: [/timeout/],
    flags: ["-j", "4"],
  });
  assert.equal(repo.extContent("polite"), "int\n");
  assert.equal(repo.extContent("deaf"), "term\n");
  await repo.make("daemon", "left", { words: { done: 2 } });
  const pid = repo.extContent("pid").trim();
  assert.ok(!isAlive(pid), `daemon ${pid} is alive`);
  await until(() => repo.ext.has("left"), "what was left running");
});

test("maxSubmits, maxRuns, maxRetriesOnLost, retriedErrors", async (repo) => {
  const ext = repo.ext.path;
  const next = (name: string) =>
    `n=$(cat ${ext}/${name} 2>/dev/null || echo 0); echo $((n+1)) >${ext}/${name}`;
  repo.rules(String.raw`
rule({ name: "New", target: "new{N:\\d+}", cmd: "echo {N}" });
rule({ name: "Submit", target: "submit", stderrOk: true, maxSubmits: 3, cmd: "${
    next("s")
  }; cat new1$n" });
rule({ name: "Run", target: "run", stderrOk: true, maxRuns: 2, cmd: "${
    next("r")
  }; cat new2$n" });
rule({ name: "Lost", target: "lost", maxRetriesOnLost: 2, cmd: "echo x >>${ext}/lost; kill -9 $$" });
rule({ name: "Once", target: "once", maxRetriesOnLost: 0, cmd: "kill -15 $$" });
rule({ name: "Fails", target: "fails", cmd: "${next("f")}; test $n -ge 2" });
rule({ name: "Slow", target: "slow", timeout: 0.2, retriedErrors: ["-timeout"], cmd: "echo x >>${ext}/slow; sleep 9" });
rule({ name: "Early", target: "early", retriedErrors: ["forbidden", "-job_error"], cmd: "echo x >>${ext}/early; echo >stray" });
`);
  const loops = await repo.make("submit", "run", { exit: 1, unchecked: true });
  assert.equal(loops.code, 1, loops.shown);
  assert.match(loops.shown, /submit_loop\s+Submit/);
  assert.match(loops.shown, /run_loop\s+Run/);
  assert.equal(repo.extContent("s"), "3\n");
  assert.equal(repo.extContent("r"), "2\n");
  await repo.make("lost", "once", {
    exit: 1,
    words: { lost: 2, lost_err: 2 },
  });
  assert.equal(repo.extContent("lost"), "x\nx\nx\n");
  await repo.make("fails", { exit: 1, words: { failed: 1 } });
  await repo.make("fails", "slow", "early", {
    flags: ["-e", "-r", "1"],
    exit: 1,
    words: { retry: 2, done: 0, failed: 2, was_done: 0, rerun: 0, again: 0 },
    unchecked: true,
  });
  assert.equal(repo.content("fails"), "");
  assert.equal(repo.extContent("slow"), "x\n");
  assert.equal(repo.extContent("early"), "x\nx\n");
});

test("autoMkdir, checkAbsPaths, autodep none", async (repo) => {
  repo.source({ s: "S\n", late: "L\n" });
  repo.rules(String.raw`
rule({ name: "In", target: "in/b", cmd: "echo B" });
rule({ name: "Cd", target: "cd1", autoMkdir: true, stderrOk: true, cmd: "cd in; cat b" });
rule({ name: "Ptrace", target: "cd2", autoMkdir: true, autodep: "ptrace", cmd: "cd other/deep && pwd" });
rule({ name: "NoCd", target: "cd3", cmd: "cd nowhere" });
rule({ name: "Abs", target: "abs", checkAbsPaths: true, cmd: "echo at $PWD" });
rule({ name: "Rel", target: "rel", checkAbsPaths: true, cmd: "echo at ." });
rule({
  name: "Untraced",
  targets: { T: "untraced" },
  deps: { S: "s" },
  autodep: "none",
  cmd: "cat {S} late >{T}; echo x >side; ltarget -W side; ldepend -R late",
});
`);
  await repo.make("cd1", { rules: { In: 1, Cd: 1 } });
  assert.equal(repo.content("cd1"), "B\n");
  await repo.make("cd2", "cd3", "abs", "rel", "untraced", {
    exit: 1,
    words: { done: 3, failed: 2 },
    says: [/abs\b[^]*absolute/],
  });
  assert.equal(repo.content("cd2"), `${repo.path("other/deep")}\n`);
  assert.deepEqual(await repo.deps("untraced"), ["s", "late"]);
  assert.deepEqual((await repo.targets("untraced")).sort(), [
    "side",
    "untraced",
  ]);
  repo.source({ s: "S2\n" });
  await repo.make("untraced", { words: { done: 1 } });
});

test("environment: what is there, what is substituted", async (repo) => {
  repo.rules(String.raw`
rule({
  name: "Env",
  target: "env{N:\\d}",
  environ: { ROOT: "$REPO_ROOT", TOP: "[$TOP_REPO_ROOT]", T: "$TMPDIR/x", OTHER: "$NOPE {N}" },
  environAncillary: { SMALL: "$SMALL_ID", SEQ: "$SEQUENCE_ID" },
  cmd: "echo $ROOT $TOP $T $OTHER; echo $SMALL $SEQ; ls -A $TMPDIR; echo $UID $USER ${"$"}{{MINE-hidden}}; which ldepend; sleep 0.3",
});
`);
  await repo.make("env1", "env2", "env3", {
    flags: ["-j3"],
    env: { MINE: "x", USER: "joe" },
    words: { done: 3 },
  });
  const root = repo.dir.path;
  const ids = ["env1", "env2", "env3"].map((name) => {
    const [first, second, third, fourth] = repo.content(name).split("\n");
    const [a, b, c, d, e] = words(first!);
    assert.deepEqual([a, b, d, e], [root, `[${root}]`, "$NOPE", name.at(-1)]);
    assert.match(c!, /^\/.*\/x$/);
    assert.equal(third, `${Deno.uid()} joe hidden`);
    assert.match(fourth!, /\/ldepend$/);
    return [...words(second!), c!];
  });
  for (const i of [0, 1, 2]) {
    assert.equal(new Set(ids.map((id) => id[i])).size, 3, `${ids}`);
  }
  assert.ok(ids.every(([small]) => Number(small) >= 1 && Number(small) <= 3));
  await repo.make("env1", { env: { USER: "ann" } });
});

function isAlive(pid: string): boolean {
  try {
    return !/^State:\s+Z/m.test(Deno.readTextFileSync(`/proc/${pid}/status`));
  } catch {
    return false;
  }
}
