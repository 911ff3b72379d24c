/** Builds for tests of tracing: small ones of our own, and real libraries. */

import type { Case } from "./compare.ts";
import { unpack, upstream } from "./upstream.ts";

const C_PROJECT: Record<string, string> = {
  "src/main.c":
    '#include <stdio.h>\n#include "lib.h"\nint main(void) { printf("%d\\n", lib()); return 0; }\n',
  "src/lib.c": '#include "lib.h"\nint lib(void) { return VALUE; }\n',
  "include/lib.h": '#include "config.h"\nint lib(void);\n',
  "config/config.h": "#define VALUE 3\n",
  "Makefile": `CFLAGS = -O1 -MMD -Iinclude -Imissing -Iconfig
all: out/main out/static
	./out/main && ./out/static
out/%.o: src/%.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -fPIC -c $< -o $@
out/liblib.so: out/lib.o
	$(CC) -shared -o $@ $^
out/liblib.a: out/lib.o
	$(AR) rcD $@ $^
out/main: out/main.o out/liblib.so
	$(CC) -o $@ out/main.o -Lout -llib '-Wl,-rpath,$$ORIGIN/none:$$ORIGIN'
out/static: out/main.o out/liblib.a
	$(CC) -o $@ $^
-include $(wildcard out/*.d)
`,
};

const CXX_PROJECT: Record<string, string> = {
  "CMakeLists.txt": `cmake_minimum_required(VERSION 3.16)
project(part CXX)
add_library(part STATIC src/part.cpp)
target_include_directories(part PUBLIC include)
configure_file(config.h.in config.h)
target_include_directories(part PRIVATE \${CMAKE_CURRENT_BINARY_DIR})
add_executable(main src/main.cpp)
target_link_libraries(main part)
install(TARGETS main)
`,
  "config.h.in": '#define NAME "@PROJECT_NAME@"\n',
  "include/part.hpp": "#include <string>\nstd::string part();\n",
  "src/part.cpp":
    '#include "part.hpp"\n#include "config.h"\nstd::string part() { return NAME; }\n',
  "src/main.cpp":
    '#include <iostream>\n#include "part.hpp"\nint main() { std::cout << part() << "\\n"; }\n',
};

const MESON_PROJECT: Record<string, string> = {
  "meson.build": `project('part', 'c')
part = static_library('part', 'part.c')
executable('main', 'main.c', link_with: part)
`,
  "part.c": "int part(void) { return 3; }\n",
  "main.c": "int part(void);\nint main(void) { return part() - 3; }\n",
};

/** Each with the tools that it needs. */
export const BUILDS: Record<string, Case & { tools: string[] }> = {
  "make and gcc": {
    tools: ["make", "gcc"],
    command: ["make", "-s"],
    prepare: (dir) => dir.write(C_PROJECT),
    // Where the loader looks for variants of a library by processor, and how
    // soon it gives up a folder that is not there.
    ignore: /\/(glibc-hwcaps|tls|x86_64)(\/|$)|\/none$|\/none\/libc\.so/,
  },
  "cmake, ninja and g++": {
    tools: ["cmake", "ninja", "g++"],
    command: [
      "bash",
      "-c",
      "cmake -S . -B out -G Ninja >/dev/null && ninja -C out -j1 >/dev/null && out/main && cmake --install out --prefix to >/dev/null && touch src/part.cpp && ninja -C out >/dev/null",
    ],
    prepare: (dir) => dir.write(CXX_PROJECT),
    // It writes what it tells a program that may ask about the tree.
    random: [[/\/(CMakeFiles\/\d[\d.]*)/g, "/$1"]],
  },
  "meson": {
    tools: ["meson", "ninja", "gcc"],
    command: ["bash", "-c", "meson setup out >/dev/null && ninja -j1 -C out"],
    prepare: (dir) => dir.write(MESON_PROJECT),
    random: [[/tmp[a-z0-9_]{8}/g, "tmp~"], [/\[\d+\/\d+\].*\n/g, ""]],
  },
};

/** A build of a Debian source package. */
export async function upstreamCase(
  source: string,
  script: string,
): Promise<Case> {
  const { path } = await upstream(source);
  return {
    command: ["bash", "-c", `{ ${script}; } >/dev/null 2>&1`],
    prepare: (dir) => void unpack(path, dir.path),
    random: [[/\/(conf|ztest)\d+/g, "/$1~"]],
  };
}
