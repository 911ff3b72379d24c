/** Script duties, run for real. */

import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { runDuties } from "../../lib/engines/duties.ts";
import { runScript, runScriptAll } from "../../lib/engines/scripts.ts";
import { FeedbackBus, type FeedbackEvent } from "../../lib/feedback/bus.ts";
import { ANSWER } from "../support/engines.ts";
import { TempDir } from "../support/temp.ts";
import { hasPython, PYTHON } from "../support/tools.ts";

/** A test that runs a script in Python too. */
function pythonTest(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, fn, ignore: !hasPython() });
}

const FILES = {
  "scripts/a.py": "import sys\nprint('py', *sys.argv[1:])\n",
  "scripts/b.js": "console.log('js', ...Deno.args); console.error('oops');\n",
  "scripts/c.ts": "const text: string = 'ts'; console.log(text);\n",
  "scripts/d.mjs": "throw new Error('broken');\n",
  "scripts/notes.txt": "",
  "scripts/sub/e.py": "print('sub')\n",
  "outside.py": "print('outside')\n",
};

function space(): TempDir {
  const dir = new TempDir();
  dir.write(FILES);
  return dir;
}

pythonTest(
  "runScriptAll() runs every script in order, also after a failure",
  async () => {
    using dir = space();
    const bus = new FeedbackBus();
    const events: FeedbackEvent[] = [];
    bus.subscribe((event) => events.push(event));
    const report = await runScriptAll({
      sourceDir: dir.join("scripts"),
      python: PYTHON,
      feedback: bus,
    });
    equal(report.ok, false);
    deepEqual(
      report.results.map(({ script, ok, code, stdout }) => [
        script,
        ok,
        code,
        stdout,
      ]),
      [
        ["a.py", true, 0, "py\n"],
        ["b.js", true, 0, "js\n"],
        ["c.ts", true, 0, "ts\n"],
        ["d.mjs", false, 1, ""],
      ],
    );
    equal(report.results[1]?.stderr, "oops\n");
    match(report.results[3]?.stderr ?? "", /broken/);
    const ends = events.filter(({ code }) => code === "note")
      .map(({ level, message }) => `${level} ${message}`);
    deepEqual(ends, [
      "success a.py: done",
      "success b.js: done",
      "success c.ts: done",
      "error d.mjs: exit code 1",
    ]);
  },
);

pythonTest("runScript() passes arguments and captures output", async () => {
  using dir = space();
  const sourceDir = dir.join("scripts");
  const args = ["one two", "--flag", "$HOME", "'"];
  const python = await runScript({
    sourceDir,
    path: "a.py",
    args,
    python: PYTHON,
  });
  equal(python.stdout, "py one two --flag $HOME '\n");
  const js = await runScript({ sourceDir, path: "b.js", args });
  equal(js.stdout, "js one two --flag $HOME '\n");
  const sub = await runScript({ sourceDir, path: "sub/e.py", python: PYTHON });
  deepEqual([sub.script, sub.stdout], ["sub/e.py", "sub\n"]);
});

Deno.test("scripts of Deno have no permissions unless they are given", async () => {
  using dir = space();
  dir.write({
    "scripts/read.ts":
      "console.log(Deno.readTextFileSync('notes.txt').length);",
  });
  const sourceDir = dir.join("scripts");
  const without = await runScript({ sourceDir, path: "read.ts" });
  equal(without.ok, false);
  match(without.stderr, /Requires read access/);
  const withRead = await runScript({
    sourceDir,
    path: "read.ts",
    permissions: ["read"],
  });
  deepEqual([withRead.ok, withRead.stdout], [true, "0\n"]);
  for (const permission of ["all", "-A", "read --allow-run", ""]) {
    await rejects(
      runScript({ sourceDir, path: "read.ts", permissions: [permission] }),
      {
        code: "CLIBS_SCRIPT_PERMISSION",
        message: `Cannot allow ${
          JSON.stringify(permission)
        }: Deno has no such permission`,
        hint: "use read, write, net, env, sys, run, ffi or import",
      },
    );
  }
});

pythonTest(
  "a script that takes too long is ended with all it started",
  async () => {
    using dir = space();
    dir.write({
      "scripts/slow.py": `import os, subprocess, time
child = subprocess.Popen(["sleep", "60"])
print(child.pid, flush=True)
time.sleep(60)
`,
    });
    const result = await runScript({
      sourceDir: dir.join("scripts"),
      path: "slow.py",
      python: PYTHON,
      timeoutMs: 2000,
    });
    deepEqual([result.ok, result.timedOut], [false, true]);
    const pid = Number(result.stdout);
    ok(pid > 1);
    const deadline = Date.now() + 5000;
    while (isRunning(pid)) {
      ok(Date.now() < deadline, `${pid} is still there`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  },
);

function isRunning(pid: number): boolean {
  try {
    return !/\) Z /.test(Deno.readTextFileSync(`/proc/${pid}/stat`));
  } catch {
    return false;
  }
}

pythonTest("the output that is kept has a limit", async () => {
  using dir = space();
  dir.write({ "scripts/loud.py": "for _ in range(3000): print('x' * 999)\n" });
  const result = await runScript({
    sourceDir: dir.join("scripts"),
    path: "loud.py",
    python: PYTHON,
  });
  equal(result.truncated, true);
  ok(result.stdout.length <= 1 << 20);
});

Deno.test("scripts outside of the folder are refused", async (t) => {
  using dir = space();
  Deno.symlinkSync(dir.join("outside.py"), dir.join("scripts/link.py"));
  const sourceDir = dir.join("scripts");
  for (
    const path of ["../outside.py", dir.join("outside.py"), "link.py", ".."]
  ) {
    await t.step(
      path.replace(dir.path, "DIR"),
      () =>
        rejects(runScript({ sourceDir, path }), {
          code: "CLIBS_SCRIPT_PATH",
          message: `Cannot run ${path}: it is outside of the scripts' folder`,
          hint: "name a script in that folder",
        }),
    );
  }
  await t.step("and so is what is not there, or of no kind", async () => {
    await rejects(runScript({ sourceDir, path: "none.py" }), {
      code: "CLIBS_SCRIPT_MISSING",
      message: `Cannot run ${sourceDir}/none.py: there is nothing of that name`,
      hint: "name the folder with --source-dir (sourceDir)",
    });
    await rejects(runScript({ sourceDir, path: "notes.txt" }), {
      code: "CLIBS_SCRIPT_KIND",
      message:
        `Cannot run ${sourceDir}/notes.txt: clibs knows scripts by their ends .py, .js, .mjs and .ts`,
      hint: "rename it, or call it from a script of those kinds",
    });
    await rejects(runScriptAll({ sourceDir: dir.join("nowhere") }), {
      code: "CLIBS_SCRIPT_MISSING",
    });
  });
});

Deno.test("runDuties() builds engines, then runs scripts", async () => {
  using dir = new TempDir();
  dir.write({
    "deno.json": "{}",
    "core/engines/cpu.cpp": ANSWER,
    "core/scripts/a.js": "console.log('duty');",
  });
  const report = await runDuties({
    heavySourceDir: dir.join("core/engines"),
    scriptSourceDir: dir.join("core/scripts"),
    policy: "prefer_prebuilt",
  });
  equal(report.ok, true);
  equal(report.heavy.engines_ok, 1);
  equal(report.scripts.results[0]?.stdout, "duty\n");
});
