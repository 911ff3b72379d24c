import assert from "node:assert/strict";
import { LiveView, renderTasks } from "../../cli/progress_live.ts";
import { type Tasks, updateTasks } from "../../cli/progress_tasks.ts";
import { displayWidth } from "../../cli/text.ts";
import { FeedbackBus, type TaskKind } from "../../mod.ts";
import { stage } from "./stage.ts";

/** Tasks as they are after some events, at the clock's time. */
function tasksAfter(
  play: (bus: FeedbackBus, at: (ms: number) => void) => void,
): Tasks {
  let now = 0;
  const tasks: Tasks = new Map();
  const bus = new FeedbackBus(() => now);
  bus.subscribe((event) => updateTasks(tasks, event));
  play(bus, (ms) => now = ms);
  return tasks;
}

function start(bus: FeedbackBus, task: string, kind: TaskKind, label: string) {
  bus.emit("info", "task.start", "", { task, kind, label });
}

const busy = tasksAfter((bus, at) => {
  start(bus, "f", "fetch", "zlib-1.3.tar.gz");
  start(bus, "u", "fetch", "gc.tar.xz");
  start(bus, "x", "extract", "boost.zip");
  start(bus, "g", "git", "bdwgc");
  start(bus, "b", "build", "libpng");
  at(1000);
  bus.emit("debug", "task.progress", "", {
    task: "f",
    bytes: 600_000,
    totalBytes: 1_500_000,
  });
  bus.emit("debug", "task.progress", "", { task: "u", bytes: 2_500_000 });
  bus.emit("debug", "task.progress", "", {
    task: "x",
    entries: 1200,
    bytes: 7_000_000,
  });
  bus.emit("debug", "task.progress", "", {
    task: "g",
    line: "Receiving objects:  45% (450/1000)\r",
  });
  bus.emit("debug", "command.output", "", {
    task: "b",
    stream: "stdout",
    line: "\x1b[32m[ 12%] Building C object\x1b[0m png.o",
  });
});

Deno.test("renderTasks() shows of each kind what matters", () => {
  assert.deepEqual(renderTasks(busy, 12_300, { columns: 100, rows: 24 }), [
    "fetch zlib-1.3.tar.gz  [========            ] 40%  600.0 kB of 1.5 MB  48.8 kB/s",
    "fetch gc.tar.xz  2.5 MB  203.3 kB/s",
    "extract boost.zip  1200 entries  7.0 MB",
    "git bdwgc  12 s  Receiving objects:  45% (450/1000)",
    "build libpng  12 s  [ 12%] Building C object png.o",
  ]);
});

Deno.test("renderTasks() fits any terminal", () => {
  const wide = tasksAfter((bus) => {
    for (let i = 0; i < 30; i++) start(bus, `${i}`, "build", `p${i}`);
    bus.emit("debug", "task.progress", "", {
      task: "0",
      line: "\u6f22\u5b57".repeat(100) + "\u{1f600}e\u0301",
    });
  });
  for (const tasks of [busy, wide]) {
    for (const columns of [1, 2, 10, 33, 34, 80]) {
      for (const rows of [1, 2, 3, 5, 24]) {
        const lines = renderTasks(tasks, 99_000, { columns, rows });
        assert.ok(lines.length <= Math.max(1, rows - 1), `${rows} rows`);
        for (const line of lines) {
          assert.ok(displayWidth(line) < columns, `${columns}: ${line}`);
        }
      }
    }
  }
  assert.deepEqual(renderTasks(wide, 0, { columns: 30, rows: 4 }), [
    "build p0  0 s  \u6f22\u5b57\u6f22\u5b57\u6f22...",
    "build p1  0 s",
    "... and 28 more",
  ]);
});

Deno.test("the live view draws at each tick, below the lines that stay", () => {
  const { bus, output, at, tick, timers } = stage((options) =>
    new LiveView(options)
  );
  start(bus, "1", "build", "zlib");
  start(bus, "2", "build", "gc");
  assert.equal(output(), "", "nothing before the first tick");
  tick(100);
  assert.equal(
    output(),
    "\x1b[?25lbuild zlib  0 s\x1b[K\nbuild gc  0 s\x1b[K\x1b[J",
  );
  tick(200);
  assert.equal(output(), "", "nothing has changed");
  at(1000);
  bus.emit("info", "task.end", "", {
    task: "1",
    status: "done",
    durationMs: 1000,
  });
  bus.emit("warn", "note", "careful", { about: "test" });
  tick(1100);
  assert.equal(
    output(),
    "\r\x1b[1Abuild zlib (1.0 s)\x1b[K\nwarning: careful\x1b[K\n" +
      "build gc  1 s\x1b[K\x1b[J",
  );
  bus.emit("info", "task.end", "", {
    task: "2",
    status: "failed",
    durationMs: 1200,
  });
  assert.equal(
    output(),
    "\rbuild gc: failed (1.2 s)\x1b[K\n\x1b[J\x1b[?25h",
    "the last task gives the terminal back at once",
  );
  assert.equal(timers(), 0);
});

Deno.test("the live view makes room for other output and draws again", () => {
  const { bus, view, output, tick } = stage((options) => new LiveView(options));
  start(bus, "1", "build", "zlib");
  tick(100);
  output();
  view.clear();
  assert.equal(output(), "\r\x1b[J\x1b[?25h");
  view.clear();
  assert.equal(output(), "");
  tick(200);
  assert.equal(output(), "\x1b[?25lbuild zlib  0 s\x1b[K\x1b[J");
  view.close();
  view.close();
  assert.equal(output(), "\r\x1b[J\x1b[?25h");
});

Deno.test("the live view erases lines that a narrower terminal has wrapped", () => {
  const { bus, output, tick, size } = stage((options) => new LiveView(options));
  start(bus, "1", "build", "x".repeat(50));
  tick(100);
  output();
  size.columns = 20;
  tick(200);
  // 61 columns take four rows of 20.
  assert.ok(output().startsWith("\r\x1b[3A"));
});

Deno.test("the live view has a line for the whole below the tasks", () => {
  const { bus, view, output, tick, timers } = stage((options) =>
    new LiveView(options)
  );
  const status = (line: string) => bus.emit("debug", "status", line, { line });
  view.print("before\n");
  assert.equal(output(), "before\n", "at once where nothing is drawn");
  status("1 done\x1b[1m, 2 running");
  tick(100);
  assert.equal(output(), "\x1b[?25l1 done, 2 running\x1b[K\x1b[J");
  view.print("one\ntwo\n");
  assert.equal(output(), "", "with the next frame");
  start(bus, "1", "build", "zlib");
  status("2 done");
  tick(200);
  assert.equal(
    output(),
    "\rone\x1b[K\ntwo\x1b[K\nbuild zlib  0 s\x1b[K\n2 done\x1b[K\x1b[J",
  );
  bus.emit("info", "task.end", "", {
    task: "1",
    status: "done",
    durationMs: 100,
  });
  view.print("three\n");
  status("");
  assert.equal(
    output(),
    "\r\x1b[1Abuild zlib (0.1 s)\x1b[K\nthree\x1b[K\n\x1b[J\x1b[?25h",
    "without tasks and status, the terminal is given back",
  );
  assert.equal(timers(), 0);
});

Deno.test("the line for the whole fits any terminal", () => {
  for (const columns of [1, 2, 10, 33, 80]) {
    for (const rows of [1, 2, 3, 5, 24]) {
      for (const tasks of [busy, new Map()]) {
        const size = { columns, rows };
        const lines = renderTasks(tasks, 9000, size, "3 done, ".repeat(20));
        assert.ok(lines.length <= Math.max(1, rows - 1), `${rows} rows`);
        for (const line of lines) {
          assert.ok(displayWidth(line) < columns, `${columns}: ${line}`);
        }
      }
    }
  }
});
