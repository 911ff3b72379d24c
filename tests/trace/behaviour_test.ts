/** Programs behave as without a tracer: codes, errors, signals, descriptors. */

import assert from "node:assert/strict";
import {
  type Behaviour,
  compileBehave,
  differences,
} from "../support/behaviour.ts";
import { compile } from "../support/cases.ts";
import { traceCommand } from "../../lib/trace/run.ts";
import { TempDir } from "../support/temp.ts";
import { has } from "../support/tools.ts";
import { isLinux } from "../support/trace.ts";

const METHODS = ["ld_preload", "ptrace", "auto"] as const;
const ignore = !isLinux || !has("gcc");

/** Parts of the program `behave`, and what a trace of each must have. */
const PARTS: Record<string, Omit<Behaviour, "command">> = {
  "errors": { names: ["missing", "file", "no/../missing"].slice(0, 2) },
  "descriptors": { names: ["file", "file2"] },
  "no-descriptors": { names: ["file", "file2", "missing-2999"] },
  "closed": { names: ["file", "file3"] },
  "limits": { names: ["file", "missing"] },
  "environment": {
    names: ["in", "out", "missing"],
    prepare: (dir) => dir.write({ in: "in\n" }),
  },
  "gone": { names: ["dir"] },
  "abort": {},
  "crash": {},
  "interrupted": { names: ["fifo"] },
  "handlers": { names: ["file", "in-handler", "in-handler2"] },
  "jumps": { names: ["file", "at-the-end"] },
  "stops": { names: ["before", "after"] },
  "children": {},
  "spawns": { names: ["dir/in", "dir/out", "missing", "plain"] },
  "scripts": { names: ["script", "nested", "link", "missing/script"] },
  "shells": {},
  "killed": { names: ["last"] },
  "big": {},
  "cancels": { names: ["fifo", "after"] },
  "forks": { names: ["a-1", "d-1", "by-child"] },
  "stacks": { names: ["small", "small2", "missing"] },
  "exec-in-thread": {
    names: ["by-thread", "in"],
    prepare: (dir) => dir.write({ in: "in\n" }),
  },
  "exit-in-thread": {},
};

async function check(one: Behaviour): Promise<void> {
  const found = await differences(one, METHODS);
  assert.equal(found.join("\n\n"), "");
}

Deno.test({
  name: "a traced program behaves as it does untraced",
  ignore,
  fn: async (t) => {
    using dir = new TempDir();
    const program = compileBehave(dir.join("behave"));
    for (const [part, rest] of Object.entries(PARTS)) {
      await t.step(part, () => check({ command: [program, part], ...rest }));
    }
    for (let signal = 1; signal < 32; signal++) {
      // Those that stop: nobody would let it go on.
      if ([19, 20, 21, 22].includes(signal)) continue;
      await t.step(`dies of signal ${signal}`, () =>
        check({
          command: [program, "die", `${signal}`],
          names: ["out"],
        }));
    }
  },
});

const SANITIZERS: Record<string, string[]> = {
  address: ["-fsanitize=address"],
  undefined: ["-fsanitize=undefined"],
  thread: ["-fsanitize=thread"],
};

for (const [name, flags] of Object.entries(SANITIZERS)) {
  Deno.test({
    name: `a program with the ${name} sanitizer behaves as it does untraced`,
    ignore,
    fn: async (t) => {
      using dir = new TempDir();
      const program = compileBehave(dir.join("behave"), ...flags);
      const parts = ["descriptors", "spawns", "scripts", "children"];
      for (const part of parts) {
        await t.step(part, () =>
          check({
            // The first program's own options are the caller's business.
            command: ["/bin/sh", "-c", `${program} ${part}; exit $?`],
            names: PARTS[part]?.names ?? [],
            env: {
              ASAN_OPTIONS: "detect_leaks=0",
              TSAN_OPTIONS: "die_after_fork=0",
            },
          }));
      }
    },
  });
}

const JEMALLOC = "/usr/lib/x86_64-linux-gnu/libjemalloc.so.2";

Deno.test({
  name: "programs with jemalloc behave as they do untraced",
  ignore: ignore || !exists(JEMALLOC),
  fn: async (t) => {
    using dir = new TempDir();
    const linked = compileBehave(dir.join("behave"), JEMALLOC);
    await t.step(
      "linked",
      () => check({ command: [linked, "spawns"], names: ["dir/in"] }),
    );
    await t.step("preloaded", () =>
      check({
        command: [
          "sh",
          "-c",
          "echo ${LD_PRELOAD##*:}; cat in; cat /proc/self/maps | grep -c jemalloc",
        ],
        env: { LD_PRELOAD: JEMALLOC },
        prepare: (dir) => dir.write({ in: "in\n" }),
        names: ["in"],
      }));
  },
});

/** Shell lines, with what they must be seen to access. */
const LINES: Record<string, string[]> = {
  "exit 3": [],
  "./missing; echo $?; ./plain; echo $?; ./dir; echo $?": ["missing", "plain"],
  "no-such-program; echo $?": [],
  "cat missing; echo $?; ls missing; rm missing; rmdir dir plain; mkdir dir": [
    "missing",
    "dir",
  ],
  "set -o pipefail; yes | head -1; echo $?": [],
  "ulimit -n 16; cat plain; (cat plain); echo $?": ["plain"],
  "cat plain <&- ; echo out >&- ; cat missing 2>&-; echo $?": [
    "plain",
    "missing",
  ],
  "exec 5<plain 6>out; ls /proc/self/fd; cat <&5 >&6": ["plain", "out"],
  "env -i /bin/cat plain; env -i PATH=/bin sh -c 'echo $#; cat plain'": [
    "plain",
  ],
  "env -i env | grep -v -e LD_PRELOAD -e CLIBS": [],
  "kill -TERM $$": [],
  "kill -KILL $$": [],
  "(kill -INT $BASHPID); echo $?; sleep 5 & kill $!; wait $!; echo $?": [],
  "trap 'echo caught' USR1; kill -USR1 $$; trap 'echo bye' EXIT; exit 4": [],
  "ulimit -f 1; echo x > out; exec 2>&-; dd if=/dev/zero of=out bs=4096 count=1; echo $?":
    ["out"],
  "ulimit -v 400000; cat plain; ls missing; echo $?": ["plain", "missing"],
  "setsid sh -c 'echo in a session; cat plain'; nohup cat plain </dev/null": [
    "plain",
  ],
  "time -p true 2>/dev/null; timeout 0.1 sleep 5; echo $?; timeout 5 cat plain":
    ["plain"],
  "echo $BASH_VERSION $0 $PPID | wc -w; umask 077; echo x > out; stat -c %a out":
    ["out"],
};

Deno.test({
  name: "shell lines behave as they do untraced",
  ignore: ignore || !has("bash"),
  fn: async (t) => {
    for (const [line, names] of Object.entries(LINES)) {
      await t.step(line, () =>
        check({
          command: ["/bin/bash", "-c", line],
          prepare: (dir) => {
            dir.write({ plain: "plain\n" });
            Deno.mkdirSync(dir.join("dir"));
          },
          names,
        }));
    }
  },
});

for (const method of METHODS) {
  Deno.test({
    name: `${method} loses nothing of processes that are killed`,
    ignore,
    fn: async () => {
      using dir = new TempDir();
      compile("killed", dir.join("killed"));
      const { log, stdout } = await traceCommand({
        command: [dir.join("killed")],
        cwd: dir.path,
        method,
        stdin: "null",
        stdout: "piped",
      });
      const lines = new TextDecoder().decode(stdout).trim().split("\n");
      let count = 0;
      for (const line of lines) {
        const [child = 0, last = -1] = line.split(" ").map(Number);
        for (let i = 0; i <= last; i++) {
          assert.ok(log.accesses.has(dir.join(`${child}-${i}`)), line);
          count++;
        }
      }
      assert.ok(count > 40, `${count}`);
    },
  });
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
