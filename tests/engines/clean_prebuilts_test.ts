/** Prebuilts, which cleaning keeps wherever they are. */

import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { cleanBinaries } from "../../lib/engines/clean.ts";
import { TempDir } from "../support/temp.ts";

Deno.test("cleanBinaries() keeps prebuilts, and a project's own files, in an output folder", async () => {
  for (const output of [".", "assets", "assets/binaries"]) {
    using dir = new TempDir();
    dir.write({ "deno.json": "{}", "deno.lock": "keep" });
    dir.write({ "core/engines/cpu.cpp": "" });
    const python =
      "assets/binaries/ffi-KEY/cpu.cpython-313-x86_64-linux-gnu.so";
    dir.write({ "assets/binaries/cpu.so": "keep", [python]: "keep" });
    const { skipped } = await cleanBinaries({
      sourceDir: dir.join("core/engines"),
      outputDir: dir.join(output),
      profile: "release",
    });
    ok(skipped.length > 0);
    for (const { reason } of skipped) equal(reason, "a prebuilt");
    for (const path of ["assets/binaries/cpu.so", python, "deno.lock"]) {
      equal(dir.read(path), "keep");
    }
  }
});

Deno.test("cleanBinaries() keeps prebuilts that a link puts into a build folder", async () => {
  using dir = new TempDir();
  dir.write({ "deno.json": "{}", "dist/k/cpu.so": "keep" });
  Deno.mkdirSync(dir.join("assets"));
  Deno.symlinkSync("../dist", dir.join("assets/binaries"));
  const { skipped } = await cleanBinaries({
    sourceDir: dir.join("core/engines"),
    profile: "release",
  });
  deepEqual(skipped, [{ path: "dist", reason: "a prebuilt" }]);
  equal(dir.read("dist/k/cpu.so"), "keep");
});

Deno.test("cleanBinaries() tells that there is no project", async () => {
  using dir = new TempDir();
  const sourceDir = dir.join("none/core/engines");
  await rejects(cleanBinaries({ sourceDir }), {
    code: "CLIBS_ENGINE_SOURCES",
    message: `Cannot clean engines: there is no folder ${sourceDir}`,
    hint: "name the folder with --source-dir (sourceDir)",
  });
});
