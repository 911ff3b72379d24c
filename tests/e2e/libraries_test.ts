/**
 * Libraries of many makes, from the tarballs of their authors: each is built,
 * and then used as a consumer would.
 */

import { equal, match } from "node:assert/strict";
import { Session } from "../support/session.ts";
import { has } from "../support/tools.ts";
import { upstream } from "../support/upstream.ts";

/** A library and a program that uses it. */
interface Library {
  /** What it stands for. */
  name: string;
  /** Debian's source package. */
  source: string;
  /** Build command, and whatever else pkg.yaml has. */
  build: string;
  /** Tools besides a compiler. */
  tools?: string[];
  /** A C or C++ program. */
  program: string;
  /** Compiles it as `use`. */
  compile: string;
  /** What it prints; VERSION stands for the release's. */
  prints: string;
}

const autotools = `./configure --prefix="$CLIBS_BUILD_DIR" --disable-shared
make -j"$CLIBS_JOBS"
make install`;

const libraries: Library[] = [
  {
    name: "lua: a plain Makefile",
    source: "lua5.4",
    build: `make -j"$CLIBS_JOBS" MYCFLAGS=-fPIC generic
make install INSTALL_TOP="$CLIBS_BUILD_DIR"`,
    program: `#include <lua.h>
#include <lauxlib.h>
#include <lualib.h>
int main(void) {
  lua_State *L = luaL_newstate();
  luaL_openlibs(L);
  return luaL_dostring(L, "print(_VERSION)");
}`,
    compile: "cc use.c -llua -lm -o use",
    prints: "Lua 5.4\n",
  },
  {
    name: "bzip2: a Makefile with absolute links",
    source: "bzip2",
    build: `make -j"$CLIBS_JOBS" install PREFIX="$CLIBS_BUILD_DIR"`,
    program: `#include <bzlib.h>
#include <stdio.h>
int main(void) { puts(BZ2_bzlibVersion()); }`,
    compile: "cc use.c -lbz2 -o use; readlink -e $CLIBS_LIB_DIR/bin/bzless >&2",
    prints: "1.0.8, 13-Jul-2019\n",
  },
  {
    name: "libogg: autotools, .xz, found by pkg-config",
    source: "libogg",
    build: autotools,
    tools: ["pkg-config"],
    program: `#include <ogg/ogg.h>
#include <stdio.h>
int main(void) {
  ogg_sync_state s;
  printf("%d\\n", ogg_sync_init(&s));
}`,
    compile: "cc use.c $(pkg-config --cflags --libs ogg) -o use",
    prints: "0\n",
  },
  {
    name: "fribidi: Meson, .bz2, found by pkg-config",
    source: "fribidi",
    build: `meson setup out --prefix="$CLIBS_BUILD_DIR" -Ddocs=false
meson compile -C out
meson install -C out`,
    tools: ["meson", "ninja", "pkg-config"],
    program: `#include <fribidi.h>
#include <stdio.h>
int main(void) {
  FriBidiParType t = FRIBIDI_PAR_ON;
  FriBidiChar s[] = { 0x05d0, 0x05d1 };
  FriBidiLevel levels[2];
  FriBidiCharType types[2];
  fribidi_get_bidi_types(s, 2, types);
  printf("%d\\n", fribidi_get_par_embedding_levels_ex(types, NULL, 2, &t, levels));
}`,
    compile: "cc use.c $(pkg-config --cflags --libs fribidi) -o use",
    prints: "2\n",
  },
  {
    name: "cJSON: CMake, found by find_package",
    source: "cjson",
    build:
      `cmake -B out -DCMAKE_INSTALL_PREFIX="$CLIBS_BUILD_DIR" -DENABLE_CJSON_TEST=OFF
cmake --build out
cmake --install out`,
    tools: ["cmake"],
    program: `#include <cjson/cJSON.h>
#include <stdio.h>
int main(void) { puts(cJSON_Version()); }`,
    compile: `cat > CMakeLists.txt <<'END'
cmake_minimum_required(VERSION 3.16)
project(use C)
find_package(cJSON REQUIRED)
add_executable(use use.c)
target_include_directories(use PRIVATE \${CJSON_INCLUDE_DIRS})
target_link_libraries(use cjson)
END
cmake -S . -B cmake >/dev/null && cmake --build cmake >/dev/null && cp cmake/use use`,
    prints: "VERSION\n",
  },
  {
    name: "CLI11: headers only",
    source: "cli11",
    build: `mkdir -p "$CLIBS_BUILD_DIR/include"
cp -R include/CLI "$CLIBS_BUILD_DIR/include/"`,
    program: `#include <CLI/Version.hpp>
#include <iostream>
int main() { std::cout << CLI11_VERSION << "\\n"; }`,
    compile: "c++ -x c++ use.c -o use",
    prints: "VERSION\n",
  },
];

for (const library of libraries) {
  Deno.test({
    name: library.name,
    ignore: ![...library.tools ?? [], "apt-get"].every(has),
    async fn() {
      using session = new Session();
      const { version } = await addLibrary(session, library.source, library);
      session.dir.write({ "use.c": `${library.program}\n` });
      match(await session.ok("build"), / built in .*: never built\n$/);
      equal(
        await use(session, library.compile),
        library.prints.replace("VERSION", version),
      );
      match(await session.ok("build"), /up to date\n$/);
    },
  });
}

Deno.test({
  name: "libpng: built on another package",
  ignore: !["apt-get", "cmake"].every(has),
  async fn() {
    const cmake = (more: string) =>
      `cmake -B out -DCMAKE_INSTALL_PREFIX="$CLIBS_BUILD_DIR" ${more}
cmake --build out
cmake --install out`;
    using session = new Session({
      "zlib/win32/zlib1.rc": "",
      "use.c": `#include <png.h>
#include <zlib.h>
#include <stdio.h>
int main(void) {
  printf("%s %s\\n", png_get_libpng_ver(NULL), zlibVersion());
}
`,
    });
    const zlib = await addLibrary(session, "zlib", {
      folder: "zlib",
      build: cmake(""),
      more: "  - { url: win32/zlib1.rc, dir: win32 }\n",
    });
    const png = await addLibrary(session, "libpng1.6", {
      folder: "png",
      build: cmake("-DPNG_TESTS=OFF"),
      more: "deps: [zlib]\n",
    });
    const out = await session.ok("build", "png");
    match(out, /^zlib .*never built\npng .*never built\n$/);
    equal(
      await use(session, "cc use.c -lpng16 -lz -lm -o use"),
      `${png.version} ${zlib.version}\n`,
    );
    // It was linked against ours, not the system's.
    match(
      await session.bash(". ./env.sh; ldd $CLIBS_PNG_LIB_DIR/lib/libpng16.so"),
      new RegExp(`libz\\.so\\.1 => ${session.dir.path}/zlib/_build/`),
    );
  },
});

/** Writes a package for a Debian source package. */
async function addLibrary(
  session: Session,
  source: string,
  spec: { build: string; folder?: string; more?: string },
): Promise<{ version: string }> {
  const { path, version } = await upstream(source);
  const command = spec.build.split("\n").map((line) => `    ${line}\n`).join(
    "",
  );
  session.dir.write({
    [`${spec.folder ?? source}/pkg.yaml`]: `version: "${version}"
files:
  - url: "file://${path}"
${spec.more ?? ""}build:
  command: |
${command}`,
  });
  return { version };
}

/** Compiles and runs `use.c` with what `clibs env` says. */
async function use(session: Session, compile: string): Promise<string> {
  session.dir.write({ "env.sh": await session.ok("env") });
  return await session.bash(`. ./env.sh\n${compile}\n./use`);
}
