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
  ["https://example.org/fmt-v10.1.zip", "fmt", "10.1"],
  ["https://example.org/ivmai/bdwgc.git", "bdwgc", undefined],
  ["git@example.org:me/gtk+.git", "gtk+", undefined],
  ["https://example.org/me/repo/", "repo", undefined],
  ["../boost-1_84_0.tar.bz2", "boost", "1_84_0"],
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
