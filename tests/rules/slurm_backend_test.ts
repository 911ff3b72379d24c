/** The backend against programs that only look like Slurm's. */

import assert from "node:assert/strict";
import { ClibsError } from "../../lib/errors.ts";
import type { FeedbackEvent } from "../../lib/feedback/bus.ts";
import { FeedbackBus } from "../../lib/feedback/bus.ts";
import type {
  BackendJob,
  BackendJobSpec,
} from "../../lib/rules/backends/backend.ts";
import { SlurmBackend } from "../../lib/rules/backends/slurm.ts";
import { slurmEnvironment } from "../../lib/rules/backends/slurm_programs.ts";
import { Spawner } from "../../lib/rules/engine/spawner.ts";
import type { SlurmSettings } from "../../lib/rules/model.ts";
import node from "../../lib/rules/native/node.c" with { type: "text" };
import spawn from "../../lib/rules/native/spawn.c" with { type: "text" };
import { compileProgram } from "../support/compile.ts";
import {
  FakeCluster,
  type FakeJob,
  type FakeReply,
  FakeSlurm,
} from "../support/fake_slurm.ts";
import { TempDir } from "../support/temp.ts";
import { has } from "../support/tools.ts";

const AWAY: FakeReply = {
  code: 1,
  stderr:
    "sbatch: error: Batch job submission failed: Unable to contact slurm controller (connect failure)\n",
};

/** A backend in a folder, and the cluster that it sees. */
class Bench implements AsyncDisposable {
  readonly dir = new TempDir();
  readonly events: FeedbackEvent[] = [];
  readonly cluster: FakeCluster;
  readonly slurm: FakeSlurm;
  readonly backend: SlurmBackend;
  readonly #spawner: Spawner;
  readonly #children = new Map<number, Deno.ChildProcess>();

  constructor(settings: SlurmSettings = {}, slots = 4) {
    this.cluster = new FakeCluster({ slots, run: (job) => this.run(job) });
    this.slurm = new FakeSlurm(this.cluster.handle);
    compileProgram(spawn, this.dir.join("spawn"));
    compileProgram(node, this.dir.join("node"));
    this.#spawner = new Spawner(this.dir.join("spawn"));
    this.backend = new SlurmBackend({
      root: this.dir.path,
      spawner: () => Promise.resolve(this.#spawner),
      node: this.dir.join("node"),
      env: slurmEnvironment({ PATH: `${this.slurm.path}:/usr/bin:/bin` }),
      settings: { interval: 0.2, ...settings },
      args: ["--partition=late"],
      ownCounters: new Set(["own"]),
    });
    const bus = new FeedbackBus();
    bus.subscribe((event) => this.events.push(event));
    this.backend.tellTo(bus);
  }

  /** Runs a job as a node does. */
  async run(job: FakeJob): Promise<void> {
    const child = new Deno.Command(job.script, {
      args: [job.request],
      env: { SLURM_JOB_ID: `${job.id}`, SLURMD_NODENAME: "fake1" },
      stdin: "null",
      stdout: "null",
      stderr: "null",
    });
    Deno.chmodSync(job.script, 0o755);
    const process = child.spawn();
    this.#children.set(job.id, process);
    await process.status;
  }

  /** Sends a signal to what runs a job. */
  signal(id: number, signal: Deno.Signal): void {
    this.#children.get(id)!.kill(signal);
  }

  start(
    cmd: string,
    options: Partial<BackendJobSpec> = {},
  ): Promise<BackendJob> {
    return this.backend.start({
      argv: ["/bin/sh", "-c", cmd],
      cwd: this.dir.path,
      env: { PATH: "/usr/bin:/bin" },
      stdin: "/dev/null",
      stdout: this.dir.join("out"),
      stderr: this.dir.join("err"),
      killSigs: [2],
      timeout: 0,
      killGroup: true,
      jobId: "secret",
      rule: "Rule",
      name: "a b/ç",
      resources: { cpu: 1 },
      trace: undefined,
      onStart: () => {},
      listenFar: () => "tcp:far:1",
      ...options,
    });
  }

  /** Starts a job that has the first place. */
  async busy(cmd: string): Promise<BackendJob> {
    const job = await this.start(cmd);
    await until(() => this.cluster.jobs.size === 1);
    return job;
  }

  /** What was said, by level. */
  said(): string[] {
    return this.events.map(({ level, message }) => `${level}: ${message}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cluster.idle();
    await this.backend.close();
    await this.#spawner.close();
    await this.slurm[Symbol.asyncDispose]();
    assert.ok(!this.dir.has("LMAKE/run/slurm"), "nothing is left");
    assert.deepEqual([...Deno.readDirSync(this.dir.join("LMAKE/slurm"))], []);
    this.dir[Symbol.dispose]();
  }
}

function test(name: string, fn: () => Promise<void>): void {
  Deno.test({
    name: `slurm backend: ${name}`,
    ignore: Deno.build.os !== "linux" || !has("cc"),
    fn,
  });
}

test("a job is described, run, and its end told", async () => {
  await using bench = new Bench({ args: ["--account=me"] });
  const shown: string[] = [];
  const started: number[] = [];
  const job = await bench.start(
    "cat; pwd; echo $CLIBS_JOB_SOCKET $SLURM_JOB_ID $OWN >&2; exit 7",
    {
      env: { OWN: "mine", CLIBS_JOB_SOCKET: "/s" },
      resources: { cpu: 1.5, mem: 20.2, tmp: 5, own: 1, gold: 2, none: 0 },
      onStdout: (chunk) => shown.push(new TextDecoder().decode(chunk)),
      onStart: (agoMs) => started.push(agoMs),
    },
  );
  const end = await job.ended;
  assert.deepEqual({ ...end, ranMs: 0 }, {
    code: 7,
    signal: undefined,
    timedOut: false,
    killed: false,
    ranMs: 0,
  });
  assert.equal(shown.join(""), `${bench.dir.path}\n`);
  assert.equal(bench.dir.read("err"), "/s 1 mine\n");
  assert.deepEqual(started, [end.ranMs]);
  const { args, comment } = bench.cluster.jobs.get(1)!;
  const log = args.find((arg) => arg.startsWith("--output="))!;
  assert.match(comment, /^clibs:[0-9a-f-]{13}:1 Rule a_b\/_$/);
  assert.deepEqual(args.slice(0, -2), [
    "--job-name=Rule:a_b/_",
    "--nodes=1",
    "--ntasks=1",
    "--cpus-per-task=2",
    "--mem=21M",
    "--tmp=5M",
    "--licenses=gold:2",
    "--account=me",
    "--partition=late",
    "--parsable",
    "--no-requeue",
    "--export=ALL",
    "--input=/dev/null",
    log,
    "--chdir=/",
    `--comment=${comment}`,
  ]);
});

test("many jobs are one question", async () => {
  await using bench = new Bench({ interval: 0.2 }, 20);
  const startedAt = performance.now();
  const jobs = await Promise.all(
    Array.from({ length: 60 }, () => bench.start("sleep 0.2")),
  );
  for (const { ended } of jobs) assert.equal((await ended).code, 0);
  const elapsed = performance.now() - startedAt;
  assert.equal(bench.cluster.calls.get("sbatch"), 60);
  const asked = bench.cluster.calls.get("squeue") ?? 0;
  assert.ok(asked >= 1 && asked <= elapsed / 200, `${asked} in ${elapsed} ms`);
});

test("a daemon that is away is waited for, and told of once", async () => {
  await using bench = new Bench();
  let left = 3;
  bench.slurm.handler = (program, args) =>
    left-- > 0 ? AWAY : bench.cluster.handle(program, args);
  const job = await bench.start("exit 0");
  assert.equal((await job.ended).code, 0);
  assert.deepEqual(bench.said(), [
    "warn: Slurm does not answer (Batch job submission failed: Unable to contact slurm controller (connect failure)): trying again",
    "info: Slurm answers again",
  ]);
});

test("what was taken although nobody said so runs once", async () => {
  await using bench = new Bench();
  let isFirst = true;
  bench.slurm.handler = async (program, args) => {
    const reply = await bench.cluster.handle(program, args);
    if (program !== "sbatch" || !isFirst) return reply;
    isFirst = false;
    return { code: 1, stderr: "sbatch: error: Socket timed out\n" };
  };
  const job = await bench.start(`echo x >> runs; sleep 1`);
  assert.equal((await job.ended).code, 0);
  await bench.cluster.idle();
  assert.equal(bench.dir.read("runs"), "x\n");
});

test("the second of two submissions may be the one that runs", async () => {
  await using bench = new Bench({}, 1);
  // The first waits behind this one, and is forgotten.
  const other = await bench.busy("sleep 1");
  let isFirst = true;
  bench.slurm.handler = async (program, args) => {
    const reply = await bench.cluster.handle(program, args);
    if (program !== "sbatch" || !isFirst) return reply;
    isFirst = false;
    bench.cluster.forget(Number(reply.stdout));
    return { code: 1, stderr: "sbatch: error: Socket timed out\n" };
  };
  const job = await bench.start("echo x >> runs");
  assert.equal((await job.ended).code, 0);
  assert.equal((await other.ended).code, 0);
  assert.equal(bench.dir.read("runs"), "x\n");
});

test("what Slurm refuses is an error", async () => {
  await using bench = new Bench();
  bench.slurm.handler = () => ({
    code: 1,
    stderr: "sbatch: error: invalid partition specified: late\n",
  });
  const job = await bench.start("exit 0");
  await assert.rejects(job.ended, (error) => {
    assert.ok(error instanceof ClibsError);
    assert.equal(error.code, "CLIBS_SLURM_REFUSED");
    assert.equal(
      error.message,
      "Cannot run Rule a b/ç in Slurm: invalid partition specified: late",
    );
    return true;
  });
});

test("a job that is gone before it began is lost", async () => {
  await using bench = new Bench({}, 1);
  const first = await bench.busy("sleep 1");
  const second = await bench.start("echo x >> runs");
  await until(() => bench.cluster.jobs.size === 2);
  bench.cluster.handle("scancel", ["2"]);
  const end = await second.ended;
  assert.equal(end.lost, "Slurm job 2 is cancelled");
  assert.equal(end.blameless, false);
  assert.equal((await first.ended).code, 0);
  assert.ok(!bench.dir.has("runs"));
});

test("a job whose node is gone is lost", async () => {
  await using bench = new Bench();
  const job = await bench.start("echo $$ > pid; exec sleep 60");
  await until(() => bench.dir.has("pid"));
  bench.signal(1, "SIGKILL");
  const end = await job.ended;
  assert.equal(end.lost, "Slurm job 1 on fake1 is completed");
  const pid = Number(bench.dir.read("pid"));
  assert.throws(() => Deno.kill(pid, "SIGKILL"), "it went with its node");
});

test("a job that is cancelled while it runs is lost, by its signals", async () => {
  await using bench = new Bench();
  const job = await bench.start(
    "trap 'echo int > got; exit 0' INT; echo > up; while :; do sleep 0.05; done",
  );
  await until(() => bench.dir.has("up"));
  bench.signal(1, "SIGTERM");
  const end = await job.ended;
  assert.match(end.lost!, /^Slurm job 1 on fake1 is /);
  assert.equal(bench.dir.read("got"), "int\n");
});

test("a daemon that forgets a waiting job gets it again", async () => {
  await using bench = new Bench({}, 1);
  const first = await bench.busy("sleep 3");
  const second = await bench.start("echo x >> runs");
  await until(() => bench.cluster.jobs.size === 2);
  bench.cluster.forget(2);
  bench.cluster.bootedMs = Date.now();
  assert.equal((await second.ended).code, 0);
  assert.equal((await first.ended).code, 0);
  assert.equal(bench.dir.read("runs"), "x\n");
  assert.equal(bench.cluster.calls.get("sbatch"), 3);
});

test("a number that is given twice is no other job's", async () => {
  await using bench = new Bench({}, 1);
  const first = await bench.busy("sleep 2");
  const second = await bench.start("exit 0");
  await until(() => bench.cluster.jobs.size === 2);
  // Somebody else's.
  bench.cluster.forget(2);
  bench.cluster.jobs.set(2, {
    ...bench.cluster.jobs.get(1)!,
    id: 2,
    state: "PENDING",
    comment: "theirs",
  });
  const end = await second.ended;
  assert.equal(end.lost, "Slurm job 2 is unknown to Slurm");
  assert.equal((await first.ended).code, 0);
});

test("patience has an end, and what waits will not run", async () => {
  await using bench = new Bench({ patience: 0.5 }, 1);
  const first = await bench.busy("sleep 2");
  const second = await bench.start("echo x >> runs");
  await until(() => bench.cluster.jobs.size === 2);
  bench.slurm.handler = () => AWAY;
  await assert.rejects(second.ended, { code: "CLIBS_SLURM_SILENT" });
  assert.equal((await first.ended).code, 0, "what runs is waited for");
  bench.slurm.handler = bench.cluster.handle;
  await bench.cluster.idle();
  assert.ok(!bench.dir.has("runs"));
});

test("killed jobs end by their signals, or never begin", async () => {
  await using bench = new Bench({}, 1);
  const first = await bench.busy(
    "trap 'echo int >> got' INT; echo > up; while :; do sleep 0.05; done",
  );
  const second = await bench.start("echo x >> runs");
  const third = await bench.start("echo x >> runs");
  third.kill();
  assert.equal((await third.ended).killed, true);
  await until(() => bench.dir.has("up") && bench.cluster.jobs.size >= 2);
  second.kill();
  assert.equal((await second.ended).killed, true);
  const from = performance.now();
  first.kill();
  first.kill();
  const end = await first.ended;
  assert.equal(end.killed, true);
  assert.equal(end.signal, "SIGKILL");
  assert.equal(bench.dir.read("got"), "int\n");
  const took = performance.now() - from;
  assert.ok(took > 900 && took < 4000, `${took} ms`);
  await bench.cluster.idle();
  assert.ok(!bench.dir.has("runs"));
});

test("a job takes no longer than it may", async () => {
  await using bench = new Bench();
  const job = await bench.start("sleep 60", { timeout: 0.3, killSigs: [15] });
  const end = await job.ended;
  assert.equal(end.timedOut, true);
  assert.equal(end.signal, "SIGTERM");
  assert.ok(end.ranMs! >= 300 && end.ranMs! < 2000, `${end.ranMs} ms`);
});

test("a program that is not there is said to be so", async () => {
  await using bench = new Bench();
  const job = await bench.start("", { argv: ["/nonexistent"] });
  await assert.rejects(job.ended, {
    code: "CLIBS_JOB_START",
    message: "Cannot run /nonexistent: error 2 of the system",
  });
});

async function until(holds: () => boolean): Promise<void> {
  const end = Date.now() + 10_000;
  while (!holds()) {
    if (Date.now() > end) throw new Error("waited in vain");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
