/** Scripts that hold on to their caller, print too much, or are none. */

import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { runScript, runScriptAll } from "../../lib/engines/scripts.ts";
import { TempDir } from "../support/temp.ts";
import { hasPython, PYTHON } from "../support/tools.ts";

/** A test that runs a script in Python too. */
function pythonTest(
  name: string,
  fn: (t: Deno.TestContext) => Promise<void>,
): void {
  Deno.test({ name, fn, ignore: !hasPython() });
}

const PY = "print('py')\n";
const JS = "console.log('js');\n";

function isRunning(pid: number): boolean {
  try {
    return !/\) Z /.test(Deno.readTextFileSync(`/proc/${pid}/stat`));
  } catch {
    return false;
  }
}

pythonTest(
  "a script cannot hold its caller by a process in another session",
  async () => {
    using dir = new TempDir();
    dir.write({
      "scripts/daemon.py": `import subprocess, time
child = subprocess.Popen(["sleep", "60"], start_new_session=True)
print(child.pid, flush=True)
time.sleep(60)
`,
    });
    const result = await runScript({
      sourceDir: dir.join("scripts"),
      path: "daemon.py",
      python: PYTHON,
      timeoutMs: 400,
    });
    deepEqual([result.ok, result.timedOut], [false, true]);
    ok(result.durationMs < 10_000);
    equal(isRunning(Number(result.stdout)), false);
  },
);

pythonTest(
  "what a script leaves in another session is ended with it",
  async () => {
    using dir = new TempDir();
    dir.write({
      "scripts/daemon.py": `import subprocess
null = subprocess.DEVNULL
child = subprocess.Popen(["sleep", "60"], start_new_session=True,
                         stdout=null, stderr=null)
print(child.pid)
`,
    });
    const result = await runScript({
      sourceDir: dir.join("scripts"),
      path: "daemon.py",
      python: PYTHON,
    });
    deepEqual([result.ok, result.timedOut], [true, false]);
    equal(isRunning(Number(result.stdout)), false);
  },
);

Deno.test("a time that is longer than any timer is no limit", async () => {
  using dir = new TempDir();
  dir.write({ "scripts/b.js": JS });
  const sourceDir = dir.join("scripts");
  for (const timeoutMs of [Infinity, 2 ** 31]) {
    const result = await runScript({ sourceDir, path: "b.js", timeoutMs });
    deepEqual([result.ok, result.timedOut], [true, false]);
  }
});

const loud: [string, string, RegExp][] = [
  ["many lines", "for _ in range(3000): print('x' * 999)", /x\n$/],
  [
    "other letters",
    "for _ in range(2000): print('\\u20ac' * 500)",
    /\u20ac\n$/,
  ],
  [
    "a short line after long ones",
    "for _ in range(17): print('x' * 65000)\nprint('late')",
    /x\n$/,
  ],
  ["a line that is cut", "print('x' * 200000)", /^x{65536}\n$/],
];

pythonTest("the output that is kept has a limit", async (t) => {
  for (const [name, script, kept] of loud) {
    await t.step(name, async () => {
      using dir = new TempDir();
      dir.write({ "scripts/loud.py": script });
      const result = await runScript({
        sourceDir: dir.join("scripts"),
        path: "loud.py",
        python: PYTHON,
        env: { PYTHONIOENCODING: "utf-8" },
      });
      equal(result.truncated, true);
      match(result.stdout, kept);
      ok(new TextEncoder().encode(result.stdout).length <= 1 << 20);
    });
  }
});

pythonTest(
  "a folder of scripts may be a link, and must be a folder",
  async () => {
    using dir = new TempDir();
    dir.write({ "scripts/a.py": PY, "scripts/b.js": JS, "outside.py": PY });
    Deno.symlinkSync("scripts", dir.join("link"));
    const { ok, results } = await runScriptAll({
      sourceDir: dir.join("link"),
      python: PYTHON,
    });
    deepEqual([ok, results.map(({ script }) => script)], [
      true,
      ["a.py", "b.js"],
    ]);
    await rejects(runScriptAll({ sourceDir: dir.join("outside.py") }), {
      code: "CLIBS_SCRIPT_MISSING",
      message: `Cannot run ${dir.join("outside.py")}: it is not a folder`,
    });
  },
);

pythonTest("names that look like flags are names", async () => {
  using dir = new TempDir();
  dir.write({ "scripts/-A.js": JS });
  dir.write({ "scripts/--version.py": PY });
  const sourceDir = dir.join("scripts");
  equal((await runScript({ sourceDir, path: "-A.js" })).stdout, "js\n");
  const python = { sourceDir, path: "--version.py", python: PYTHON };
  equal((await runScript(python)).stdout, "py\n");
});

Deno.test("what is no file of a script is not run", async (t) => {
  using dir = new TempDir();
  const sourceDir = dir.join("scripts");
  dir.write({ "scripts/folder.py/__main__.py": PY });
  Deno.symlinkSync("none", dir.join("scripts/dangling.js"));
  Deno.symlinkSync("loop.js", dir.join("scripts/loop.js"));
  const cases: [string, string][] = [
    ["dangling.js", "there is nothing of that name"],
    ["loop.js", "there is nothing of that name"],
    ["nul\0.js", "there is nothing of that name"],
    ["folder.py", "it is not a file"],
  ];
  for (const [path, cause] of cases) {
    await t.step(
      JSON.stringify(path),
      () =>
        rejects(runScript({ sourceDir, path }), {
          code: "CLIBS_SCRIPT_MISSING",
          message: `Cannot run ${sourceDir}/${path}: ${cause}`,
          hint: "name the folder with --source-dir (sourceDir)",
        }),
    );
  }
});
