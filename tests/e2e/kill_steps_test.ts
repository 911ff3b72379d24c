/** clibs is killed at each of its steps on disk, and the next run mends it. */

import { deepEqual, equal, ok } from "node:assert/strict";
import { cliArgs, NEUTRAL } from "../support/cli.ts";
import { leftovers } from "../support/leftovers.ts";
import { Session } from "../support/session.ts";
import { canTrace } from "../support/tools.ts";

/** A container may forbid ptrace, whatever is installed. */
if (canTrace()) {
  for (const call of ["mkdir", "rename", "fsync", "unlink"]) {
    Deno.test(`kill -9 at each ${call} of a build needs no cleaning`, async () => {
      using session = new Session({
        "pkg/src/a.txt": "a",
        "pkg/pkg.yaml": `version: "1"
files: [{ url: src/a.txt }]
build: { command: 'cp a.txt "$CLIBS_BUILD_DIR/"' }
`,
      });
      let step = 1;
      while (await killedAt(session, ["build"], call, step)) {
        await session.ok("build");
        equal(session.dir.read("pkg/_build/x86_64-linux-gnu/a.txt"), "a");
        deepEqual(leftovers(session.dir, "pkg"), [], `${call} ${step}`);
        await session.bash(
          "rm -rf pkg/_* pkg/pkg.lock.json pkg/.[a-z]* $CLIBS_CACHE_DIR",
        );
        step++;
      }
      ok(step > 3, `killed only ${step - 1} times`);
    });
  }
  // Of the processes that a build starts, only clibs makes these calls.
  for (const call of ["rename", "fsync"]) {
    Deno.test(`kill -9 at each ${call} of engines build needs no cleaning`, async () => {
      using session = new Session({
        "deno.json": "{}",
        "core/engines/cpu.cpp": 'extern "C" int answer() { return 42; }\n',
      });
      const command = ["engines", "build"];
      let step = 1;
      while (await killedAt(session, command, call, step)) {
        // Whatever was saved by then is whole, or is not used.
        await session.ok("engines", "build", "--policy", "prefer_cache");
        const health = await session.clibs("engines", "healthcheck");
        equal(health.code, 0, health.stdout);
        // A copy to load is written over when it is loaded next.
        const left = await session.bash(
          "find . -name '*.tmp' -not -path '*/loaded/*'",
        );
        equal(left, "", `${call} ${step}: ${left}`);
        await session.bash("rm -rf .clibs assets core/engines/.*.json $HOME/*");
        step++;
      }
      ok(step > 2, `killed only ${step - 1} times`);
    });
  }
}

/** Runs a command, killed as it makes a system call for the nth time; false if it never did. */
async function killedAt(
  session: Session,
  command: readonly string[],
  call: string,
  nth: number,
): Promise<boolean> {
  const { signal, success, stderr } = await new Deno.Command("strace", {
    args: [
      "-f",
      "-o",
      "/dev/null",
      `--trace=${call}`,
      `--inject=${call}:signal=KILL:when=${nth}`,
      Deno.execPath(),
      ...cliArgs(),
      ...command,
    ],
    cwd: session.dir.path,
    env: { ...NEUTRAL, ...session.env },
    stdout: "null",
    stderr: "piped",
  }).output();
  if (signal === "SIGKILL") return true;
  ok(success, new TextDecoder().decode(stderr));
  return false;
}
