/** Jobs in a real Slurm cluster of one node, started here. */

import assert from "node:assert/strict";
import { LmakeRepo, until } from "../../support/lmake.ts";
import {
  canStartSlurm,
  type ClusterShape,
  SlurmCluster,
} from "../../support/slurm.ts";

/** A test with a cluster and a repo of its own. */
function slurm(
  name: string,
  test: (repo: LmakeRepo, cluster: SlurmCluster) => Promise<void>,
  shape: ClusterShape = {},
): void {
  Deno.test({
    name: `slurm: ${name}`,
    ignore: !canStartSlurm(),
    async fn() {
      await using cluster = await SlurmCluster.start(shape);
      using repo = new LmakeRepo();
      await test(repo, cluster);
    },
  });
}

const CPUS = 14;
const MEM_MB = 600;

slurm("200 jobs are spread, and take no more than there is", async (
  repo,
  cluster,
) => {
  // Times from the jobs themselves, in a folder that nobody traces.
  const log = repo.ext.path;
  repo.rules(`
    lmake.config.backends.slurm = { token: 3 };
    rule({
      name: "Part",
      stems: { N: "\\\\d+" },
      targets: { OUT: "part/{N}" },
      backend: "slurm",
      resources: ({ N }) => ({
        cpu: 1 + Number(N) % 4,
        mem: 20 + 20 * (Number(N) % 5),
        token: Number(N) % 3 === 0 ? 1 : 0,
        gold: Number(N) % 7 === 0 ? 1 : 0,
      }),
      cmd: \`
        from=$(date +%s%N); sleep 0.0$((RANDOM % 10))
        echo $SLURM_JOB_ID > {OUT}
        echo "{N} $SLURM_JOB_ID $SLURM_CPUS_ON_NODE $from $(date +%s%N)" > ${log}/{N}\`,
    });
    rule({
      name: "All",
      targets: { OUT: "all" },
      readdirOk: true,
      deps: Object.fromEntries(
        Array.from({ length: 200 }, (_, n) => ["D" + n, "part/" + n])),
      cmd: "cat part/{{?,??,???}} | sort -n > {OUT}",
    });
  `);
  repo.source({});
  await repo.make("all", {
    env: cluster.env,
    rules: { Part: 200, All: 1 },
    silent: ["lost", "warning"],
  });
  const ids = repo.content("all").trim().split("\n");
  assert.equal(new Set(ids).size, 200, "each is a job of Slurm");
  const jobs = Array.from({ length: 200 }, (_, n) => {
    const [, id, cpus, from, to] = repo.extContent(`${n}`).trim().split(" ");
    assert.ok(ids.includes(id!));
    assert.equal(Number(cpus), 1 + n % 4, `CPUs of job ${n}`);
    return { n, from: BigInt(from!), to: BigInt(to!) };
  });
  const most = (amount: (n: number) => number) => {
    let sum = 0;
    let peak = 0;
    const events = jobs.flatMap(({ n, from, to }) => [
      { at: from, by: amount(n) },
      { at: to, by: -amount(n) },
    ]).sort((a, b) => a.at < b.at ? -1 : a.at > b.at ? 1 : a.by - b.by);
    for (const { by } of events) peak = Math.max(peak, sum += by);
    return peak;
  };
  assert.ok(most((n) => 1 + n % 4) <= CPUS, "CPUs");
  assert.ok(most((n) => 20 + 20 * (n % 5)) <= MEM_MB, "memory");
  assert.ok(most((n) => Number(n % 3 === 0)) <= 3, "a counter of ours");
  assert.ok(most((n) => Number(n % 7 === 0)) <= 2, "licenses of Slurm");
  assert.ok(most(() => 1) >= 2, "some ran at the same time");
  await repo.make("all", { env: cluster.env });
}, { cpus: CPUS, memMb: MEM_MB, conf: ["Licenses=gold:2"] });

slurm("a job that is cancelled from outside is retried, then an error", async (
  repo,
  cluster,
) => {
  const mark = repo.ext.path;
  const rules = (retries: number) =>
    repo.rules(`
      rule({
        name: "Slow",
        targets: { OUT: "{F:.*}.out" },
        backend: "slurm",
        maxRetriesOnLost: ${retries},
        cmd: \`
          echo $SLURM_JOB_ID >> ${mark}/{F}
          echo half > {OUT}
          [ {F} = again ] && [ $(wc -l < ${mark}/{F}) = 2 ] || sleep 60
          echo whole > {OUT}\`,
      });
    `);
  const started = (name: string, count: number) =>
    until(
      () => repo.extContent(name).split("\n").length > count,
      `start ${count} of ${name}`,
    );
  const cancel = (name: string) =>
    cluster.run("scancel", repo.extContent(name).trim().split("\n").at(-1)!);
  rules(1);
  await repo.make("again.out", {
    env: cluster.env,
    async during() {
      await started("again", 1);
      cancel("again");
    },
    words: { lost: 1, done: 1 },
    says: [/lost: Slurm job \d+ on node1 is cancelled/],
  });
  assert.equal(repo.content("again.out"), "whole\n");
  await repo.make("often.out", {
    env: cluster.env,
    async during() {
      for (const count of [1, 2]) {
        await started("often", count);
        cancel("often");
      }
    },
    words: { lost: 1, lost_err: 1 },
    exit: 1,
    says: [/Slow often\.out: lost: Slurm job \d+ on node1 is cancelled/],
  });
  rules(0);
  await repo.make("once.out", {
    env: cluster.env,
    async during() {
      await started("once", 1);
      cancel("once");
    },
    words: { lost_err: 1 },
    exit: 1,
  });
  await isEmpty(cluster);
});

slurm("a job that is cancelled before it starts is lost too", async (
  repo,
  cluster,
) => {
  repo.rules(`
    lmake.config.slurm.interval = 0.2;
    rule({
      name: "Late",
      targets: { OUT: "late" },
      backend: "slurm",
      cmd: "echo > {OUT}",
    });
  `);
  cluster.run(
    "scontrol",
    "update",
    "NodeName=node1",
    "State=DRAIN",
    "Reason=x",
  );
  await repo.make("late", {
    env: cluster.env,
    async during() {
      let id = "";
      await until(
        () => (id = cluster.run("squeue", "-h", "-o", "%A").trim()) !== "",
        "the job",
      );
      cluster.run("scancel", id);
      cluster.run("scontrol", "update", "NodeName=node1", "State=RESUME");
    },
    words: { lost: 1, done: 1 },
    says: [/lost: Slurm job \d+ is cancelled/],
  });
});

slurm("the daemon may be killed and started again meanwhile", async (
  repo,
  cluster,
) => {
  const log = repo.ext.path;
  repo.rules(`
    lmake.config.slurm.interval = 0.5;
    rule({
      name: "Part",
      stems: { N: "\\\\d+" },
      targets: { OUT: "part/{N}" },
      backend: "slurm",
      resources: { cpu: 2 },
      maxRetriesOnLost: 0,
      cmd: \`
        sleep 0.4
        echo {N} > {OUT}
        echo >> ${log}/{N}\`,
    });
  `);
  const targets = Array.from({ length: 80 }, (_, n) => `part/${n}`);
  const ended = () => [...Deno.readDirSync(repo.ext.path)].length;
  await repo.make(...targets, {
    env: cluster.env,
    async during() {
      await until(() => ended() >= 6, "some jobs");
      await cluster.killController();
      const before = ended();
      assert.ok(before < 70, "there is something left to do");
      await new Promise((resolve) => setTimeout(resolve, 8000));
      cluster.restartController();
    },
    // What the daemon forgets it ends, which is no fault of the jobs.
    words: { done: 80, lost: [0, 20], start: [0, 80] },
    says: ["Slurm does not answer", "Slurm answers again"],
  });
  for (const target of targets) assert.ok(repo.has(target), target);
});

slurm("timeouts, signals and exit codes are those of the command", async (
  repo,
  cluster,
) => {
  repo.rules(`
    const common = { targets: { OUT: "{F:.*}.{R}" }, backend: "slurm" };
    const add = (name, cmd, more = {}) => rule({
      name, targets: { OUT: "{F:.*}." + name }, backend: "slurm", cmd, ...more });
    add("Late", "trap 'echo trapped >> ${repo.ext.path}/late' INT; sleep 30 & wait; sleep 30",
      { timeout: 1, killSigs: [2] });
    add("Code", "exit 3");
    add("Signal", "kill -SEGV $$");
    add("Shell", "echo > {OUT}", { shell: ["/nonexistent/shell"] });
    add("Killed", "kill -KILL $$", { maxRetriesOnLost: 0 });
  `);
  await repo.make("x.Late", "x.Code", "x.Signal", "x.Shell", "x.Killed", {
    flags: ["-j", "5"],
    env: cluster.env,
    words: { failed: 4, lost_err: 1 },
    exit: 1,
    says: [
      "timeout: not done after 1 s",
      "exit code 3",
      "ended by SIGSEGV",
      "Cannot run /nonexistent/shell: error 2 of the system",
      "lost: ended by SIGKILL",
    ],
  });
  assert.equal(repo.extContent("late"), "trapped\n");
  await isEmpty(cluster);
});

slurm("a command that is interrupted leaves no job behind", async (
  repo,
  cluster,
) => {
  repo.rules(`
    rule({
      name: "Slow",
      targets: { OUT: "{F:.*}.out" },
      backend: "slurm",
      resources: { cpu: 3 },
      cmd: "echo > ${repo.ext.path}/{F}; sleep 60; echo > {OUT}",
    });
  `);
  const names = ["a", "b", "c", "d"];
  const { code } = await repo.make(...names.map((name) => `${name}.out`), {
    env: cluster.env,
    unchecked: true,
    async during(child) {
      // Two run, two wait.
      await until(
        () => names.filter((name) => repo.ext.has(name)).length === 2,
        "two jobs",
      );
      child.kill("SIGINT");
    },
  });
  assert.equal(code, 130);
  await isEmpty(cluster);
});

slurm("jobs of a killed command are ended by the next one", async (
  repo,
  cluster,
) => {
  const started = repo.ext.path;
  repo.rules(`
    rule({
      name: "Slow",
      targets: { OUT: "{F:.*}.out" },
      backend: "slurm",
      resources: { cpu: 3 },
      cmd: \`
        echo $SLURM_JOB_ID >> ${started}/{F}
        [ -e ${started}/quick ] || (trap '' TERM; sleep 60 & wait)
        echo whole > {OUT}\`,
    });
  `);
  const names = ["a", "b", "c", "d"];
  await repo.make(...names.map((name) => `${name}.out`), {
    env: cluster.env,
    unchecked: true,
    async during(child) {
      await until(
        () => names.filter((name) => repo.ext.has(name)).length === 2,
        "two jobs",
      );
      killServer(repo.dir.path);
      child.kill("SIGKILL");
    },
  });
  const before = cluster.run("squeue", "-h", "-o", "%A").trim().split("\n");
  assert.equal(before.length, 4, "nobody has ended them");
  repo.ext.write({ quick: "" });
  await repo.make(...names.map((name) => `${name}.out`), {
    env: cluster.env,
    words: { done: 4 },
    async during() {
      await until(
        () =>
          names.some((name) => repo.extContent(name).split("\n").length > 2),
        "a second start",
      );
      const now = cluster.run("squeue", "-h", "-o", "%A").split("\n");
      assert.deepEqual(before.filter((id) => now.includes(id)), []);
    },
  });
  for (const name of names) {
    assert.equal(repo.content(`${name}.out`), "whole\n");
  }
});

slurm("accesses, functions, twins, output and -b work on the node", async (
  repo,
  cluster,
) => {
  repo.source({ "in.txt": "one\n", "other.txt": "two\n" });
  repo.rules(`
    lmake.config.slurm.args = ["--job-name=ours", "--comment=lost"];
    const backend = "slurm";
    rule({ name: "Copy", target: "copy", deps: { IN: "in.txt" }, backend,
      cmd: "cat {IN}; cat other.txt; ldepend -r absent; echo $SLURM_JOB_NAME" });
    rule({ name: "Call", targets: { OUT: "call" }, backend,
      async cmd(j) {
        await j.lmake.depend("copy", { read: true });
        const text = await Deno.readTextFile("copy");
        await Deno.writeTextFile("call", text.toUpperCase());
        console.log("from the node");
      } });
  `);
  await repo.make("call", {
    env: cluster.env,
    flags: ["-o", "-b", "--job-name='mine too'"],
    rules: { Copy: 1, Call: 2 },
    unchecked: true,
    says: ["from the node"],
  });
  assert.equal(repo.content("call"), "ONE\nTWO\nMINE TOO\n");
  assert.deepEqual(
    (await repo.deps("copy")).filter((name) => /in|other|absent/.test(name)),
    ["in.txt", "other.txt", "absent"],
  );
  repo.source({ "other.txt": "three\n" });
  await repo.make("call", { env: cluster.env, rules: { Copy: 1, Call: 1 } });
  assert.equal(repo.content("call"), "ONE\nTHREE\nOURS\n");
});

slurm("what Slurm never starts is an error that says so", async (
  repo,
  cluster,
) => {
  repo.rules(`
    lmake.config.slurm.interval = 0.5;
    const add = (name, resources) => rule({
      name, targets: { OUT: name }, backend: "slurm", resources, cmd: "echo > {OUT}" });
    add("cpus", { cpu: 100 });
    add("memory", { mem: "64G" });
    add("license", { unknown: 1 });
    lmake.config.backends.slurm = { slots: 2 };
    add("counter", { slots: 3 });
  `);
  await repo.make("cpus", "memory", "license", "counter", {
    env: cluster.env,
    exit: 1,
    words: { failed: 4 },
    says: [
      "Cannot run cpus cpus in Slurm: it is never started: PartitionConfig",
      /Cannot run memory memory in Slurm: .*configuration is not available/,
      /Cannot run license license in Slurm: .*Invalid license/,
      /counter.*it needs 3 slots of 2/,
    ],
  });
  await isEmpty(cluster);
});

Deno.test("without Slurm jobs run here, and one warning says so", async () => {
  using repo = new LmakeRepo();
  repo.rules(`
    lmake.config.backends.slurm = { token: 1 };
    rule({
      name: "Part",
      targets: { OUT: "{F:.*}.out" },
      backend: "slurm",
      resources: { cpu: 1000, mem: "1G", token: 1, license: 2 },
      cmd: "echo > {OUT}",
    });
  `);
  const { shown } = await repo.make("a.out", "b.out", "c.out", {
    env: { SLURM_CONF: repo.ext.join("slurm.conf") },
    words: { done: 3 },
  });
  assert.equal(shown.match(/no Slurm \(/g)?.length, 1, shown);
});

/** Waits until Slurm has no job. */
async function isEmpty(cluster: SlurmCluster): Promise<void> {
  await until(() => cluster.run("squeue", "-h") === "", "an empty queue", 5000);
}

/** Kills the server of a repo, as a machine that fails. */
function killServer(root: string): void {
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const line = Deno.readTextFileSync(`/proc/${name}/cmdline`);
      if (line.includes("--serve-make") && line.includes(`${root}\0`)) {
        Deno.kill(Number(name), "SIGKILL");
      }
    } catch {
      // It has ended.
    }
  }
}
