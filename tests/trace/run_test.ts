/** Commands that are really run. */

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { traceCommand, type TraceOptions } from "../../lib/trace/run.ts";
import { checkTrace } from "../../lib/trace/check.ts";
import type { Trace } from "../../lib/trace/trace.ts";
import { TempDir } from "../support/temp.ts";
import { has } from "../support/tools.ts";
import { isLinux, works } from "../support/trace.ts";

const ignore = !isLinux || !has("cc");
const METHODS = ["ld_preload", "ptrace", "auto"] as const;

function compile(dir: TempDir, name: string, ...args: string[]): string {
  const source = new URL(`programs/${name}.c`, import.meta.url);
  const program = dir.join(name);
  const { success, stderr } = new Deno.Command("cc", {
    args: ["-w", "-o", program, fileURLToPath(source), ...args],
  }).outputSync();
  assert.ok(success, new TextDecoder().decode(stderr));
  return program;
}

/** Runs a shell script in a folder; the paths of its trace relative to that. */
async function sh(
  dir: TempDir,
  script: string,
  options: Partial<TraceOptions> = {},
): Promise<{ code: number; trace: Trace; lists: Record<string, string[]> }> {
  const { code, trace } = await traceCommand({
    command: ["sh", "-c", script],
    cwd: dir.path,
    env: { PATH: "/usr/bin:/bin" },
    stdin: "null",
    stdout: "null",
    stderr: "null",
    ...options,
  });
  const short = (path: string) => path.replace(`${dir.path}/`, "");
  const lists = {
    deps: trace.deps.map(({ path, rewritten }) =>
      short(path) + (rewritten ? " rewritten" : "")
    ),
    absent: trace.absent.map(short),
    targets: trace.targets.map(({ path }) => short(path)),
    removed: trace.removed.map(short),
    scratch: trace.scratch.map(short),
    unstable: trace.unstable.map(short),
  };
  return { code, trace, lists };
}

const scripts: [string, string, Record<string, string[]>][] = [
  ["copy", "cp in out", { deps: ["in"], targets: ["out"] }],
  ["append", "echo x >> in", { deps: ["in rewritten"], targets: ["in"] }],
  ["append to its own", "echo x > out; echo y >> out", { targets: ["out"] }],
  ["write beside, move", "cat in > out.tmp && mv out.tmp out", {
    deps: ["in"],
    targets: ["out"],
    scratch: ["out.tmp"],
  }],
  ["move over what is there", "mv in old", {
    deps: ["in rewritten", "old rewritten"],
    targets: ["old"],
    removed: ["in"],
  }],
  ["remove", "rm in", { deps: ["in rewritten"], removed: ["in"] }],
  ["make executable", "chmod +x in", {
    deps: ["in rewritten"],
    targets: ["in"],
  }],
  ["hard link", "ln in out; cat in", { deps: ["in"], targets: ["out"] }],
  ["probe in vain", "cat none; test -e in", {
    deps: ["in"],
    absent: ["none"],
  }],
  [
    "make a folder, move it, read in it",
    "mkdir t; cp in t/f; mv t u; cat u/f",
    {
      deps: ["in"],
      targets: ["u/f"],
      scratch: ["t/f"],
    },
  ],
  ["move a folder of before, read in it", "cat d/f; mv d e; cat e/f", {
    deps: ["d/f rewritten", "d rewritten"],
    targets: ["e/f"],
    removed: ["d"],
  }],
  ["edit in place", "sed -i s/1/2/ in", {
    deps: ["in rewritten"],
    targets: ["in"],
  }],
];

for (const method of METHODS) {
  Deno.test({
    name: `${method}: what scripts do becomes facts, which then hold`,
    ignore,
    fn: async (t) => {
      if (!await works(method)) return;
      for (const [what, script, expected] of scripts) {
        await t.step(what, async () => {
          using dir = new TempDir();
          dir.write({ in: "1\n", old: "0\n", "d/f": "1\n" });
          const { lists, trace } = await sh(dir, script, { method });
          // sed and mktemp make names up.
          lists.scratch = lists.scratch!.filter((name) => !/^sed/.test(name));
          const some = Object.entries(lists)
            .filter(([, list]) => list.length > 0)
            .map(([name, list]) => [name, list.sort()]);
          const wanted = Object.entries(expected)
            .map(([name, list]) => [name, list.sort()]);
          assert.deepEqual(
            Object.fromEntries(some),
            Object.fromEntries(wanted),
          );
          const report = await checkTrace(trace, () => undefined);
          assert.deepEqual(report.broken, undefined);
        });
      }
    },
  });

  Deno.test({
    name: `${method}: processes that are killed lose nothing that they told`,
    ignore,
    fn: async () => {
      if (!await works(method)) return;
      using dir = new TempDir();
      const program = compile(dir, "victims", "-lpthread");
      for (const [seed, threads] of [[1, 1], [2, 3]] as const) {
        const { code, trace, log, stdout } = await traceCommand({
          command: [program, `${seed}`, "40", `${threads}`],
          cwd: dir.path,
          method,
          stdin: "null",
          stdout: "piped",
        });
        assert.equal(code, 0);
        assert.equal(trace.lost, 0);
        const lines = new TextDecoder().decode(stdout).trim().split("\n");
        assert.ok(lines.length > 200, `${lines.length}`);
        const missing = lines.filter((line) =>
          !log.accesses.has(dir.join(`none-${line.replace(" ", "-")}`))
        );
        assert.deepEqual(missing, []);
      }
    },
  });
}

Deno.test({
  name: "two runs at once do not see each other",
  ignore,
  fn: async () => {
    using dir = new TempDir();
    dir.write({ a: "", b: "" });
    const [a, b] = await Promise.all([
      sh(dir, "sleep 0.1; cat a > a.out"),
      sh(dir, "cat b > b.out; sleep 0.1"),
    ]);
    assert.deepEqual([a.lists.deps, a.lists.targets], [["a"], ["a.out"]]);
    assert.deepEqual([b.lists.deps, b.lists.targets], [["b"], ["b.out"]]);
  },
});

Deno.test({
  name: "a dep that somebody else changes meanwhile is unstable",
  ignore,
  fn: async () => {
    using dir = new TempDir();
    dir.write({ in: "1" });
    const running = sh(
      dir,
      "sleep 0.03; cat in; : > ready; while ! test -e go; do :; done",
    );
    while (!dir.has("ready")) await new Promise((done) => setTimeout(done, 5));
    dir.write({ in: "2" });
    dir.write({ go: "" });
    const { lists, trace } = await running;
    assert.deepEqual(lists.unstable?.sort(), ["go", "in"]);
    assert.equal((await checkTrace(trace, () => undefined)).holds, false);
  },
});

Deno.test({
  name: "a program that the loader gives no library is told, not passed over",
  ignore,
  fn: async () => {
    using dir = new TempDir();
    dir.write({ "main.c": "int main(void) { return 3; }\n" });
    const program = dir.join("static");
    const { success } = new Deno.Command("cc", {
      args: ["-static", "-o", program, dir.join("main.c")],
      stderr: "null",
    }).outputSync();
    if (!success) return console.log("there is no static C library here");
    const run = async (method: "ld_preload" | "auto") =>
      await traceCommand({ command: [program], method, stdin: "null" });
    const alone = await run("ld_preload");
    assert.equal(alone.code, 3);
    assert.equal(alone.trace.complete, false);
    assert.deepEqual(alone.trace.escapes, [{
      program,
      reason: "static",
      seen: false,
    }]);
    if (!await works("ptrace")) return;
    const followed = await run("auto");
    assert.equal(followed.trace.complete, true);
    assert.deepEqual(followed.trace.escapes, [{
      program,
      reason: "static",
      seen: true,
    }]);
    assert.equal(followed.trace.commands.length, 1);
  },
});

Deno.test({
  name: "a signal ends the command; what it did until then is known",
  ignore,
  fn: async () => {
    using dir = new TempDir();
    const stop = new AbortController();
    const wait = setInterval(() => {
      if (dir.has("out")) stop.abort();
    }, 5);
    const { code, signal, trace } = await traceCommand({
      command: ["sh", "-c", "echo > out; exec sleep 20"],
      cwd: dir.path,
      stdin: "null",
      signal: stop.signal,
    });
    clearInterval(wait);
    assert.deepEqual([code, signal], [143, "SIGTERM"]);
    assert.deepEqual(trace.targets.map(({ path }) => path), [dir.join("out")]);
  },
});
