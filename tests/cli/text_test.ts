import assert from "node:assert/strict";
import { wantsColor } from "../../cli/color.ts";
import { canRedraw } from "../../cli/progress.ts";
import {
  displayWidth,
  formatBytes,
  formatDuration,
  truncate,
  wrap,
} from "../../cli/text.ts";

Deno.test("formatBytes() and formatDuration() round to what a person reads", () => {
  const bytes: [number, string][] = [
    [0, "0 B"],
    [999, "999 B"],
    [1000, "1.0 kB"],
    [999_940, "999.9 kB"],
    [999_950, "1.0 MB"],
    [2.5e9, "2.5 GB"],
    [7e13, "70000.0 GB"],
  ];
  for (const [n, text] of bytes) assert.equal(formatBytes(n), text);
  const times: [number, string][] = [
    [0, "0.0 s"],
    [49, "0.0 s"],
    [9_940, "9.9 s"],
    [9_950, "10 s"],
    [59_400, "59 s"],
    [59_600, "1 min 0 s"],
    [3_725_000, "62 min 5 s"],
  ];
  for (const [ms, text] of times) assert.equal(formatDuration(ms), text);
});

Deno.test("displayWidth() counts terminal columns", () => {
  const cases: [string, number][] = [
    ["", 0],
    ["abc", 3],
    ["\u6f22\u5b57", 4],
    ["e\u0301", 1],
    ["\u{1f600}", 2],
    ["\u{1f468}\u200d\u{1f469}\u200d\u{1f467}", 2],
    ["\uff21", 2],
    ["\u00e4\u0416", 2],
  ];
  for (const [text, width] of cases) assert.equal(displayWidth(text), width);
});

Deno.test("truncate() cuts between characters, never beyond the width", () => {
  assert.equal(truncate("abcdefgh", 8), "abcdefgh");
  assert.equal(truncate("abcdefghi", 8), "abcde...");
  assert.equal(
    truncate("\u6f22\u5b57\u6f22\u5b57\u6f22", 8),
    "\u6f22\u5b57...",
  );
  assert.equal(truncate("abc", 2), "ab");
  assert.equal(truncate("abc", 0), "");
});

Deno.test("wrap() breaks at spaces and leaves long words whole", () => {
  assert.deepEqual(wrap("aa bb cc", 5), ["aa bb", "cc"]);
  assert.deepEqual(wrap("aaaaaaaa b", 5), ["aaaaaaaa", "b"]);
  assert.deepEqual(wrap("", 5), [""]);
});

Deno.test("wantsColor() heeds the flag, NO_COLOR, FORCE_COLOR, then the terminal", () => {
  const cases: [
    Parameters<typeof wantsColor>[0],
    boolean,
    Record<string, string>,
    boolean,
  ][] = [
    ["auto", true, {}, true],
    ["auto", false, {}, false],
    ["auto", true, { NO_COLOR: "1" }, false],
    ["auto", true, { NO_COLOR: "" }, true],
    ["auto", false, { FORCE_COLOR: "1" }, true],
    ["auto", true, { FORCE_COLOR: "0" }, false],
    ["auto", false, { FORCE_COLOR: "1", NO_COLOR: "1" }, false],
    ["auto", true, { TERM: "dumb" }, false],
    ["always", false, { NO_COLOR: "1" }, true],
    ["never", true, { FORCE_COLOR: "1" }, false],
  ];
  for (const [mode, terminal, env, expected] of cases) {
    assert.equal(
      wantsColor(mode, terminal, (name) => env[name]),
      expected,
      JSON.stringify([mode, terminal, env]),
    );
  }
});

Deno.test("canRedraw() wants a capable terminal with a person at it", () => {
  const cases: [boolean, Record<string, string>, boolean][] = [
    [true, {}, true],
    [false, {}, false],
    [true, { CI: "true" }, false],
    [true, { CI: "false" }, true],
    [true, { TERM: "dumb" }, false],
  ];
  for (const [terminal, env, expected] of cases) {
    assert.equal(canRedraw(terminal, (name) => env[name]), expected);
  }
});
