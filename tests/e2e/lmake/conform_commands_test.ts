/** Flags of `clibs make`, and the commands around it. */

import assert from "node:assert/strict";
import { LmakeRepo, words } from "../../support/lmake.ts";

function test(name: string, fn: (repo: LmakeRepo) => Promise<void>): void {
  Deno.test({
    name: `commands: ${name}`,
    ignore: Deno.build.os !== "linux",
    async fn() {
      using repo = new LmakeRepo();
      await fn(repo);
    },
  });
}

test("-d and -D leave deps alone", async (repo) => {
  repo.source({ a: "A\n", b: "B\n", c: "C\n" });
  repo.rules(String.raw`
rule({ name: "Ess", target: "ess", dep: "a", cmd: "cat" });
rule({ name: "Non", target: "non", dep: "b", cmd: "cat" });
rule({ name: "Use", target: "use", deps: { E: "ess", N: ["non", "-essential"] }, cmd: "cat {E} {N} c" });
`);
  await repo.make("use", { words: { done: 3 } });
  repo.source({ a: "A2\n", b: "B2\n", c: "C2\n" });
  await repo.make("use", { flags: ["-D"] });
  await repo.make("use", { flags: ["-d"], rules: { Ess: 1, Use: 1 } });
  assert.equal(repo.content("use"), "A2\nB\nC2\n");
  // Nothing of that is remembered as right.
  await repo.make("use", { rules: { Non: 1, Use: 1 } });
  assert.equal(repo.content("use"), "A2\nB2\nC2\n");
});

test("-I -m -M -r -e -a -s -t -j -l", async (repo) => {
  repo.source({ s: "S\n", src: "1\n" });
  const ext = repo.ext.path;
  repo.rules(String.raw`
rule({ name: "Inc", targets: { T: ["inc", "incremental"] }, deps: { S: "s" }, cmd: "cat {S} >>{T}" });
rule({ name: "New", target: "new{N:\\d+}", cmd: "echo {N}" });
rule({ name: "Loop", target: "loop{K:.}", stderrOk: true, cmd: "n=$(cat ${ext}/{K} 2>/dev/null || echo 0); echo $((n+1)) >${ext}/{K}; cat new{K}$n" });
rule({ name: "Fails", target: "fails", cmd: "echo x >>${ext}/fails; exit 1" });
rule({ name: "Mid", target: "mid", dep: "s", cmd: "cat" });
rule({ name: "End", target: "end", dep: "mid", cmd: "cat" });
rule({ name: "Src", target: "writer", cmd: "echo 2 >src" });
rule({ name: "Tmp", target: "tmp", cmd: "echo x >$TMPDIR/kept; echo $TMPDIR" });
rule({ name: "Far", target: "far", backend: "slurm", cmd: "hostname" });
rule({ name: "Two", target: "two{N:\\d}", cmd: "echo + >>${ext}/two; sleep 0.2; echo - >>${ext}/two" });
`);
  await repo.make("inc", { words: { done: 1 } });
  repo.source({ s: "S2\n" });
  await repo.make("inc", { words: { done: 1 } });
  assert.equal(repo.content("inc"), "S\nS2\n");
  repo.source({ s: "S3\n" });
  await repo.make("inc", { flags: ["-I"], words: { done: 1 } });
  assert.equal(repo.content("inc"), "S3\n");

  assert.match(
    (await repo.make("loop1", { flags: ["-m", "2"], exit: 1, unchecked: true }))
      .shown,
    /submit_loop/,
  );
  assert.match(
    (await repo.make("loop2", {
      flags: ["--max-runs", "2"],
      exit: 1,
      unchecked: true,
    })).shown,
    /run_loop/,
  );
  assert.deepEqual([repo.extContent("1"), repo.extContent("2")], [
    "2\n",
    "2\n",
  ]);

  await repo.make("fails", {
    flags: ["-r2"],
    exit: 1,
    words: { retry: 2, failed: 1 },
  });
  await repo.make("fails", { exit: 1, words: {}, says: ["already in error"] });
  await repo.make("fails", {
    env: { LMAKE_ARGS: "-e -q" },
    exit: 1,
    words: {},
    silent: ["failed"],
  });
  assert.equal(words(repo.extContent("fails")).length, 4);

  await repo.make("end", { words: { done: 2 } });
  repo.remove("mid");
  await repo.make("end");
  assert.ok(!repo.has("mid"));
  await repo.make("end", { flags: ["-a"], words: { steady: 1 } });
  assert.ok(repo.has("mid"));

  await repo.make("writer", { exit: 1, words: { failed: 1 } });
  await repo.make("writer", { flags: ["-se"], words: { done: 1 } });
  assert.equal(repo.content("src"), "2\n");
  await repo.make("tmp", { flags: ["-t"], words: { done: 1 } });
  assert.ok(Deno.statSync(`${repo.content("tmp").trim()}/kept`).isFile);
  const far = await repo.make("far", { flags: ["-l"], words: { done: 1 } });
  assert.ok(!/slurm/i.test(far.stderr), far.shown);
  await repo.make("two1", "two2", { flags: ["-j1"], words: { done: 2 } });
  assert.deepEqual(words(repo.extContent("two")), ["+", "-", "+", "-"]);
});

test("-o -v -q --json, and no target at all", async (repo) => {
  repo.source({ s: "S\n" });
  repo.rules(String.raw`
rule({ name: "Dep", targets: { D: "dep" }, deps: { S: "s" }, cmd: "echo of dep; cat {S} >{D}" });
rule({ name: "Out", targets: { O: "out" }, cmd: "echo of out; cat dep >{O}" });
rule({ name: "Star", targets: { O: "st/{*:\\w}" }, cmd: "echo of star; echo >st/a" });
`);
  await repo.make({ words: {}, silent: ["SUMMARY"] });
  const live = await repo.make("out", "st/a", {
    flags: ["-o"],
    unchecked: true,
  });
  assert.deepEqual(
    live.stdout.split("\n").filter((line) => line !== "").sort(),
    ["of out", "of out", "of star"],
  );
  const why = await repo.make("dep", { flags: ["-v"], unchecked: true });
  assert.match(why.shown, /up to date/);
  repo.source({ s: "S2\n" });
  const loud = await repo.make("out", { flags: ["-v"], words: { done: 2 } });
  assert.match(loud.shown, /dep out of date: s/);
  const quiet = await repo.make("out", { flags: ["-q"] });
  assert.equal(quiet.shown.split("\n").length, 2, quiet.shown);
  repo.source({ s: "S3\n" });
  const run = await repo.make("out", { flags: ["--json"], unchecked: true });
  const { ok, events, targets } = JSON.parse(run.stdout);
  assert.ok(ok && targets[0].file === "out" && targets[0].ran);
  assert.ok(
    events.some((event: { word: string; reason?: string }) =>
      event.word === "done" && event.reason
    ),
  );
});

test("-J and -R choose jobs by name and rule; -S ends the server", async (repo) => {
  repo.source({ s: "S\n" });
  repo.rules(String.raw`
rule({ name: "High", prio: 1, target: "{F:\\w+}.x", jobName: "the {F}", cmd: "echo high" });
rule({ name: "Low", target: "{F:\\w+}.x", cmd: "echo low" });
rule({ name: "Star", targets: { O: "{D:\\w+}/{*:\\w}" }, cmd: "echo >{D}/a" });
`);
  await repo.make("q.x", { flags: ["-R", "Low"], ran: ["Low q.x"] });
  assert.equal(repo.content("q.x"), "low\n");
  await repo.make("q.x", { words: { done: 1 }, rules: { High: 1 } });
  await repo.make("d/{*}", { flags: ["-J"], exit: 1, unchecked: true });
  await repo.make("d/a", { words: { done: 1 } });
  await repo.make("d/{*}", { flags: ["-J"] });
  repo.remove("d/a");
  await repo.make("d/{*}", { flags: ["-J"], rules: { Star: 1 } });
  assert.ok(repo.has("d/a"));
  await repo.make("the q", { flags: ["-J"], says: ["up to date"] });
  await repo.make("q.x", {
    flags: ["-R", "Lo"],
    exit: 1,
    says: [/nearest\s+Low/],
  });
  await repo.make("q.x", {
    flags: ["-S"],
    env: { CLIBS_MAKE_SERVER: "1" },
    unchecked: true,
  });
  assert.ok(!repo.has("LMAKE/server.sock"));
});

test("what lines show is a setting", async (repo) => {
  repo.source({ s: "S\n" });
  const rules = (settings: string) => `
lmake.config.console = ${settings};
rule({ name: "Cat", target: "{F:\\\\w}.out", dep: "s", cmd: "cat" });
`;
  repo.rules(rules("{ host: true }"));
  const long = await repo.make("a.out", { unchecked: true });
  const host = Deno.hostname().replaceAll(".", "\\.");
  assert.match(
    long.stderr,
    new RegExp(`^\\d\\d:\\d\\d:\\d\\d done +Cat ${host} +\\S+s a\\.out$`, "m"),
  );
  repo.rules(rules("{ date: false, time: false }"));
  const short = await repo.make("b.out", { unchecked: true });
  assert.match(short.stderr, /^done +Cat +b\.out$/m);
});

test("exit codes", async (repo) => {
  repo.source({ s: "S\n" });
  repo.rules(`rule({ name: "A", target: "a", cmd: "cat s" });`);
  const codes = async (...args: string[]) => (await repo.run(args)).code;
  await repo.make("a", { words: { done: 1 } });
  assert.equal(await codes("make", "a"), 0);
  assert.equal(await codes("make", "nothing"), 1);
  assert.equal(await codes("make", "../outside"), 1);
  assert.equal(await codes("make", "/etc/passwd"), 1);
  assert.equal(await codes("make", "--no-such-flag"), 11);
  assert.equal(await codes("make", "-j", "none"), 11);
  assert.equal(await codes("show", "nothing"), 1);
  assert.equal(await codes("show", "-i", "-d", "a"), 11);
  assert.equal(await codes("forget", "--bad"), 11);
  assert.equal(await codes("mark", "a"), 11);
  repo.rules(`import "./gone.ts";`);
  assert.equal(await codes("make", "a"), 3);
  Deno.removeSync(repo.path("Lmakefile.ts"));
  assert.equal(await codes("make", "a"), 5);
});
