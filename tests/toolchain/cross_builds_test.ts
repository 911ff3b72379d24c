/** Build systems, as they are, with what resolveToolchain() gives them. */

import { doesNotMatch, equal, match, rejects } from "node:assert/strict";
import { dirname } from "node:path";
import { runProcess } from "../../lib/host/process.ts";
import { resolveToolchain } from "../../lib/toolchain/toolchain.ts";
import { TempDir } from "../support/temp.ts";
import { has } from "../support/tools.ts";

const ARM = "aarch64-unknown-linux-gnu";
const WASM = "wasm32-unknown-wasi";
const arm = has("aarch64-linux-gnu-g++") && has("qemu-aarch64");
const wasm = has("clang") && has("wasm-ld") && has("node");

/** A folder in which commands run with a target's environment. */
class Workshop extends TempDir {
  env: Record<string, string> = {};

  /** Writes the toolchain's files, and some sources. */
  async prepare(target: string, sources: Record<string, string>) {
    // A dollar is special to CMake and Meson's INI. Blanks are not tried:
    // autoconf splits CONFIG_SITE at them.
    const filesDir = this.join("tool$chain");
    const toolchain = await resolveToolchain({ target, filesDir });
    for (const { name, content } of toolchain.files) {
      const path = `${filesDir}/${name}`;
      Deno.mkdirSync(dirname(path), { recursive: true });
      Deno.writeTextFileSync(path, content);
    }
    this.write(sources);
    this.env = toolchain.env;
    return toolchain;
  }

  /** What a script prints; it must succeed. */
  async run(script: string): Promise<string> {
    const { ok, stdout, stderr } = await runProcess({
      command: "bash",
      args: ["-ec", script],
      cwd: this.path,
      env: this.env,
    });
    if (!ok) throw new Error(`${script}\n${stdout}${stderr}`);
    return stdout + stderr;
  }
}

const MAIN = `#include <stdio.h>
int add(int, int);
int main(void) { printf("%d\\n", add(40, 2)); return 0; }
`;
const ADD = "int add(int a, int b) { return a + b; }\n";

/** Runs a WASI program named by its argument. */
const RUNNER = `import { readFileSync } from "node:fs";
import { WASI } from "node:wasi";
const wasi = new WASI({ version: "preview1" });
const { instance } = await WebAssembly.instantiate(
  readFileSync(process.argv[2]), wasi.getImportObject());
process.exitCode = wasi.start(instance);
`;

const CONFIGURE_AC = `AC_INIT([add], [1])
AC_CONFIG_SRCDIR([add.c])
AC_PROG_CC
AC_CHECK_TOOL([OBJDUMP], [objdump])
AC_FUNC_MALLOC
AC_MSG_NOTICE([cross=$cross_compiling host=$host_alias objdump=$OBJDUMP malloc=$ac_cv_func_malloc_0_nonnull])
AC_CONFIG_FILES([Makefile])
AC_OUTPUT
`;
const MAKEFILE_IN = `add: add.c main.c
	@CC@ @CFLAGS@ @LDFLAGS@ add.c main.c -o add
flags:
	@echo flags: @CFLAGS@
`;

Deno.test({
  name: "an unchanged ./configure cross-compiles, and still optimises",
  ignore: !arm || !has("autoreconf") || !has("make"),
  async fn() {
    using shop = new Workshop();
    await shop.prepare(ARM, {
      "add.c": ADD,
      "main.c": MAIN,
      "configure.ac": CONFIGURE_AC,
      "Makefile.in": MAKEFILE_IN,
    });
    const out = await shop.run(
      "autoreconf -fi && ./configure && make flags add",
    );
    match(
      out,
      /cross=yes host=aarch64-unknown-linux-gnu objdump=aarch64-linux-gnu-objdump malloc=yes/,
    );
    match(out, /^flags: -g -O2$/m);
    equal(
      await shop.run("qemu-aarch64 -L /usr/aarch64-linux-gnu ./add"),
      "42\n",
    );
    // A helper for this machine is built as one.
    const helper = await shop.run(
      "CC=$CC_FOR_BUILD ./configure --host=$(./config.guess)",
    );
    match(helper, /cross=no/);
  },
});

Deno.test({
  name: "./configure builds for WebAssembly, with a program that runs",
  ignore: !wasm || !has("autoreconf") || !has("make"),
  async fn() {
    using shop = new Workshop();
    await shop.prepare(WASM, {
      "add.c": ADD,
      "main.c": MAIN,
      "configure.ac": CONFIGURE_AC,
      "Makefile.in": MAKEFILE_IN,
      "run.mjs": RUNNER,
    });
    const out = await shop.run("autoreconf -fi && ./configure && make add");
    match(out, /cross=yes host=wasm32-unknown-wasi .*malloc=yes/);
    doesNotMatch(out, /argument unused/);
    equal(await shop.run("node --no-warnings run.mjs ./add"), "42\n");
  },
});

Deno.test({
  name: "CMake's default project(), which wants C++, builds for WebAssembly",
  ignore: !wasm || !has("cmake") || !has("make"),
  async fn() {
    using shop = new Workshop();
    await shop.prepare(WASM, {
      "add.c": ADD,
      "main.c": MAIN,
      "run.mjs": RUNNER,
      "CMakeLists.txt": `cmake_minimum_required(VERSION 3.16)
project(add)
include(CheckIncludeFile)
check_include_file(stdio.h HAVE_STDIO_H)
check_include_file(linux/types.h HAVE_LINUX_TYPES_H)
add_library(add add.c)
add_executable(main main.c)
target_link_libraries(main add)
message(STATUS "wasi=\${WASI} stdio=\${HAVE_STDIO_H} linux=\${HAVE_LINUX_TYPES_H}")
`,
    });
    const out = await shop.run("cmake -B out && cmake --build out");
    // This machine has linux/types.h in /usr/include; the target has not.
    match(out, /wasi=1 stdio=1 linux=$/m);
    doesNotMatch(out, /warning/i);
    equal(await shop.run("node --no-warnings run.mjs out/main"), "42\n");
    const bytes = Deno.readFileSync(shop.join("out/main"));
    equal(new TextDecoder().decode(bytes.subarray(0, 4)), "\0asm");
  },
});

for (const [target, ignore] of [[ARM, !arm], [WASM, !wasm]] as const) {
  Deno.test({
    name: `Meson for ${target} takes packages of the target only`,
    ignore: ignore || !has("meson") || !has("ninja") || !has("cmake"),
    async fn() {
      using shop = new Workshop();
      await shop.prepare(target, {
        "src/add.c": ADD,
        "src/main.c": MAIN,
        "src/meson.build": `project('add', 'c')
library('add', 'add.c')
executable('main', 'main.c', 'add.c')
foreach name : ['zlib', 'Given']
  message(name, dependency(name, required: false).found())
endforeach
`,
        "dep/lib/cmake/Given/GivenConfig.cmake":
          "add_library(Given::given INTERFACE IMPORTED)\n",
      });
      shop.env.CMAKE_PREFIX_PATH = shop.join("dep");
      const out = await shop.run(
        'meson setup out src --cross-file "$CLIBS_MESON_CROSS_FILE" && ninja -C out',
      );
      match(out, /Message: zlib false/);
      match(out, /Message: Given true/);
    },
  });
}

Deno.test({
  name: "the flags alone make any clang compile for WebAssembly",
  ignore: !wasm,
  async fn() {
    using shop = new Workshop();
    const { cflags, ldflags } = await shop.prepare(WASM, {
      "add.c": ADD,
      "main.c": MAIN,
      "leak.c": "#include <linux/types.h>\n",
      "plain.cc": `extern "C" int add(int, int);
struct S { int v; S() : v(add(1, 2)) {} } s;
int main() { return s.v - 3; }
`,
      "run.mjs": RUNNER,
    });
    await shop.run(
      `clang ${cflags.join(" ")} -Werror -c add.c main.c
       clang ${ldflags.join(" ")} add.o main.o -o main
       $CXX -Werror plain.cc add.o -o plain`,
    );
    equal(await shop.run("node --no-warnings run.mjs main"), "42\n");
    equal(await shop.run("node --no-warnings run.mjs plain"), "");
    await rejects(shop.run("$CC -c leak.c"), /linux\/types.h/);
  },
});
