/** The program that runs a job on its node, without any Slurm. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { JobServer } from "../../lib/rules/channel/server.ts";
import { TWINS } from "../../lib/rules/channel/twins.ts";
import {
  readEnd,
  readStart,
  writeRequest,
} from "../../lib/rules/backends/slurm_request.ts";
import node from "../../lib/rules/native/node.c" with { type: "text" };
import { compileProgram } from "../support/compile.ts";
import { TempDir } from "../support/temp.ts";
import { has, hasPython, PYTHON } from "../support/tools.ts";
import { buildLauncher, FakeServices, ROOT } from "./job_support.ts";

const OPTIONS = {
  ignore: Deno.build.os !== "linux" || !has("cc"),
};

/** A job that is asked for, and the program that runs it. */
class Asked implements Disposable {
  readonly dir = new TempDir();
  readonly files = {
    request: this.dir.join("job"),
    ticket: this.dir.join("job.taken"),
    started: this.dir.join("started"),
    ended: this.dir.join("ended"),
    log: this.dir.join("log"),
  };

  constructor(
    argv: string[],
    more: Partial<Parameters<typeof writeRequest>[1]> = {},
    address = "@elsewhere",
  ) {
    compileProgram(node, this.dir.join("node"));
    writeRequest(this.files, {
      argv,
      cwd: this.dir.path,
      env: { PATH: "/usr/bin:/bin", CLIBS_JOB_SOCKET: "/s", CLIBS_JOB_ID: "i" },
      stdin: "/dev/null",
      stdout: this.dir.join("out"),
      stderr: this.dir.join("err"),
      killSigs: [],
      timeout: 0,
      killGroup: false,
      jobId: "i",
      rule: "R",
      name: "n",
      resources: {},
      trace: undefined,
      onStart: () => {},
      listenFar: () => "",
      ...more,
    }, address);
  }

  /** Has the request come from a machine that is not this one. */
  moveAway(): void {
    const text = Deno.readTextFileSync(this.files.request);
    Deno.writeTextFileSync(
      this.files.request,
      text.replace(/^[^\0]*/, "another-boot"),
    );
  }

  spawn(env: Record<string, string> = {}): Deno.ChildProcess {
    return new Deno.Command(this.dir.join("node"), {
      args: [this.files.request],
      env,
      clearEnv: true,
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
  }

  async run(env: Record<string, string> = {}): Promise<number> {
    return (await this.spawn(env).status).code;
  }

  [Symbol.dispose](): void {
    this.dir[Symbol.dispose]();
  }
}

Deno.test("a node runs a job as it was asked to", OPTIONS, async () => {
  const long = "x".repeat(100_000);
  using asked = new Asked(
    ["/bin/sh", "-c", 'cat; echo "$#" "${#1}" "$2"; env >&2', "sh", long, ""],
    { stdin: "/proc/sys/kernel/ostype" },
  );
  const code = await asked.run({
    SLURM_JOB_ID: "12",
    SLURMD_NODENAME: "n3",
    CUDA_VISIBLE_DEVICES: "1",
    HOME: "/root",
    PATH: "/other",
  });
  assert.equal(code, 0);
  assert.deepEqual(readStart(asked.files.started), { id: 12, node: "n3" });
  const end = readEnd(asked.files.ended)!;
  assert.deepEqual([end.error, end.code, end.signal], [0, 0, undefined]);
  assert.equal(asked.dir.read("out"), "Linux\n2 100000 \n");
  const env = asked.dir.read("err").split("\n")
    .filter((line) => !/^(_|PWD|SHLVL|OLDPWD)=/.test(line)).sort();
  assert.deepEqual(
    env,
    [
      "",
      "CLIBS_JOB_ID=i",
      "CLIBS_JOB_SOCKET=/s",
      "CUDA_VISIBLE_DEVICES=1",
      "PATH=/usr/bin:/bin",
      "SLURMD_NODENAME=n3",
      "SLURM_JOB_ID=12",
    ].filter((line) => !line.startsWith("SLURMD")).sort(),
  );
});

Deno.test("a node tells how a job ended", OPTIONS, async (t) => {
  const cases: [string, number | undefined, string | undefined][] = [
    ["exit 0", 0, undefined],
    ["exit 137", 137, undefined],
    ["kill -KILL $$", undefined, "SIGKILL"],
    ["kill -SEGV $$", undefined, "SIGSEGV"],
  ];
  for (const [cmd, code, signal] of cases) {
    await t.step(cmd, async () => {
      using asked = new Asked(["/bin/sh", "-c", cmd]);
      await asked.run();
      const end = readEnd(asked.files.ended)!;
      assert.deepEqual([end.code, end.signal], [code, signal]);
      assert.ok(!end.timedOut && !end.killed && !end.cancelled);
    });
  }
});

Deno.test("a node tells what cannot be started", OPTIONS, async () => {
  using program = new Asked(["/nonexistent"]);
  await program.run();
  assert.equal(readEnd(program.files.ended)!.error, 2);
  using folder = new Asked(["/bin/true"], { cwd: "/nonexistent" });
  await folder.run();
  assert.equal(readEnd(folder.files.ended)!.error, 2);
});

Deno.test("of several nodes one takes a job", OPTIONS, async () => {
  using asked = new Asked(["/bin/sh", "-c", "echo x >> runs; sleep 0.1"]);
  const codes = await Promise.all(
    Array.from({ length: 8 }, () => asked.run()),
  );
  assert.deepEqual(codes, Array(8).fill(0));
  assert.equal(asked.dir.read("runs"), "x\n");
});

Deno.test(
  "a node that is told to end a job does so by its signals",
  OPTIONS,
  async (t) => {
    const script =
      "trap 'echo int >> got' INT; trap 'echo usr >> got' USR2; echo > up; while :; do sleep 0.05; done";
    const ways: [string, (asked: Asked, child: Deno.ChildProcess) => void][] = [
      ["by clibs", (_, child) => child.kill("SIGUSR1")],
      ["by Slurm", (_, child) => child.kill("SIGTERM")],
      ["by its ticket", ({ files }) => Deno.removeSync(files.ticket)],
      ["by a timeout", () => {}],
    ];
    for (const [name, end] of ways) {
      await t.step(name, async () => {
        using asked = new Asked(["/bin/sh", "-c", script], {
          killSigs: [2, 0, 12],
          timeout: name === "by a timeout" ? 0.5 : 0,
        });
        const from = performance.now();
        const child = asked.spawn();
        while (!asked.dir.has("up")) await wait(5);
        end(asked, child);
        await child.status;
        const told = readEnd(asked.files.ended)!;
        assert.equal(told.signal, "SIGKILL");
        assert.deepEqual(
          [told.killed, told.cancelled, told.timedOut],
          [
            /clibs|ticket/.test(name),
            name === "by Slurm",
            /timeout/.test(name),
          ],
        );
        assert.equal(asked.dir.read("got"), "int\nusr\n");
        const took = performance.now() - from;
        assert.ok(took >= 3000 && took < 6500, `${took} ms`);
      });
    }
  },
);

Deno.test(
  "a node ends what a job leaves only if it should",
  OPTIONS,
  async (t) => {
    for (const killGroup of [true, false]) {
      await t.step(`${killGroup}`, async () => {
        using asked = new Asked(
          ["/bin/sh", "-c", "(sleep 0.5; echo > late) & exit 0"],
          { killGroup },
        );
        await asked.run();
        await wait(900);
        assert.equal(asked.dir.has("late"), !killGroup);
      });
    }
  },
);

Deno.test(
  "a job on another machine comes over the network",
  OPTIONS,
  async () => {
    using bin = buildLauncher(TWINS);
    using folder = new TempDir();
    await using server = await JobServer.listen(folder.path);
    const services = new FakeServices();
    services.deps = ["seen"];
    const jobId = crypto.randomUUID();
    using _ = server.add(jobId, services);
    const address = server.listenFar("127.0.0.1");
    assert.match(address, /^tcp:127\.0\.0\.1:\d+$/);
    assert.equal(server.listenFar("127.0.0.1"), address);
    const client = join(ROOT, "lib/rules/job/mod.ts");
    const script = `
    ${bin.join("ldepend")} -l || exit 1
    ${Deno.execPath()} eval 'import { listDeps } from "${client}";
      console.log(await listDeps());' || exit 2
    ! [ -x ${PYTHON} ] ||
      ${PYTHON} -c 'import lmake; print(*lmake.list_deps())' || exit 3`;
    using asked = new Asked(["/bin/sh", "-c", script], {
      env: {
        PATH: "/usr/bin:/bin",
        CLIBS_JOB_SOCKET: server.address,
        PYTHONPATH: join(ROOT, "lib/rules/python"),
        PYTHONDONTWRITEBYTECODE: "1",
        CLIBS_JOB_ID: jobId,
        DENO_DIR: Deno.env.get("DENO_DIR") ??
          `${Deno.env.get("HOME")}/.cache/deno`,
        NO_COLOR: "1",
      },
    }, address);
    asked.moveAway();
    await asked.run();
    assert.equal(readEnd(asked.files.ended)!.code, 0, asked.dir.read("err"));
    const python = hasPython() ? "seen\n" : "";
    assert.equal(asked.dir.read("out"), `seen\n[ "seen" ]\n${python}`);
  },
);

Deno.test(
  "a job on another machine is told that nobody hears it",
  OPTIONS,
  async () => {
    using bin = buildLauncher(TWINS);
    const client = join(ROOT, "lib/rules/job/mod.ts");
    const script = `
    ${bin.join("ldepend")} x; echo $? >&2
    ${Deno.execPath()} eval 'import { depend } from "${client}"; await depend("x");'
    ! [ -x ${PYTHON} ] || ${PYTHON} -c 'import lmake; lmake.depend("x")'`;
    using asked = new Asked(["/bin/sh", "-c", script], {
      env: {
        PATH: "/usr/bin:/bin",
        CLIBS_JOB_SOCKET: "/s",
        PYTHONPATH: join(ROOT, "lib/rules/python"),
        PYTHONDONTWRITEBYTECODE: "1",
        CLIBS_JOB_ID: "i",
        DENO_DIR: Deno.env.get("DENO_DIR") ??
          `${Deno.env.get("HOME")}/.cache/deno`,
      },
    }, "@login1");
    asked.moveAway();
    await asked.run();
    const said = asked.dir.read("err");
    assert.match(
      said,
      /^ldepend: cannot reach the runner on login1 from this machine: set lmake\.config\.slurm\.address .*\n4\n/,
    );
    assert.equal(
      said.match(/Cannot reach the runner on login1 from this machine/g)
        ?.length,
      hasPython() ? 2 : 1,
      said,
    );
  },
);

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
