import assert from "node:assert/strict";
import { PlainView } from "../../cli/progress_plain.ts";
import { stage } from "./stage.ts";

Deno.test("the plain view prints one line when a task starts and one when it ends", () => {
  const { bus, output, at } = stage((options) => new PlainView(options));
  at(0);
  bus.emit("info", "task.start", "", {
    task: "1",
    kind: "fetch",
    label: "zlib-1.3.tar.gz",
  });
  bus.emit("debug", "task.progress", "", {
    task: "1",
    bytes: 1_500_000,
    totalBytes: 1_500_000,
  });
  bus.emit("info", "task.end", "", {
    task: "1",
    status: "done",
    durationMs: 300,
  });
  bus.emit("info", "task.start", "", {
    task: "2",
    kind: "extract",
    label: "zlib-1.3.tar.gz",
  });
  bus.emit("debug", "task.progress", "", { task: "2", entries: 253 });
  bus.emit("error", "task.end", "", {
    task: "2",
    status: "failed",
    durationMs: 75_400,
  });
  assert.equal(
    output(),
    `fetch zlib-1.3.tar.gz ...
fetch zlib-1.3.tar.gz (1.5 MB, 0.3 s)
extract zlib-1.3.tar.gz ...
extract zlib-1.3.tar.gz: failed (253 entries, 1 min 15 s)
`,
  );
});

Deno.test("the plain view says what is running after 10 s of silence", () => {
  const { bus, output, at, tick, timers } = stage((options) =>
    new PlainView(options)
  );
  at(0);
  bus.emit("info", "task.start", "", {
    task: "1",
    kind: "build",
    label: "zlib",
  });
  bus.emit("info", "task.start", "", {
    task: "2",
    kind: "fetch",
    label: "gc.tar.xz",
  });
  bus.emit("debug", "command.output", "", {
    task: "1",
    stream: "stderr",
    line: "\x1b[1mCC\x1b[0m a.c\r[2/9] CC b.c\x07",
  });
  bus.emit("debug", "task.progress", "", { task: "2", bytes: 20_000 });
  tick(9_999);
  assert.equal(output(), "build zlib ...\nfetch gc.tar.xz ...\n");
  tick(10_000);
  assert.equal(
    output(),
    "build zlib: 10 s, still running: [2/9] CC b.c\\x07\n" +
      "fetch gc.tar.xz: 10 s, still running: 20.0 kB\n",
  );
  tick(19_000);
  assert.equal(output(), "");
  at(19_500);
  bus.emit("warn", "note", "a warning", { about: "test" });
  tick(29_000);
  assert.equal(output(), "warning: a warning\n");
  tick(29_500);
  assert.match(output(), /^build zlib: 30 s, still running/);
  for (const task of ["1", "2"]) {
    bus.emit("info", "task.end", "", { task, status: "done", durationMs: 1 });
  }
  assert.equal(timers(), 0);
});

Deno.test("the plain view writes no control characters", () => {
  const { bus, output } = stage(
    (options) => new PlainView({ ...options, verbose: true }),
  );
  const hostile = "a\x1b]0;title\x07b\x1b[2Jc\x00\u202ed\x9be\nf";
  bus.emit("info", "task.start", "", {
    task: "1",
    kind: "git",
    label: hostile,
  });
  bus.emit("debug", "command.output", "", {
    task: "1",
    stream: "stdout",
    line: hostile,
  });
  bus.emit("warn", "note", hostile, { about: "test" });
  bus.emit("info", "lock.wait", hostile, { path: "", owner: "" });
  bus.emit("info", "task.end", "", {
    task: "1",
    status: "done",
    durationMs: 0,
  });
  const safe = "abc\\x00\\u202ed\\x9be\\nf";
  assert.equal(
    output(),
    `git ${safe} ...
${safe} | ${safe}
warning: ${safe}
${safe}
git ${safe} (0.0 s)
`,
  );
});
