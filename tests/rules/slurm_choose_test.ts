import assert from "node:assert/strict";
import {
  type BackendRequest,
  Backends,
  checkPlace,
} from "../../lib/rules/backends/choose.ts";
import { FeedbackBus } from "../../lib/feedback/bus.ts";
import { defaultConfig } from "../../lib/rules/define/config.ts";
import { Spawner } from "../../lib/rules/engine/spawner.ts";
import { DEFAULTS } from "../../lib/rules/engine/state.ts";
import type { Attributes, Config } from "../../lib/rules/model.ts";
import spawn from "../../lib/rules/native/spawn.c" with { type: "text" };
import { compileProgram } from "../support/compile.ts";
import { FakeCluster, FakeSlurm } from "../support/fake_slurm.ts";
import { TempDir } from "../support/temp.ts";
import { has } from "../support/tools.ts";

/** Backends of a repo, with a cluster of 100 CPUs that may be there. */
class Bench implements AsyncDisposable {
  readonly dir = new TempDir();
  readonly slurm: FakeSlurm;
  readonly cluster = new FakeCluster({
    slots: 100,
    run: () => Promise.resolve(),
  });
  readonly said: string[] = [];
  readonly backends: Backends;
  readonly #spawner: Spawner;

  constructor() {
    this.slurm = new FakeSlurm(this.cluster.handle);
    compileProgram(spawn, this.dir.join("spawn"));
    this.#spawner = new Spawner(this.dir.join("spawn"));
    this.backends = new Backends(
      this.dir.path,
      () => Promise.resolve(this.#spawner),
    );
  }

  /** What a command asks. */
  request(
    config: Partial<Config> = {},
    more: Partial<BackendRequest> = {},
  ): BackendRequest {
    const feedback = new FeedbackBus();
    feedback.subscribe(({ level, message }) => {
      if (level === "warn") this.said.push(message);
    });
    return {
      config: { ...defaultConfig(), ...config },
      jobs: undefined,
      args: undefined,
      environ: { PATH: `${this.slurm.path}:/usr/bin:/bin` },
      feedback,
      ...more,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.backends.close();
    await this.#spawner.close();
    await this.slurm[Symbol.asyncDispose]();
    this.dir[Symbol.dispose]();
  }
}

function job(
  backend: string,
  resources: Record<string, number>,
): Attributes {
  return { ...DEFAULTS, backend, resources };
}

function test(name: string, fn: () => Promise<void>): void {
  Deno.test({
    name: `slurm choice: ${name}`,
    ignore: Deno.build.os !== "linux" || !has("cc"),
    fn,
  });
}

test("jobs go where their rule says, and take what there is there", async () => {
  await using bench = new Bench();
  const request = bench.request({
    backends: { local: { cpu: 2 }, slurm: { cpu: 50, token: 3 } },
  });
  const here = await bench.backends.choose(request, job("local", { cpu: 2 }));
  const away = await bench.backends.choose(
    request,
    job("slurm", { cpu: 40, mem: 1e6, token: 1, gold: 7 }),
  );
  assert.deepEqual(here.wants, { cpu: 2 });
  assert.equal(here.backend.traceFolder, undefined);
  assert.deepEqual(away.wants, {
    cpu: 40,
    mem: 1e6,
    token: 1,
    "jobs at once": 1,
  });
  assert.ok(away.backend.traceFolder!.startsWith(bench.dir.path));
  checkPlace(away, "job");
  const again = await bench.backends.choose(request, job("slurm", { cpu: 60 }));
  assert.equal(again.backend, away.backend);
  assert.equal(again.pool, away.pool);
  assert.throws(() => checkPlace(again, "job"), {
    code: "CLIBS_LMAKE_RESOURCE",
    message: "Cannot run job: it needs 60 cpu of 50",
    hint: "ask for less, or raise lmake.config.backends.slurm",
  });
  assert.deepEqual(bench.said, []);
});

test("as many jobs at once as is said, or twice the CPUs", async () => {
  await using bench = new Bench();
  const most = async (request: BackendRequest) => {
    const { pool } = await bench.backends.choose(request, job("slurm", {}));
    return /of (\d+)$/.exec(pool.problem({ "jobs at once": 1e9 })!)![1];
  };
  bench.slurm.handler = () => ({ stdout: "1/2/0/64\n0/36/0/36\n" });
  assert.equal(await most(bench.request()), "200");
  assert.equal(await most(bench.request({ slurm: { jobs: 7 } })), "7");
  assert.equal(
    await most(bench.request({ slurm: { jobs: 7 } }, { jobs: 3 })),
    "3",
  );
});

test("each command looks whether there is a Slurm", async () => {
  await using bench = new Bench();
  const config = {
    backends: { local: { cpu: 2, mem: 100, own: 5 }, slurm: { token: 3 } },
  };
  const wants = job("slurm", { cpu: 40, mem: 60, token: 1, own: 9 });
  const first = await bench.backends.choose(bench.request(config), wants);
  bench.slurm.handler = () => ({
    code: 1,
    stderr: "slurm_load_partitions: Unable to contact slurm controller\n",
  });
  const request = bench.request(config);
  const [second, other] = [
    await bench.backends.choose(request, wants),
    await bench.backends.choose(request, wants),
  ];
  assert.equal(second.backend.traceFolder, undefined);
  assert.deepEqual(second.wants, { cpu: 2, mem: 60, own: 5 });
  assert.equal(other.pool, second.pool);
  checkPlace(second, "job");
  bench.slurm.handler = bench.cluster.handle;
  const third = await bench.backends.choose(bench.request(config), wants);
  assert.equal(third.backend, first.backend);
  const none = bench.request(config, { environ: { PATH: "/nonexistent" } });
  await bench.backends.choose(none, wants);
  const conf = bench.dir.join("slurm.conf");
  const gone = bench.request(config);
  await bench.backends.choose({
    ...gone,
    environ: { ...gone.environ, SLURM_CONF: conf },
  }, wants);
  assert.deepEqual(bench.said, [
    "no Slurm (slurm_load_partitions: Unable to contact slurm controller): its jobs run on this machine",
    "no Slurm (sbatch is not on PATH): its jobs run on this machine",
    `no Slurm (there is no ${conf}): its jobs run on this machine`,
  ]);
});

test("arguments that make no sense are an error of the job", async () => {
  await using bench = new Bench();
  await assert.rejects(
    bench.backends.choose(
      bench.request({}, { args: "--x='" }),
      job("slurm", {}),
    ),
    { code: "CLIBS_SLURM_ARGS" },
  );
});
