import { deepEqual, equal } from "node:assert/strict";
import { StatList } from "../../lib/host/stat_list.ts";
import { lstatNs, stampText } from "../../lib/host/statx.ts";
import { TempDir } from "../support/temp.ts";

/** A list of files as they are. */
function listOf(dir: TempDir, ...names: string[]): StatList {
  const list = new StatList();
  for (const name of names) {
    const stat = lstatNs(dir.join(name));
    const isFile = stat && (stat.mode & 0o170000) !== 0o040000;
    list.add(dir.join(name), isFile ? stampText(stat) : "");
  }
  return list;
}

const CHANGES: Record<string, (dir: TempDir) => void> = {
  "content": (dir) => dir.write({ a: "A" }),
  "size": (dir) => dir.write({ a: "longer" }),
  "removed": (dir) => Deno.removeSync(dir.join("a")),
  "came": (dir) => dir.write({ none: "" }),
  "a link": (dir) => {
    Deno.removeSync(dir.join("link"));
    Deno.symlinkSync("b", dir.join("link"));
  },
  "mode": (dir) => Deno.chmodSync(dir.join("a"), 0o700),
  "date": (dir) => Deno.utimeSync(dir.join("a"), 5, 5),
  "renamed over": (dir) => Deno.renameSync(dir.join("b"), dir.join("a")),
  "a folder instead": (dir) => {
    Deno.removeSync(dir.join("a"));
    Deno.mkdirSync(dir.join("a"));
  },
  "a file instead of a folder": (dir) => {
    Deno.removeSync(dir.join("folder"));
    dir.write({ folder: "" });
  },
};

for (const [what, change] of Object.entries(CHANGES)) {
  Deno.test(`StatList sees a change: ${what}`, () => {
    using dir = new TempDir();
    dir.write({ a: "a", b: "b" });
    Deno.mkdirSync(dir.join("folder"));
    Deno.symlinkSync("a", dir.join("link"));
    const list = listOf(dir, "b", "a", "none", "link", "folder", "a/below");
    equal(list.length, 6);
    deepEqual(list.changed(), []);
    deepEqual(list.changed(), []);
    change(dir);
    equal(list.changed(1).length, 1);
  });
}

Deno.test("StatList takes files as they are later", () => {
  using dir = new TempDir();
  dir.write({ a: "a" });
  const list = listOf(dir, "a");
  deepEqual(list.changed(), []);
  dir.write({ "ü\u{1f600}": "", "folder/x": "" });
  for (const name of ["ü\u{1f600}", "folder", "none", "a\0b"]) {
    const stat = name.includes("\0") ? undefined : lstatNs(dir.join(name));
    const isFile = stat && (stat.mode & 0o170000) !== 0o040000;
    list.add(dir.join(name), isFile ? stampText(stat) : "");
  }
  deepEqual(list.changed(), []);
});

Deno.test("StatList is not fooled by dates that are early, or long texts", () => {
  using dir = new TempDir();
  dir.write({ a: "a" });
  for (const seconds of [-7.5, 0, 0.5, 1, 4e9]) {
    Deno.utimeSync(dir.join("a"), seconds, seconds);
    const list = listOf(dir, "a");
    // That it cannot tell is no answer that all is well.
    if (seconds >= 1) deepEqual(list.changed(), []);
    Deno.utimeSync(dir.join("a"), seconds + 1, seconds + 1);
    deepEqual(list.changed(), [0], String(seconds));
  }
  const list = new StatList();
  list.add(`/${"x".repeat(300)}`, "");
  list.add(`/${"y/".repeat(3000)}`, "");
  deepEqual(list.changed(), []);
});

Deno.test("StatList tells which, no more than are wanted, until it is told", () => {
  using dir = new TempDir();
  dir.write({ a: "a", b: "b", c: "c" });
  const list = listOf(dir, "a", "b", "c");
  dir.write({ a: "A!", c: "C!" });
  deepEqual(list.changed(), [0, 2]);
  deepEqual(list.changed(1), [0]);
  list.set(2, stampText(lstatNs(dir.join("c"))!));
  deepEqual(list.changed(), [0]);
  list.set(0, "");
  deepEqual(list.changed(), [0]);
  Deno.removeSync(dir.join("a"));
  deepEqual(list.changed(), []);
});
