/** LMAKE.md section 5 and 10: commands that are interrupted or killed. */

import assert from "node:assert/strict";
import { type LmakeRepo, until } from "../../support/lmake.ts";
import { conforms } from "../../support/lmake_conform.ts";

/** Two jobs that write half of their targets, and then wait. */
function waiting(repo: LmakeRepo): void {
  const ext = repo.ext.path;
  repo.source({ s: "1\n" });
  repo.rules(String.raw`
rule({
  name: "Wait",
  targets: { T: "w{N:\\d}", P: "p{N}/{F*:\\w+}" },
  deps: { S: "s" },
  cmd: "echo half >{T}; echo half >p{N}/a; echo $$ >${ext}/pid{N}; [ -e ${ext}/go ] || sleep 60; cat {S} >>{T}; rm p{N}/a; echo b >p{N}/b",
});
rule({ name: "Join", target: "join", deps: { A: "w1", B: "w2" }, cmd: "cat {A} {B}" });
`);
}

async function bothStarted(repo: LmakeRepo): Promise<void> {
  const started = (n: number) => repo.extContent(`pid${n}`).endsWith("\n");
  await until(() => started(1) && started(2), "both jobs");
}

/** Waits until no process is left of a job. */
async function bothEnded(repo: LmakeRepo): Promise<void> {
  for (const name of ["pid1", "pid2"]) {
    const pid = Number(repo.extContent(name));
    await until(() => !isAlive(pid), `the end of job ${pid}`, 5000);
  }
}

function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(
      Deno.readTextFileSync(`/proc/${pid}/status`),
    );
  } catch {
    return false;
  }
}

async function finish(repo: LmakeRepo): Promise<void> {
  repo.ext.write({ go: "" });
  await repo.make("join", "p1/b", { words: { done: 3 } });
  assert.equal(repo.content("join"), "half\n1\nhalf\n1\n");
  assert.ok(!repo.has("p1/a") && !repo.has("p2/a"));
  await repo.make("join", "p1/b");
}

conforms("Ctrl-C ends jobs, and the command dies of it", async (repo) => {
  waiting(repo);
  let signal: Deno.Signal | null = null;
  const run = await repo.make("join", {
    flags: ["-j", "2"],
    unchecked: true,
    async during(child) {
      await bothStarted(repo);
      child.kill("SIGINT");
      ({ signal } = await child.status);
    },
  });
  assert.equal(signal, "SIGINT", run.shown);
  assert.equal(
    run.jobs.filter(({ word }) => word === "killed").length,
    2,
    run.shown,
  );
  assert.doesNotMatch(run.shown, /failed|internal|bug/);
  await bothEnded(repo);
  assert.match(await repo.show("-i", "w1"), /status +killed/);
  await finish(repo);
});

conforms("jobs end with a command that is killed", async (repo) => {
  waiting(repo);
  await repo.make("join", {
    flags: ["-j", "2"],
    unchecked: true,
    async during(child) {
      await bothStarted(repo);
      child.kill("SIGKILL");
    },
  });
  await bothEnded(repo);
  await finish(repo);
});

conforms(
  "a command that works by itself leaves nothing that the next one minds",
  async (repo) => {
    waiting(repo);
    await repo.make("join", {
      flags: ["-j", "2"],
      env: { CLIBS_MAKE_SERVER: "0" },
      unchecked: true,
      async during(child) {
        await bothStarted(repo);
        child.kill("SIGKILL");
      },
    });
    const jobs = [1, 2].map((n) => Number(repo.extContent(`pid${n}`)));
    await finish(repo);
    for (const pid of jobs) assert.ok(!isAlive(pid));
  },
);

conforms(
  "whatever is killed at any moment, the next command is right",
  async (repo) => {
    const numbers = Array.from({ length: 8 }, (_, i) => i + 1);
    repo.rules(String.raw`
rule({ name: "First", target: "f0", dep: "s", cmd: "cat" });
${
      numbers.map((n) =>
        `rule({ name: "F${n}", targets: { T: "f${n}" }, cmd: "cat f${
          n - 1
        } >{T}; sleep 0.02; echo ${n} >>{T}" });`
      ).join("\n")
    }
`);
    let sources = 0;
    const edit = () => repo.source({ s: `${++sources}\n` });
    edit();
    await repo.make();
    for (let i = 0; i < 7; i++) {
      edit();
      await repo.make("f8", {
        unchecked: true,
        env: { CLIBS_MAKE_SERVER: i % 2 === 0 ? "1" : "0" },
        async during(child) {
          await new Promise((done) => setTimeout(done, 80 + 70 * i));
          for (const pid of [...serversOf(repo), child.pid]) {
            try {
              Deno.kill(pid, "SIGKILL");
            } catch {
              // It has ended.
            }
          }
        },
      });
      if (i % 3 !== 2) continue;
      await repo.make("f8", { unchecked: true, exit: 0 });
      assert.equal(repo.content("f8"), [sources, ...numbers, ""].join("\n"));
    }
    const last = await repo.make("f8", { unchecked: true });
    assert.equal(last.code, 0, last.shown);
    assert.equal(repo.content("f8"), [sources, ...numbers, ""].join("\n"));
    await repo.make("f8");
  },
);

/** Processes that serve a repo. */
function serversOf(repo: LmakeRepo): number[] {
  return [...Deno.readDirSync("/proc")].flatMap(({ name }) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const words = Deno.readTextFileSync(`/proc/${name}/cmdline`).split("\0");
      return words.at(-2) === repo.dir.path ? [Number(name)] : [];
    } catch {
      return [];
    }
  });
}
