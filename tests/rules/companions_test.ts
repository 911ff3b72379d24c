import assert from "node:assert/strict";
import { shownText } from "../../cli/show_text.ts";
import {
  debugJob,
  forgetJobs,
  type JobName,
  markFiles,
  runningJobs,
  showRules,
  type ShowTopic,
} from "../../mod.ts";
import { lastWords, until } from "../support/lmake.ts";
import { made, RULES, test } from "./companions_support.ts";

test("show tells about the last run of a job", async (repo) => {
  await made(repo);
  const cwd = repo.dir.path;
  const show = async (topic: ShowTopic, ...files: string[]) => {
    const [shown] = await showRules({ cwd, files, topic });
    return shown!;
  };
  const { info } = await show("info", "two.b");
  assert.deepEqual(
    [info!.rule, info!.job, info!.status, info!.exit, info!.problems],
    ["Two", "two.a", "ok", 0, []],
  );
  const { deps } = await show("deps", "two.a");
  const known = deps!.map(({ file, key, accesses, group }) => [
    file,
    key ?? "",
    accesses,
    group === deps!.find(({ file }) => file === "t")!.group,
  ]);
  assert.deepEqual(known.slice(0, 4), [
    ["s.copy", "X", "LR-", false],
    ["s", "Y", "LR-", false],
    ["t", "", "LR-", true],
    ["u", "", "---", true],
  ]);
  assert.ok(deps![0]!.flags.includes("required"));
  const { users } = await show("inverseDeps", "extra");
  assert.deepEqual(users, [{ rule: "Copy", job: "s.copy", accesses: "LR-" }]);
  const { targets } = await show("targets", "two.a");
  assert.deepEqual(
    targets!.map(({ file, key, official }) => [file, key, official]),
    [["two.a", "A", true], ["two.b", "B", true], ["side", undefined, false]],
  );
  const { text: command } = await show("cmd", "two.a");
  assert.match(command!, /cat s\.copy >two\.a; cat s t >two\.b/);
  assert.equal((await show("stdout", "two.a")).text, "said\n");
  assert.equal((await show("stderr", "two.a")).text, "warned\n");
  assert.equal((await show("env", "two.a")).env!["WORD"], "a b");
  assert.deepEqual((await show("bom", "two.a")).sources, [
    "extra",
    "s",
    "t",
    "u",
  ]);
  assert.deepEqual((await show("bom", "s")).sources, ["s"]);
  const { trace } = await show("trace", "two.a");
  assert.deepEqual(
    trace!.map(({ what, name }) => `${what} ${name.replace(/^\S+Z ?/, "")}`),
    [
      "start ",
      "declare u",
      "read s.copy",
      "read s",
      "read t",
      "write two.a",
      "write two.b",
      "write side",
      "end ok",
    ],
  );
});

test("show draws groups and puts names last", async (repo) => {
  await made(repo);
  const shown = await showRules({
    cwd: repo.dir.path,
    files: ["two.a"],
    topic: "deps",
  });
  const lines = shownText(shown, "deps", false).split("\n").slice(0, 4);
  assert.deepEqual(lines.map((line) => line.trim().split(/ +/)), [
    ["┌", "-e--r---", "LR-", "X", "s.copy"],
    ["└", "-e--r---", "LR-", "Y", "s"],
    ["┌", "----r-s-", "LR-", "t"],
    ["└", "----r-s-", "---", "u"],
  ]);
  const verbose = shownText(shown, "deps", true).split("\n")[0]!;
  assert.match(verbose, / LR- {2}X {2}[0-9a-f]{16}-R {2}s\.copy$/);
  const targets = shownText(
    await showRules({
      cwd: repo.dir.path,
      files: ["side", "parts/1.txt"],
      topic: "targets",
    }),
    "targets",
    false,
  );
  assert.deepEqual(lastWords(targets), [
    "side",
    "two.a",
    "two.b",
    "side",
    "parts/1.txt",
    "parts/1.txt",
    "parts/2.txt",
  ]);
  const jobs = await repo.show("-T", "two.b", "parts/2.txt", "never.copy");
  assert.match(
    jobs,
    /^Two +two\.a\nStar +parts\/\{N\*\}\.txt\nCopy +never\.copy$/m,
  );
});

test("show finds jobs by files, from everywhere, and by names", async (repo) => {
  await made(repo);
  Deno.mkdirSync(repo.path("below"));
  Deno.symlinkSync(repo.dir.path, repo.ext.join("link"));
  const nameOf = async (
    cwd: string,
    file: string,
    more: { byJob?: boolean; rule?: string } = {},
  ): Promise<JobName> => {
    const [shown] = await showRules({ cwd, files: [file], ...more });
    return shown!.job!;
  };
  const two = { rule: "Two", job: "two.a" };
  const star = { rule: "Star", job: "parts/{N*}.txt" };
  const { path } = repo.dir;
  assert.deepEqual(await nameOf(repo.path("below"), "../two.b"), two);
  assert.deepEqual(await nameOf(repo.ext.join("link"), "two.b"), two);
  assert.deepEqual(await nameOf(path, repo.ext.join("link/two.b")), two);
  assert.deepEqual(await nameOf(path, "side"), two);
  assert.deepEqual(await nameOf(path, star.job, { byJob: true }), star);
  assert.deepEqual(await nameOf(path, "two.a", { rule: "Two" }), two);
  const refused: [string, { byJob?: boolean; rule?: string }, RegExp][] = [
    ["s", {}, /it is a source/],
    ["nosuch", {}, /no rule does$/],
    ["u.copy", {}, /its job of the rule Copy never ran$/],
    ["two", { byJob: true }, /no job of this name/],
    ["two.a", { rule: "Star" }, /no job of the rule Star/],
    ["two.a", { rule: "Nosuch" }, /there is no such rule$/],
    ["../x", {}, /it is no file of the repo$/],
    [".", {}, /it is no file of the repo$/],
    ["LMAKE/state.db", {}, /it is no file of the repo$/],
  ];
  for (const [file, more, message] of refused) {
    await assert.rejects(nameOf(path, file, more), { message }, file);
  }
});

test("show tells why a job failed, or never ran", async (repo) => {
  repo.rules(String.raw`
rule({ name: "Bad", target: "bad", cmd: "echo oops >&2; exit 3" });
rule({ name: "User", target: "user", dep: "bad", cmd: "cat" });
rule({ name: "Late", target: "late", stderrOk: true, cmd: "cat bad" });
`);
  await repo.make("bad", "user", "late", { unchecked: true });
  const cwd = repo.dir.path;
  const [bad] = await showRules({ cwd, files: ["bad"] });
  assert.equal(bad!.info!.status, "err");
  assert.equal(bad!.info!.exit, 3);
  assert.equal(bad!.info!.problems.length, 1);
  await assert.rejects(showRules({ cwd, files: ["user"] }), {
    code: "CLIBS_LMAKE_NO_JOB",
    facts: { repo: cwd, "dep in error": "bad" },
    hint: "clibs make user",
  });
  const [late] = await showRules({ cwd, files: ["late"] });
  assert.deepEqual(late!.info!.depsInError, [{ file: "bad", status: "err" }]);
});

test("show lists the jobs that are running", async (repo) => {
  repo.rules(String.raw`
rule({ name: "Slow", target: "slow", cmd: "echo >${
    repo.ext.join("begun")
  }; while [ ! -e ${repo.ext.join("go")} ]; do sleep 0.05; done" });
`);
  const cwd = repo.dir.path;
  await repo.make("slow", {
    words: { done: 1 },
    async during() {
      await until(() => repo.ext.has("begun"), "the job");
      const [running] = await runningJobs({ cwd });
      assert.deepEqual([running?.rule, running?.job], ["Slow", "slow"]);
      const shown = await repo.show("-r");
      assert.deepEqual(lastWords(shown), ["slow"]);
      for (const command of ["repair", "collect"]) {
        const refused = await repo.run([command]);
        assert.equal(refused.code, 9, refused.shown);
        assert.match(refused.stderr, /running +pid \d+ making slow/);
      }
      repo.ext.write({ go: "" });
    },
  });
  assert.deepEqual(await runningJobs({ cwd }), []);
});

test("forget drops deps, star targets and changed resources", async (repo) => {
  await made(repo);
  const cwd = repo.dir.path;
  const { jobs } = await forgetJobs({
    cwd,
    files: ["two.a", "parts/1.txt"],
    deps: true,
    targets: true,
  });
  assert.deepEqual(jobs, [
    { rule: "Two", job: "two.a", deps: ["t", "u"], targets: ["side"] },
    {
      rule: "Star",
      job: "parts/{N*}.txt",
      deps: [],
      targets: ["parts/1.txt", "parts/2.txt"],
    },
  ]);
  const [two] = await showRules({ cwd, files: ["two.a"], topic: "deps" });
  assert.deepEqual(two!.deps!.map(({ file }) => file), ["s.copy", "s"]);
  const [info] = await showRules({ cwd, files: ["two.a"] });
  assert.equal(info!.info!.unreliable, "forgotten");

  assert.deepEqual(await forgetJobs({ cwd, resources: true }), { jobs: [] });
  repo.rules(RULES.replace('"{F}" }', '"{F}" }, resources: { mem: 1 }'));
  assert.deepEqual(
    (await forgetJobs({ cwd, resources: true })).jobs.map(({ job }) => job),
    ["s.copy"],
  );
});

test("mark freezes all targets of a job, and has one mark a file", async (repo) => {
  await made(repo);
  const cwd = repo.dir.path;
  const freeze = (...files: string[]) =>
    markFiles({ cwd, files, mark: "freeze", action: "add" });
  const list = async () =>
    (await markFiles({ cwd, action: "list" })).files
      .map(({ file, mark }) => `${mark} ${file}`);
  await freeze("two.a");
  assert.deepEqual(await list(), ["freeze two.a", "freeze two.b"]);
  await markFiles({ cwd, files: ["s"], mark: "no-trigger", action: "add" });
  const refused: [Promise<unknown>, RegExp][] = [
    [freeze("s.copy", "u"), /Cannot mark u: it is a source/],
    [freeze("nosuch"), /no rule makes it$/],
    [
      markFiles({ cwd, files: ["two.b"], mark: "no-trigger", action: "add" }),
      /it is frozen$/,
    ],
    [
      markFiles({ cwd, files: ["u"], mark: "no-trigger", action: "delete" }),
      /it is not marked not to trigger$/,
    ],
  ];
  for (const [call, message] of refused) {
    await assert.rejects(call, { code: "CLIBS_LMAKE_MARK", message });
  }
  assert.deepEqual(await list(), [
    "no-trigger s",
    "freeze two.a",
    "freeze two.b",
  ]);
  const [info] = await showRules({ cwd, files: ["two.a"] });
  assert.deepEqual(info!.info!.frozen, ["two.a", "two.b"]);
  // What was never made may be frozen before its job can run.
  await freeze("never.copy");
  await markFiles({ cwd, files: ["two.b"], mark: "freeze", action: "delete" });
  await markFiles({ cwd, mark: "no-trigger", action: "clear" });
  assert.deepEqual(await list(), ["freeze never.copy"]);
});

test("debug runs a job again by hand, and keeps an edit", async (repo) => {
  repo.source({ s: "S\n", "it's": "odd\n" });
  repo.rules(String.raw`
rule({
  name: "Shell",
  target: "out dir/{F:\\w+}",
  dep: "it's",
  environ: { "ODD": "a'b\n$HOME" },
  cmd: "cat; cat s; echo \"$ODD\"; echo $(basename $TMPDIR) >&2; [ {F} = good ]; x=$?; ls -a $TMPDIR | wc -l; exit $x",
  stderrOk: true,
});
rule({
  name: "Function",
  target: "function",
  resources: { mem: 1 },
  cmd: async (j) => {
    await j.lmake.depend("s");
    console.log(j.mem, (await j.lmake.listTargets()).join());
  },
});
rule({ name: "Script", target: "script", useScript: true, cmd: "ldepend s && echo $0 | grep -c LMAKE" });
`);
  await repo.make("out dir/good", "function", "script", { words: { done: 3 } });
  const expected = repo.content("out dir/good");
  repo.file({ "out dir/good": "by hand\n" });
  const run = await repo.run(["debug", "out dir/good"]);
  assert.equal(run.code, 0, run.shown);
  const script = run.stdout.trim();
  assert.match(script, /\/LMAKE\/debug\/Shell-out_dir_good-[0-9a-f]{6}\.sh$/);
  assert.equal(repo.content("out dir/good"), expected);
  assert.equal(repo.content("LMAKE/quarantine/out dir/good"), "by hand\n");
  assert.match(run.stderr, /^Shell-out_dir_good-[0-9a-f]{6}\.tmp$/m);
  // What a script was written for is run by hand as well.
  Deno.removeSync(repo.path("out dir"), { recursive: true });
  const { success } = await new Deno.Command(script, {
    cwd: repo.ext.path,
    stderr: "null",
  }).output();
  assert.ok(success);
  assert.equal(repo.content("out dir/good"), expected);
  assert.equal(repo.content("LMAKE/quarantine/out dir/good"), "by hand\n");

  for (const name of ["function", "script"]) {
    const before = repo.content(name);
    const again = await repo.run(["--json", "debug", name]);
    assert.equal(again.code, 0, again.shown);
    assert.equal(JSON.parse(again.stdout).code, 0);
    assert.equal(repo.content(name), before);
  }

  await repo.make("out dir/bad", { unchecked: true });
  const bad = await repo.run(["debug", "out dir/bad"]);
  assert.equal(bad.code, 1, bad.shown);
  const paths: string[] = [];
  const report = await debugJob({
    cwd: repo.path("out dir"),
    file: "bad",
    dryRun: true,
    onScript: (path) => paths.push(path),
  });
  assert.deepEqual(paths, [report.script]);
  assert.equal(report.code, undefined);
});
