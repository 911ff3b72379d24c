/**
 * What it costs us to keep a large Slurm cluster busy, with a Slurm that only
 * looks like one: its programs answer at once, its nodes only wait.
 *
 * `deno run -A scripts/bench/slurm_sim.ts [JOBS] [NODES] [SECONDS]`
 *
 * The last line is the cost of scheduling alone: processor time of our process
 * and of its spawner, for each job.
 */

import { cpuUsage } from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { SlurmBackend } from "../../lib/rules/backends/slurm.ts";
import { slurmEnvironment } from "../../lib/rules/backends/slurm_programs.ts";
import { Pool } from "../../lib/rules/engine/pool.ts";
import { Spawner } from "../../lib/rules/engine/spawner.ts";
import spawn from "../../lib/rules/native/spawn.c" with { type: "text" };
import { compileProgram } from "../../tests/support/compile.ts";
import {
  FakeCluster,
  type FakeJob,
  FakeSlurm,
} from "../../tests/support/fake_slurm.ts";
import { TempDir } from "../../tests/support/temp.ts";

/** The cluster, in a process of its own; ends with its standard input. */
async function beCluster(nodes: number, seconds: number): Promise<void> {
  const cluster: FakeCluster = new FakeCluster({
    slots: nodes,
    run: (job) => pretend(cluster, job, seconds * 1000),
  });
  await using slurm = new FakeSlurm(cluster.handle);
  console.log(slurm.path);
  await new Response(Deno.stdin.readable).text();
  console.error(
    [...cluster.calls].map(([name, count]) => `${count} ${name}`).join(", "),
  );
}

/** Says that a job ran, which it did not. */
async function pretend(
  cluster: FakeCluster,
  { id, request }: FakeJob,
  ms: number,
): Promise<void> {
  // Where nobody runs anything, nobody reads what to run either.
  const folder = request.slice(0, request.lastIndexOf("/"));
  const key = request.slice(folder.length + 1);
  Deno.renameSync(request, `${request}.taken`);
  Deno.writeTextFileSync(`${request}.started`, `${id} node${id}\n`);
  await sleep(ms);
  // The listing would grow with the jobs that were; a real one does not.
  cluster.jobs.delete(id);
  const ended = `${folder}/ended/${key}`;
  Deno.writeTextFileSync(`${ended}.new`, `0 0 0 0 0 0 ${ms} 1 1000\n`);
  Deno.renameSync(`${ended}.new`, ended);
}

async function measure(
  jobs: number,
  nodes: number,
  seconds: number,
): Promise<void> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--allow-all",
      "--quiet",
      import.meta.filename!,
      "--cluster",
      `${nodes}`,
      `${seconds}`,
    ],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const path = await firstLine(child.stdout);
  using dir = new TempDir();
  compileProgram(spawn, dir.join("spawn"));
  const spawner = new Spawner(dir.join("spawn"));
  const backend = new SlurmBackend({
    root: dir.path,
    spawner: () => Promise.resolve(spawner),
    node: "/bin/true",
    env: slurmEnvironment({ PATH: path }),
    settings: {},
    args: [],
    ownCounters: new Set(),
  });
  const pool = new Pool({ jobs: 2 * nodes });
  const before = cpuUsage();
  const from = performance.now();
  const run = async (index: number) => {
    const { release } = await pool.take({ jobs: 1 });
    const job = await backend.start({
      argv: ["/bin/bash", "-c", `gcc -c -o obj/${index}.o src/${index}.c`],
      cwd: dir.path,
      env: ENVIRONMENT,
      stdin: "/dev/null",
      stdout: "/dev/null",
      stderr: "/dev/null",
      killSigs: [2],
      timeout: 0,
      killGroup: true,
      jobId: crypto.randomUUID(),
      rule: "Compile",
      name: `obj/${index}.o`,
      resources: { cpu: 1, mem: 200 },
      trace: "/dev/null",
      onStart: () => {},
      listenFar: () => "",
    });
    const { code } = await job.ended;
    if (code !== 0) throw new Error(`job ${index} failed`);
    release();
  };
  await Promise.all(Array.from({ length: jobs }, (_, index) => run(index)));
  const wall = (performance.now() - from) / 1000;
  const { user, system } = cpuUsage(before);
  const own = (user + system) / 1e6;
  const helper = spawnerSeconds(dir.join("spawn"));
  await backend.close();
  await spawner.close();
  await child.stdin.close();
  await child.status;
  const each = (own + helper) / jobs;
  console.log(`${jobs} jobs of ${seconds} s on ${nodes} nodes`);
  console.log(
    `wall      ${wall.toFixed(1)} s, ${(jobs / wall).toFixed(0)} jobs/s`,
  );
  console.log(
    `processor ${own.toFixed(2)} s ours, ${helper.toFixed(2)} s spawner`,
  );
  console.log(
    `cost      ${(each * 1e6).toFixed(0)} µs a job, ${
      (1 / each).toFixed(0)
    } jobs/s of one processor`,
  );
}

/** Like those of a job. */
const ENVIRONMENT = Object.fromEntries([
  ...Array.from({ length: 12 }, (_, n) => [`VARIABLE_${n}`, `value ${n}`]),
  ["LD_PRELOAD", "/shared/native-v2/clibs-trace.so"],
  ["PATH", "/shared/repo/LMAKE/bin:/usr/local/bin:/usr/bin:/bin"],
]);

async function firstLine(from: ReadableStream<Uint8Array>): Promise<string> {
  let text = "";
  for await (const chunk of from.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    const end = text.indexOf("\n");
    if (end >= 0) return text.slice(0, end);
  }
  throw new Error("the cluster did not start");
}

/** Processor time of the spawner itself, without what it started. */
function spawnerSeconds(program: string): number {
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      if (Deno.readLinkSync(`/proc/${name}/exe`) !== program) continue;
      const stat = Deno.readTextFileSync(`/proc/${name}/stat`);
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      // In hundredths of a second.
      return (Number(fields[11]) + Number(fields[12])) / 100;
    } catch {
      // It has ended, or is not ours.
    }
  }
  return 0;
}

if (import.meta.main) {
  if (Deno.args[0] === "--cluster") {
    await beCluster(Number(Deno.args[1]), Number(Deno.args[2]));
  } else {
    const [jobs = 10_000, nodes = 1000, seconds = 1] = Deno.args.map(Number);
    await measure(jobs, nodes, seconds);
  }
}
