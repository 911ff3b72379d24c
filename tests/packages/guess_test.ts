import { deepEqual, equal } from "node:assert/strict";
import {
  guessBuild,
  guessNameVersion,
  versionOfTag,
} from "../../lib/packages/guess.ts";
import { TempDir } from "../support/temp.ts";

const addresses: [string, string | undefined, string | undefined][] = [
  ["https://zlib.net/zlib-1.3.1.tar.gz", "zlib", "1.3.1"],
  ["https://example.org/x/libpng_1.6.39.orig.tar.xz?a=1", "libpng", "1.6.39"],
  ["https://example.org/archive/v2.0.tar.gz", undefined, "2.0"],
  [
    "https://example.org/madler/zlib/archive/refs/tags/v1.3.1.tar.gz",
    "zlib",
    "1.3.1",
  ],
  ["https://example.org/me/lib/archive/main.zip", "lib", undefined],
  ["https://example.org/me/lib/-/archive/1.2/1.2.zip", "lib", "1.2"],
  ["https://example.org/fmt-v10.1.zip", "fmt", "10.1"],
  ["https://example.org/ivmai/bdwgc.git", "bdwgc", undefined],
  ["git@example.org:me/gtk+.git", "gtk+", undefined],
  ["https://example.org/me/repo/", "repo", undefined],
  ["../boost-1_84_0.tar.bz2", "boost", "1.84.0"],
  ["https://example.org/.tar.gz", undefined, undefined],
];

Deno.test("guessNameVersion() reads addresses", async (t) => {
  for (const [address, name, version] of addresses) {
    await t.step(address, () => {
      const guess = guessNameVersion(address);
      equal(guess.name, name);
      equal(guess.version, version);
    });
  }
});

const tags: [string, string][] = [
  ["v8.2.8", "8.2.8"],
  ["1.2", "1.2"],
  ["zlib-1.2.13", "1.2.13"],
  ["release_1_2_3", "1.2.3"],
  ["v2.0rc1", "2.0rc1"],
  ["main", "main"],
  ["v1.0-rc1", "1.0-rc1"],
  ["3.0.0-alpha.1", "3.0.0-alpha.1"],
  ["curl-8_6_0", "8.6.0"],
  ["release/1.2", "1.2"],
  ["feature/x", "feature-x"],
  // A regular expression without care takes minutes for this one.
  [`1${"_".repeat(200)}!`, `1${"_".repeat(200)}!`],
];

Deno.test("versionOfTag() finds the version", async (t) => {
  for (const [tag, version] of tags) {
    await t.step(tag, () => equal(versionOfTag(tag), version));
  }
});

const trees: [string[], string, string][] = [
  [["CMakeLists.txt", "configure", "Makefile"], "cmake", "CMakeLists.txt"],
  [["meson.build", "Makefile"], "meson", "meson.build"],
  [["configure", "Makefile.in"], "autotools", "configure"],
  [["configure.ac"], "autotools", "configure.ac"],
  [["Makefile", "include/x.h"], "make", "Makefile"],
  [["include/x.h"], "header-only", "include"],
  [["build/cmake/CMakeLists.txt"], "cmake", "build/cmake/CMakeLists.txt"],
  [["Makefile/x", "configure/x"], "unknown", "nothing known"],
  [["one.hpp", "README"], "header-only", "one.hpp"],
  [["one.h", "one.c"], "unknown", "nothing known"],
  [["README"], "unknown", "nothing known"],
];

Deno.test("guessBuild() takes the surest sign", async (t) => {
  for (const [files, system, why] of trees) {
    await t.step(files.join(" "), () => {
      using dir = new TempDir();
      dir.write(Object.fromEntries(files.map((file) => [file, ""])));
      const guess = guessBuild(dir.path);
      deepEqual([guess.system, guess.why], [system, why]);
    });
  }
});
