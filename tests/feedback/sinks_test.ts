import assert from "node:assert/strict";
import {
  escapeControls,
  FeedbackBus,
  jsonLines,
  openFileSink,
  plainLine,
} from "../../mod.ts";
import { TempDir } from "../support/temp.ts";

Deno.test("openFileSink() appends a line for each event but progress", () => {
  using dir = new TempDir();
  dir.write({ "a.log": "before\n" });
  const sink = openFileSink(dir.join("a.log"));
  const bus = new FeedbackBus(() => Date.UTC(2026, 0, 31, 12));
  bus.subscribe(sink.subscriber);
  bus.emit("info", "task.start", "build zlib", {
    task: "1",
    kind: "build",
    label: "zlib",
  });
  bus.emit("debug", "task.progress", "build zlib", { task: "1", bytes: 1 });
  bus.emit("warn", "note", "two\nlines \x1b[31mred\x1b[0m", { about: "test" });
  // Each line is on the disk at once.
  assert.equal(
    dir.read("a.log"),
    `before
2026-01-31T12:00:00.000Z INFO  build zlib
2026-01-31T12:00:00.000Z WARN  two\\nlines red
`,
  );
  sink.close();
  sink.close();
  bus.emit("info", "note", "late", { about: "test" });
  assert.doesNotMatch(dir.read("a.log"), /late/);
});

Deno.test("openFileSink() writes JSON lines to a file named so", () => {
  using dir = new TempDir();
  const sink = openFileSink(dir.join("a.jsonl"));
  const bus = new FeedbackBus(() => 5);
  bus.subscribe(sink.subscriber);
  bus.emit("debug", "task.progress", "x", { task: "1", bytes: 7 });
  bus.emit("info", "note", "a\nb", { about: "test" });
  sink.close();
  const lines = dir.read("a.jsonl").trimEnd().split("\n");
  assert.deepEqual(lines.map((line) => JSON.parse(line)), [
    {
      time: 5,
      level: "debug",
      code: "task.progress",
      message: "x",
      fields: { task: "1", bytes: 7 },
    },
    {
      time: 5,
      level: "info",
      code: "note",
      message: "a\nb",
      fields: { about: "test" },
    },
  ]);
});

Deno.test("jsonLines() writes whole lines", () => {
  const lines: string[] = [];
  const bus = new FeedbackBus(() => 1);
  bus.subscribe(jsonLines((line) => lines.push(line)));
  bus.emit("info", "note", "m", { about: "a" });
  assert.deepEqual(lines, [
    '{"time":1,"level":"info","code":"note","message":"m","fields":{"about":"a"}}\n',
  ]);
});

Deno.test("escapeControls() leaves nothing that a terminal would obey", () => {
  const cases: [string, string][] = [
    ["plain \u00e4\u6f22 text\t.", "plain \u00e4\u6f22 text\t."],
    ["a\x1b[31mb", "a\\x1b[31mb"],
    ["\0\x07\x7f\x85\x9b", "\\x00\\x07\\x7f\\x85\\x9b"],
    ["a\r\nb", "a\\r\\nb"],
    ["\u202egpj.exe\u2066\u2028", "\\u202egpj.exe\\u2066\\u2028"],
  ];
  for (const [text, expected] of cases) {
    assert.equal(escapeControls(text), expected);
  }
});

Deno.test("plainLine() removes colours and shows the last state of a line", () => {
  const cases: [string, string][] = [
    ["\x1b[1;32mok\x1b[0m", "ok"],
    ["10%\r 50%\r100%", "100%"],
    ["windows\r", "windows"],
    ["\x1b]8;;http://x\x1b\\link\x1b]8;;\x07", "link"],
    ["\x1b[", "\\x1b["],
  ];
  for (const [text, expected] of cases) assert.equal(plainLine(text), expected);
});
