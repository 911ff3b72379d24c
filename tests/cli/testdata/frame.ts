/**
 * The frame with commands of the test's own: `build` plays a scene on the bus,
 * named by its first argument.
 */

import type { CommandContext } from "../../../cli/command.ts";
import { run } from "../../../cli/run.ts";
import { CancelledError, ClibsError } from "../../../mod.ts";

const scenes: Record<string, (context: CommandContext) => Promise<number>> = {
  /** Runs until it is interrupted. */
  wait({ bus, signal }) {
    bus.emit("info", "task.start", "", {
      task: "b",
      kind: "build",
      label: "zlib",
    });
    const alive = setInterval(() => {}, 1000);
    return new Promise((_, reject) =>
      signal.addEventListener("abort", () => {
        clearInterval(alive);
        bus.emit("info", "task.end", "", {
          task: "b",
          status: "cancelled",
          durationMs: 1234,
        });
        reject(new CancelledError());
      })
    );
  },
  /** Does not listen to the signal. */
  deaf({ bus }) {
    bus.emit("info", "task.start", "", {
      task: "b",
      kind: "build",
      label: "zlib",
    });
    setInterval(() => {}, 1000);
    return new Promise(() => {});
  },
  /** Prints a result on both ways, and fails. */
  fail(context) {
    context.stdout("zlib failed\n");
    context.result({ packages: ["zlib"] });
    return Promise.resolve(1);
  },
  /** Throws after it has a result. */
  throws(context) {
    context.result({ packages: ["zlib"] });
    throw new ClibsError("CLIBS_DISK_FULL", "Cannot build zlib", {
      facts: { log: "/x\x1b[2J", tail: "a\nb" },
      hint: "free some space",
      cause: new Error("no space"),
    });
  },
  /** Throws what is no error of clibs. */
  bug() {
    throw new TypeError("x is not a function");
  },
  /** Says one thing of each level. */
  notes({ bus }) {
    for (const level of ["debug", "info", "warn", "error"] as const) {
      bus.emit(level, "note", `a ${level} note`, { about: "test" });
    }
    bus.emit("info", "lock.wait", "waiting for pid 12 building zlib", {
      path: "/l",
      owner: "pid 12 building zlib",
    });
    bus.emit("info", "task.start", "", {
      task: "b",
      kind: "build",
      label: "zlib",
    });
    bus.emit("debug", "command.output", "cc -c a.c", {
      task: "b",
      stream: "stdout",
      line: "cc -c \x1b[31ma.c\x1b[0m",
    });
    bus.emit("info", "task.end", "", {
      task: "b",
      status: "done",
      durationMs: 300,
    });
    return Promise.resolve(0);
  },
  /** More than a pipe holds. */
  flood({ stdout }) {
    for (let i = 0; i < 20000; i++) stdout(`line ${i}\n`);
    return Promise.resolve(0);
  },
  /** Two tasks that stay until there is a file `go`. */
  async live({ bus, signal }) {
    bus.emit("info", "task.start", "", {
      task: "f",
      kind: "fetch",
      label: "zlib-1.3.tar.gz",
    });
    bus.emit("debug", "task.progress", "", {
      task: "f",
      bytes: 500_000,
      totalBytes: 1_000_000,
    });
    bus.emit("info", "task.start", "", {
      task: "b",
      kind: "build",
      label: "bdwgc",
    });
    bus.emit("debug", "command.output", "", {
      task: "b",
      stream: "stdout",
      line: "[ 50%] Building C object \u6f22\u5b57.o",
    });
    bus.emit("warn", "note", "a warning", { about: "test" });
    while (!signal.aborted && !exists("go")) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const status = signal.aborted ? "cancelled" : "done";
    for (const task of ["f", "b"]) {
      bus.emit("info", "task.end", "", { task, status, durationMs: 100 });
    }
    if (signal.aborted) throw new CancelledError();
    return 0;
  },
};

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}

Deno.exitCode = await run(Deno.args, {
  load: () =>
    Promise.resolve({
      run: (context, [scene]) => scenes[scene!]!(context),
    }),
});
