/** One server for the commands of a repo: shared, killed, released. */

import assert from "node:assert/strict";
import { LmakeRepo, until } from "../../support/lmake.ts";

const LINUX = Deno.build.os === "linux";

/** Jobs that take a while, and one that needs them all. */
const RULES = String.raw`
rule({ name: "Part", target: "{N:\\d+}.part", deps: { S: "s{N}" },
  cmd: "sleep 0.1; cat {S}" });
rule({ name: "All", target: "all", deps: { L: "list" },
  cmd: "ldepend -R $(cat {L}); cat $(cat {L})" });
`;

const COUNT = 6;

function load(repo: LmakeRepo): void {
  const numbers = Array.from({ length: COUNT }, (_, i) => i);
  repo.source({
    list: numbers.map((n) => `${n}.part`).join("\n") + "\n",
    ...Object.fromEntries(numbers.map((n) => [`s${n}`, `${n}\n`])),
  });
  repo.rules(RULES);
}

/** Pid of who holds the repo's lock; undefined if nobody does. */
function serverPid(repo: LmakeRepo): number | undefined {
  const owner = repo.has("LMAKE/lock") ? repo.content("LMAKE/lock") : "";
  const pid = Number(/^pid (\d+) /.exec(owner)?.[1]);
  return pid > 0 ? pid : undefined;
}

function kill(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    Deno.kill(pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}

/** Pids of the jobs that are running, or were. */
function jobPids(repo: LmakeRepo): number[] {
  try {
    return [...Deno.readDirSync(repo.path("LMAKE/running"))].map(({ name }) =>
      Number(JSON.parse(repo.content(`LMAKE/running/${name}`)).pid)
    );
  } catch {
    return [];
  }
}

Deno.test({
  name: "two commands at once run a job once",
  ignore: !LINUX,
  async fn() {
    using repo = new LmakeRepo();
    load(repo);
    repo.rules(
      RULES.replace(
        "sleep 0.1",
        `echo {N} >>${repo.ext.join("ran")}; sleep 0.1`,
      ),
    );
    await repo.make({ words: {} });
    const [a, b] = await Promise.all([
      repo.run(["make", "all"]),
      repo.run(["make", "0.part", "1.part", "all"]),
    ]);
    assert.equal(a.code, 0, a.shown);
    assert.equal(b.code, 0, b.shown);
    const ran = repo.extContent("ran").trim().split("\n").sort();
    assert.deepEqual(ran, ["0", "1", "2", "3", "4", "5"], a.shown + b.shown);
  },
});

Deno.test({
  name: "Ctrl-C of a command leaves the jobs of another alone",
  ignore: !LINUX,
  async fn() {
    using repo = new LmakeRepo();
    repo.source({ s: "s\n" });
    repo.rules(String.raw`
rule({ name: "Slow", target: "slow{N:\\d}", dep: "s", cmd: "sleep 1; cat" });
`);
    // The manifest is written with it.
    await repo.make({ words: {} });
    const other = repo.run(["make", "-j", "4", "slow1"]);
    await until(() => jobPids(repo).length > 0, "the job of the other");
    const stopped = await repo.run(["make", "-j", "4", "slow2"], {
      async during(child) {
        await until(() => jobPids(repo).length > 1, "the second job");
        child.kill("SIGINT");
      },
    });
    // It dies of the signal, which the shell counts from 128.
    assert.equal(stopped.code, 130, stopped.shown);
    assert.match(stopped.shown, /\bkilled +Slow .* slow2$/m);
    const run = await other;
    assert.equal(run.code, 0, run.shown);
    assert.equal(repo.content("slow1"), "s\n");
    assert.ok(!repo.has("slow2") || repo.content("slow2") === "");
    await repo.make("slow2", { words: { done: 1 } });
  },
});

Deno.test({
  name: "whoever is killed, the next command ends right",
  ignore: !LINUX,
  async fn() {
    using repo = new LmakeRepo();
    load(repo);
    await repo.make("all", { unchecked: true });
    const rounds = Number(Deno.env.get("CLIBS_KILLS") || 9);
    for (let round = 0; round < rounds; round++) {
      const texts = Array.from({ length: COUNT }, (_, n) => `${n} ${round}\n`);
      repo.source(Object.fromEntries(texts.map((text, n) => [`s${n}`, text])));
      const afterMs = 30 + (round * 97) % 420;
      const victim = ["server", "client", "job"][round % 3];
      await repo.make("all", {
        unchecked: true,
        async during(child) {
          await new Promise((done) => setTimeout(done, afterMs));
          if (victim === "server") kill(serverPid(repo));
          else if (victim === "client") kill(child.pid);
          else jobPids(repo).forEach(kill);
        },
      });
      const run = await repo.run(["make", "all"]);
      const what = `${victim} killed after ${afterMs} ms\n${run.shown}`;
      assert.equal(run.code, 0, what);
      assert.equal(repo.content("all"), texts.join(""), what);
      await repo.make("all");
    }
  },
});

Deno.test({
  name: "a command works by itself where it is told to, or a server waits",
  ignore: !LINUX,
  async fn() {
    using repo = new LmakeRepo();
    load(repo);
    const alone = await repo.make("0.part", {
      env: { CLIBS_MAKE_SERVER: "0" },
      words: { done: 1 },
    });
    assert.ok(!repo.has("LMAKE/server.sock"), alone.shown);
    await repo.make("0.part");
    assert.ok(repo.has("LMAKE/server.sock"));
    // Companions that change the state have it go.
    await repo.ok("forget", "0.part");
    assert.ok(!repo.has("LMAKE/server.sock"));
    await repo.make("0.part", { words: { steady: 1 } });
  },
});
