/** A Slurm cluster of one node, on loopback, that ends with the test. */

import assert from "node:assert/strict";
import { chownSync } from "node:fs";
import { TempDir } from "./temp.ts";
import { has } from "./tools.ts";

/** What the node is said to have; more than the machine has is fine. */
export interface ClusterShape {
  /** Default: 8. */
  cpus?: number;
  /** In megabytes. Default: 4000. */
  memMb?: number;
  /** Further lines of `slurm.conf`. */
  conf?: string[];
}

/** Whether a cluster can be started here. */
export function canStartSlurm(): boolean {
  return Deno.build.os === "linux" && Deno.uid() === 0 &&
    ["slurmctld", "slurmd", "munged", "sbatch"].every(has);
}

/** A running cluster; `await using` ends it. */
export class SlurmCluster implements AsyncDisposable {
  readonly #dir = new TempDir();
  readonly #programs: Program[] = [];
  #controller: Program | undefined;
  #nursing: Promise<void> | undefined;
  #nurse: ReturnType<typeof setInterval> | undefined;

  /** What clients need in their environment. */
  get env(): Record<string, string> {
    return { SLURM_CONF: this.#dir.join("slurm.conf") };
  }

  /** Starts a cluster and waits until its node takes jobs. */
  static async start(shape: ClusterShape = {}): Promise<SlurmCluster> {
    const cluster = new SlurmCluster();
    try {
      await cluster.#start(shape);
      return cluster;
    } catch (error) {
      await cluster[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Runs a client, such as `squeue`, and returns what it prints. */
  run(program: string, ...args: string[]): string {
    const { code, stdout, stderr } = new Deno.Command(program, {
      args,
      env: this.env,
      stdin: "null",
    }).outputSync();
    const decoder = new TextDecoder();
    assert.equal(code, 0, `${program}: ${decoder.decode(stderr)}`);
    return decoder.decode(stdout);
  }

  /**
   * Kills the controller, as a machine that fails.
   *
   * Not before it has saved its state once more: one that never did gives the
   * numbers of running jobs again, and drains the nodes when it finds out.
   */
  async killController(): Promise<void> {
    const saved = () => {
      try {
        return Deno.statSync(this.#dir.join("state/job_state")).mtime!
          .getTime();
      } catch {
        return 0;
      }
    };
    const before = saved();
    await until(() => saved() > before, "saved state");
    await this.#controller?.end("SIGKILL");
    this.#controller = undefined;
  }

  /** Starts the controller with the state it had. */
  startController(): void {
    this.#controller = this.#spawn("slurmctld", [
      "-D",
      "-f",
      this.env["SLURM_CONF"]!,
    ]);
  }

  /**
   * Starts it again, and the node whenever the controller takes it out: it has
   * forgotten the jobs since it saved its state, gives their numbers again, and
   * drains the node that says so. An administrator does the same.
   */
  restartController(): void {
    this.startController();
    this.#nurse = setInterval(() => {
      const ask = (program: string, ...args: string[]) =>
        new Deno.Command(program, { args, env: this.env, stdin: "null" })
          .output();
      this.#nursing = ask("sinfo", "-h", "-o", "%t").then(async (
        { stdout },
      ) => {
        const state = new TextDecoder().decode(stdout);
        if (!/down|drain|drng/.test(state)) return;
        await ask("scontrol", "update", `NodeName=${NODE}`, "State=RESUME");
      });
    }, 2000);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#nurse);
    await this.#nursing;
    // The node ends what it runs, while there is somebody to tell.
    for (const program of this.#programs.reverse()) {
      await program.end("SIGTERM");
    }
    this.#dir[Symbol.dispose]();
  }

  async #start(shape: ClusterShape): Promise<void> {
    const munge = this.#startMunge();
    await until(() => this.#has("munge/socket"), "munged");
    this.#writeConf(munge, shape);
    this.startController();
    await until(() => this.#answers(), "slurmctld");
    this.#spawn("slurmd", ["-D", "-N", NODE, "-f", this.env["SLURM_CONF"]!]);
    await until(
      () => this.run("sinfo", "-h", "-o", "%t").trim() === "idle",
      "the node",
    );
  }

  /** As its own user: munged refuses to trust what root alone can write. */
  #startMunge(): string {
    const [, , uid = "0", gid = "0"] = Deno.readTextFileSync("/etc/passwd")
      .split("\n").find((line) => line.startsWith("munge:"))?.split(":") ?? [];
    const user = { uid: Number(uid), gid: Number(gid) };
    Deno.chmodSync(this.#dir.path, 0o755);
    const folder = this.#dir.join("munge");
    Deno.mkdirSync(folder);
    const key = this.#dir.join("munge/key");
    Deno.writeFileSync(key, crypto.getRandomValues(new Uint8Array(1024)), {
      mode: 0o400,
    });
    for (const path of [folder, key]) chownSync(path, user.uid, user.gid);
    const socket = `${folder}/socket`;
    this.#spawn("munged", [
      "--foreground",
      "--force",
      `--socket=${socket}`,
      `--key-file=${key}`,
      `--pid-file=${folder}/pid`,
      `--log-file=${folder}/log`,
      `--seed-file=${folder}/seed`,
      "--num-threads=2",
    ], user);
    return socket;
  }

  #writeConf(munge: string, shape: ClusterShape): void {
    const [controlPort, nodePort] = freePorts(2);
    const { cpus = 8, memMb = 4000, conf = [] } = shape;
    for (const name of ["state", "spool"]) Deno.mkdirSync(this.#dir.join(name));
    this.#dir.write({
      "slurm.conf": [
        "ClusterName=clibs",
        `SlurmctldHost=${Deno.hostname()}(127.0.0.1)`,
        `SlurmctldPort=${controlPort}`,
        `SlurmdPort=${nodePort}`,
        "SlurmUser=root",
        "SlurmdUser=root",
        "AuthType=auth/munge",
        `AuthInfo=socket=${munge}`,
        "CryptoType=crypto/munge",
        `StateSaveLocation=${this.#dir.join("state")}`,
        `SlurmdSpoolDir=${this.#dir.join("spool")}`,
        `SlurmctldPidFile=${this.#dir.join("slurmctld.pid")}`,
        `SlurmdPidFile=${this.#dir.join("slurmd.pid")}`,
        `SlurmctldLogFile=${this.#dir.join("slurmctld.log")}`,
        `SlurmdLogFile=${this.#dir.join("slurmd.log")}`,
        "MpiDefault=none",
        "ProctrackType=proctrack/linuxproc",
        "TaskPlugin=task/none",
        "JobAcctGatherType=jobacct_gather/none",
        "AccountingStorageType=accounting_storage/none",
        "SelectType=select/cons_tres",
        "SelectTypeParameters=CR_CPU_Memory",
        "SlurmdParameters=config_overrides",
        "SchedulerParameters=batch_sched_delay=0,sched_interval=2",
        "ReturnToService=2",
        "KillWait=5",
        "MessageTimeout=5",
        "DefMemPerCPU=10",
        ...conf,
        `NodeName=${NODE} NodeHostname=${Deno.hostname()} NodeAddr=127.0.0.1 CPUs=${cpus} RealMemory=${memMb} TmpDisk=1000 State=UNKNOWN`,
        `PartitionName=main Nodes=${NODE} Default=YES MaxTime=INFINITE State=UP`,
        "",
      ].join("\n"),
    });
  }

  #spawn(
    program: string,
    args: string[],
    user: { uid?: number; gid?: number } = {},
  ): Program {
    const started = new Program(program, args, user, this.#dir.path);
    this.#programs.push(started);
    return started;
  }

  #answers(): boolean {
    return new Deno.Command("sinfo", {
      env: this.env,
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).outputSync().success;
  }

  #has(name: string): boolean {
    return this.#dir.has(name);
  }
}

const NODE = "node1";

/** A daemon in the foreground. */
class Program {
  readonly #child: Deno.ChildProcess;
  #isOver = false;

  constructor(
    program: string,
    args: string[],
    user: { uid?: number; gid?: number },
    cwd: string,
  ) {
    this.#child = new Deno.Command(program, {
      args,
      ...user,
      cwd,
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    this.#child.status.then(() => this.#isOver = true);
  }

  /** Ends it, the hard way if it takes too long. */
  async end(signal: Deno.Signal): Promise<void> {
    if (this.#isOver) return;
    this.#child.kill(signal);
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), 10_000);
    await this.#child.status;
    clearTimeout(timer);
  }
}

function freePorts(count: number): number[] {
  const listeners = Array.from(
    { length: count },
    () => Deno.listen({ hostname: "127.0.0.1", port: 0 }),
  );
  return listeners.map((listener) => {
    const { port } = listener.addr as Deno.NetAddr;
    listener.close();
    return port;
  });
}

async function until(holds: () => boolean, what: string): Promise<void> {
  const end = Date.now() + 30_000;
  while (!holds()) {
    if (Date.now() > end) throw new Error(`Still waiting for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
