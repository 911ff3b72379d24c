/** Builds for other targets, checked by running what came out. */

import { equal, match } from "node:assert/strict";
import { Session } from "../support/session.ts";
import { has } from "../support/tools.ts";
import { upstream } from "../support/upstream.ts";

const ARM = "aarch64-linux-gnu";
const ARM_TOOLS = ["aarch64-linux-gnu-g++", "qemu-aarch64", "cmake", "apt-get"];
const WASM = "wasm32-unknown-wasi";

const missingTool = (tools: string[]) => !tools.every(has);

/** The machine that an ELF library is for, by readelf. */
async function machineOf(session: Session, path: string): Promise<string> {
  const header = await session.bash(`readelf -h ${path}`);
  return /Machine:\s+(.*)/.exec(header)?.[1] ?? "";
}

Deno.test({
  name: "zlib for aarch64: an unchanged cmake command cross-compiles",
  ignore: missingTool(ARM_TOOLS),
  async fn() {
    const { path, version } = await upstream("zlib");
    using session = new Session({
      "zlib/pkg.yaml": `version: "${version}"
files:
  - url: "file://${path}"
  - { url: zlib1.rc, dir: win32 }
build:
  command: "mkdir -p out && cd out && cmake -DCMAKE_INSTALL_PREFIX=$CLIBS_BUILD_DIR .. && make && make install"
`,
      "zlib/zlib1.rc": "",
      "use.c": `#include <zlib.h>
#include <stdio.h>
int main(void) { printf("%s %d\\n", zlibVersion(), (int) sizeof(void *)); }
`,
    });
    // Both targets, one after the other, from one download: nothing of the one
    // build may be seen by the other.
    const out = await session.ok("build", "-t", ARM, "-t", "x86_64-linux-gnu");
    match(
      out,
      /^zlib .*aarch64-linux-gnu .*built.*\nzlib .*x86_64.*built.*\n$/,
    );
    const lib = "zlib/_build/aarch64-linux-gnu/lib";
    equal(await machineOf(session, `${lib}/libz.so`), "AArch64");
    equal(
      await machineOf(session, "zlib/_build/x86_64-linux-gnu/lib/libz.so"),
      "Advanced Micro Devices X86-64",
    );
    const ran = await session.bash(
      `${ARM}-gcc use.c -I zlib/_build/${ARM}/include ${lib}/libz.a -o use
qemu-aarch64 -L /usr/aarch64-linux-gnu ./use`,
    );
    equal(ran, `${version} 8\n`);
    match(await session.ok("build", "-t", ARM), /up to date\n$/);
  },
});

/** A library by each build system, for a target, with a dep on another package. */
const systems: [string, string[], Record<string, string>, string][] = [
  [
    "plain $CC",
    [],
    {},
    '$CC $CFLAGS -c "$S/lib.c" -o lib.o\n$AR rc liblib.a lib.o',
  ],
  [
    "Meson",
    ["meson", "ninja"],
    {
      "lib/meson.build": `project('lib', 'c')
static_library('lib', 'lib.c', install: true)
`,
    },
    'meson setup out "$S" --cross-file "$CLIBS_MESON_CROSS_FILE"\nmeson compile -C out\ncp out/liblib.a .',
  ],
  [
    "autotools",
    ["autoreconf", "make"],
    {
      "lib/configure.ac": `AC_INIT([lib], [1])
AC_CONFIG_SRCDIR([lib.c])
AC_PROG_CC
AC_PROG_RANLIB
AC_CHECK_SIZEOF([void *])
AC_CONFIG_FILES([Makefile])
AC_OUTPUT
`,
      "lib/Makefile.in":
        "liblib.a: lib.o\n\t@RANLIB@ --version >/dev/null\n\t$(AR) rc $@ lib.o\nlib.o: @srcdir@/lib.c\n\t@CC@ @CFLAGS@ -c $< -o $@\n",
    },
    'cp "$S"/lib.c "$S"/*.ac "$S"/*.in .\nautoreconf -fi 2>/dev/null\n./configure\nmake',
  ],
  ["CMake", ["cmake"], {
    "lib/CMakeLists.txt": `cmake_minimum_required(VERSION 3.16)
project(lib C)
add_library(lib STATIC lib.c)
`,
  }, 'cmake -S "$S" -B out\ncmake --build out\ncp out/liblib.a .'],
];

for (const [name, tools, files, command] of systems) {
  Deno.test({
    name: `${name} cross-compiles for aarch64 as it is`,
    ignore: missingTool([...ARM_TOOLS, ...tools]),
    async fn() {
      const script = `${command}
mkdir -p "$CLIBS_BUILD_DIR/lib"
cp liblib.a "$CLIBS_BUILD_DIR/lib/"`;
      using session = new Session({
        ...files,
        "lib/lib.c": "int answer(void) { return 42; }\n",
        "lib/pkg.yaml": `version: "1"
build:
  command: |
    S=$CLIBS_PACKAGE_DIR
${script.replace(/^/gm, "    ")}
`,
        "use.c": `#include <stdio.h>
int answer(void);
int main(void) { printf("%d\\n", answer()); }
`,
      });
      await session.ok("build", "-t", ARM);
      const ran = await session.bash(
        `${ARM}-gcc use.c lib/_build/${ARM}/lib/liblib.a -o use
qemu-aarch64 -L /usr/aarch64-linux-gnu ./use`,
      );
      equal(ran, "42\n");
    },
  });
}

Deno.test({
  name: "cJSON for WebAssembly, linked into a program that runs",
  ignore: missingTool(["apt-get", "clang", "wasm-ld", "cmake", "node"]),
  async fn() {
    const { path, version } = await upstream("cjson");
    using session = new Session({
      "cjson/pkg.yaml": `version: "${version}"
files: [{ url: "file://${path}" }]
build:
  command: |
    cmake -B out -DCMAKE_INSTALL_PREFIX="$CLIBS_BUILD_DIR" \\
      -DENABLE_CJSON_TEST=OFF -DBUILD_SHARED_LIBS=OFF -DENABLE_CUSTOM_COMPILER_FLAGS=OFF
    cmake --build out
    cmake --install out
`,
      "app/pkg.yaml": `version: "1"
deps: [cjson]
build:
  command: |
    $CC $CFLAGS "$CLIBS_PACKAGE_DIR/app.c" $LDFLAGS \\
      -I"$CLIBS_DEP_CJSON_DIR/include" "$CLIBS_DEP_CJSON_DIR"/lib/libcjson.a \\
      -o "$CLIBS_BUILD_DIR/app.wasm"
`,
      "app/app.c": `#include <cjson/cJSON.h>
#include <stdio.h>
int main(void) {
  cJSON *j = cJSON_Parse("{\\"a\\": 41}");
  printf("%d\\n", cJSON_GetObjectItem(j, "a")->valueint + 1);
}
`,
      "run.mjs": `import { readFileSync } from "node:fs";
import { WASI } from "node:wasi";
const wasi = new WASI({ version: "preview1" });
const { instance } = await WebAssembly.instantiate(
  readFileSync("app/_build/${WASM}/app.wasm"), wasi.getImportObject());
process.exitCode = wasi.start(instance);
`,
    });
    await session.ok("build", "-t", WASM);
    equal(await session.bash("node --no-warnings run.mjs"), "42\n");
  },
});

Deno.test({
  name: "a cross build finds its deps, and not this machine's flags",
  ignore: missingTool(ARM_TOOLS),
  async fn() {
    using session = new Session({
      "a/pkg.yaml": `version: "1"
build:
  command: |
    mkdir -p "$CLIBS_BUILD_DIR/lib"
    $CC -c "$CLIBS_PACKAGE_DIR/a.c" -o a.o && $AR rc "$CLIBS_BUILD_DIR/lib/liba.a" a.o
`,
      "a/a.c": "int a(void) { return 40; }\n",
      "b/pkg.yaml": `version: "1"
deps: [a]
build:
  command: |
    test -z "\${CFLAGS+set}"
    $CC "$CLIBS_PACKAGE_DIR/b.c" $LDFLAGS -la -static -o "$CLIBS_BUILD_DIR/b"
`,
      "b/b.c":
        '#include <stdio.h>\nint a(void);\nint main(void) { printf("%d\\n", a() + 2); }\n',
    });
    const main = new URL("../../main.ts", import.meta.url).pathname;
    await session.bash(
      `CFLAGS=-march=native ${Deno.execPath()} run -A --no-check ${main} build -q -t ${ARM}`,
    );
    equal(await session.bash(`qemu-aarch64 b/_build/${ARM}/b`), "42\n");
  },
});
