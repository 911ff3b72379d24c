/** Pruning where it must not go, or cannot. */

import { deepEqual, equal, throws } from "node:assert/strict";
import { pruneCache } from "../../lib/engines/prune.ts";
import { TempDir } from "../support/temp.ts";

function project(): TempDir {
  const dir = new TempDir();
  dir.write({ "deno.json": "{}", "core/engines/cpu.cpp": "" });
  return dir;
}

for (const place of [".clibs", ".clibs/cache"]) {
  Deno.test(`pruneCache() leaves alone what a link ${place} leads to`, () => {
    using dir = project();
    using other = new TempDir();
    other.write({ "cache/ffi-a/x.so": "keep", "ffi-a/x.so": "keep" });
    other.write({ "cache/.removed-0/x": "keep", ".removed-0/x": "keep" });
    if (place.includes("/")) Deno.mkdirSync(dir.join(".clibs"));
    Deno.symlinkSync(other.path, dir.join(place));
    const sourceDir = dir.join("core/engines");
    const report = pruneCache({ sourceDir, maxVersions: 0 });
    deepEqual(report.removed, []);
    deepEqual(report.skipped, [
      { path: ".", reason: "a link leads to the cache" },
    ]);
    for (const path of ["cache/ffi-a/x.so", "ffi-a/x.so", ".removed-0/x"]) {
      equal(other.read(path), "keep");
    }
  });
}

Deno.test("pruneCache() removes links in the cache, not what they lead to", () => {
  using dir = project();
  using other = new TempDir();
  other.write({ "k/x.so": "keep", "l.so": "keep" });
  dir.write({ ".clibs/cache/ffi-a/x.so": "x" });
  Deno.symlinkSync(other.join("k"), dir.join(".clibs/cache/ffi-a/link"));
  const sourceDir = dir.join("core/engines");
  deepEqual(pruneCache({ sourceDir, maxVersions: 0 }).removed, ["ffi-a"]);
  equal(other.read("k/x.so"), "keep");
});

Deno.test("pruneCache() goes on after a key that it cannot read", () => {
  using dir = project();
  dir.write({
    ".clibs/cache/ffi-a/x.so": "x",
    ".clibs/cache/ffi-b/x.so": "x",
  });
  Deno.symlinkSync("x.lock", dir.join(".clibs/cache/ffi-a/x.lock"));
  const sourceDir = dir.join("core/engines");
  const report = pruneCache({ sourceDir, maxVersions: 0 });
  deepEqual(report.removed, ["ffi-b"]);
  deepEqual(report.skipped.map(({ path }) => path), ["ffi-a"]);
});

Deno.test("pruneCache() refuses limits that would let everything go", async (t) => {
  const limits: [string, Record<string, number>][] = [
    ["maxVersions", { maxVersions: NaN }],
    ["maxVersions", { maxVersions: -1 }],
    ["maxAgeDays", { maxAgeDays: NaN }],
    ["maxAgeDays", { maxAgeDays: -0.5 }],
  ];
  for (const [name, limit] of limits) {
    await t.step(JSON.stringify(limit), () => {
      using dir = project();
      dir.write({ ".clibs/cache/ffi-a/x.so": "x" });
      const sourceDir = dir.join("core/engines");
      throws(() => pruneCache({ sourceDir, ...limit }), {
        name: "RangeError",
        message: `${name} must be 0 or more`,
      });
      equal(dir.has(".clibs/cache/ffi-a/x.so"), true);
    });
  }
});

Deno.test("pruneCache() has nothing to do without a cache", () => {
  using dir = project();
  const { removed, skipped } = pruneCache({
    sourceDir: dir.join("core/engines"),
  });
  deepEqual([removed, skipped], [[], []]);
});
