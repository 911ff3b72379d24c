import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { CancelledError } from "../../lib/errors.ts";
import { endStaleGroup, JOB_ID_VARIABLE } from "../../lib/jobs/group.ts";
import { runJob } from "../../lib/jobs/run.ts";
import { TempDir } from "../support/temp.ts";

const env = { PATH: Deno.env.get("PATH") ?? "" };

Deno.test("runJob() passes on output and exit code, and stops at a failure", async () => {
  using dir = new TempDir();
  const lines: string[] = [];
  const result = await runJob({
    script: "echo out; echo err >&2; pwd; cat; (exit 3); echo never",
    cwd: dir.path,
    env,
    onLine: (line, stream) => lines.push(`${stream} ${line}`),
  });
  equal(result.code, 3);
  equal(result.timedOut, false);
  deepEqual(
    new Set(lines),
    new Set(["stdout out", "stderr err", `stdout ${dir.path}`]),
  );
  equal(lines.length, 3);
});

Deno.test("runJob() gives the command exactly the environment it was given", async () => {
  const lines: string[] = [];
  await runJob({
    script: "env",
    cwd: "/",
    env: { ...env, ONLY: "this one" },
    onLine: (line) => lines.push(line),
  });
  const names = lines.map((line) => line.split("=")[0]).sort();
  // bash adds the last three.
  deepEqual(names, ["ONLY", "PATH", "PWD", "SHLVL", "_"]);
});

Deno.test("runJob() ends what the command left running", async () => {
  using dir = new TempDir();
  await runJob({
    script: "sleep 1000 & echo $! > pid",
    cwd: dir.path,
    env,
  });
  await until(() => !isRunning(Number(dir.read("pid"))));
});

Deno.test("runJob() ends the whole group at its time limit", async () => {
  using dir = new TempDir();
  const result = await runJob({
    script: "bash -c 'sleep 1000 & echo $! > pid; wait'",
    cwd: dir.path,
    env,
    timeoutMs: 300,
  });
  equal(result.timedOut, true);
  equal(result.code, 137);
  await until(() => !isRunning(Number(dir.read("pid"))));
});

Deno.test("runJob() ends the whole group on the caller's signal", async () => {
  using dir = new TempDir();
  const abort = new AbortController();
  const run = runJob({
    script: "sleep 1000 & echo $! > pid; echo started; wait",
    cwd: dir.path,
    env,
    signal: abort.signal,
    onLine: () => abort.abort(),
  });
  await rejects(run, CancelledError);
  await until(() => !isRunning(Number(dir.read("pid"))));
});

Deno.test("runJob() ends the job when its output cannot be taken", async () => {
  const run = runJob({
    script: "echo line; sleep 1000",
    cwd: "/",
    env,
    onLine: () => {
      throw new Error("disk full");
    },
  });
  await rejects(run, /disk full/);
});

Deno.test("a job ends when the clibs that started it is killed", async () => {
  using dir = new TempDir();
  const program = `
    import { runJob } from "${import.meta.resolve("../../lib/jobs/run.ts")}";
    await runJob({
      script: "sleep 1000 & echo $! > pid; echo ready; wait",
      cwd: ${JSON.stringify(dir.path)},
      env: { PATH: Deno.env.get("PATH") },
      onLine: (line) => console.log(line),
    });`;
  dir.write({ "main.ts": program });
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", dir.join("main.ts")],
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.getReader();
  await reader.read();
  child.kill("SIGKILL");
  await child.status;
  await reader.cancel();
  await until(() => !isRunning(Number(dir.read("pid"))));
});

Deno.test("endStaleGroup() ends its own group and leaves another's alone", async () => {
  const child = new Deno.Command("sleep", {
    args: ["1000"],
    env: { [JOB_ID_VARIABLE]: "mine" },
    detached: true,
  }).spawn();
  await until(() =>
    Deno.readTextFileSync(`/proc/${child.pid}/environ`).includes("mine")
  );
  await endStaleGroup(child.pid, "other");
  ok(isRunning(child.pid));
  await endStaleGroup(child.pid, "mine");
  equal((await child.status).signal, "SIGKILL");
});

function isRunning(pid: number): boolean {
  try {
    const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
    // A zombie has ended; nobody in this container may be there to reap it.
    return !/\) [ZX] /.test(stat);
  } catch {
    return false;
  }
}

/** Waits for something that another process does at once, but not in step. */
async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!condition()) {
    ok(Date.now() < deadline, "it never happened");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

Deno.test("a process that left the group does not keep a job from ending", async () => {
  using dir = new TempDir();
  const started = performance.now();
  const result = await runJob({
    // In a session of its own, with the job's output in its hands.
    script: "setsid sleep 60 & echo $! > pid; sleep 0.05",
    cwd: dir.path,
    env: { ...Deno.env.toObject(), [JOB_ID_VARIABLE]: crypto.randomUUID() },
  });
  equal(result.code, 0);
  ok(performance.now() - started < 20_000);
});
