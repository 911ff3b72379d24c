import { deepEqual, equal } from "node:assert/strict";
import { OutputDigest } from "../../lib/jobs/output.ts";
import { buildFailure } from "../../lib/packages/failure.ts";

const cases: [string, string, string | undefined][] = [
  [
    "gcc",
    "cc -c x.c\nx.c: In function 'f':\nx.c:3:5: error: 'y' undeclared\nmake: *** [x.o] Error 1",
    "x.c:3:5: error: 'y' undeclared",
  ],
  [
    "a missing header",
    "x.c:1:10: fatal error: foo.h: No such file or directory",
    "x.c:1:10: fatal error: foo.h: No such file or directory",
  ],
  [
    "the linker",
    "/usr/bin/ld: a.o: in function `main':\na.c:(.text+0x5): undefined reference to `f'\ncollect2: error: ld returned 1",
    "/usr/bin/ld: a.o: in function `main':",
  ],
  [
    "CMake",
    "-- Looking\nCMake Error at CMakeLists.txt:3 (find_package):\n  By not",
    "CMake Error at CMakeLists.txt:3 (find_package):",
  ],
  [
    "Meson",
    'Project name: x\nmeson.build:3:0: ERROR: Dependency "y" not found',
    'meson.build:3:0: ERROR: Dependency "y" not found',
  ],
  [
    "configure",
    "checking for y... no\nconfigure: error: y is missing",
    "configure: error: y is missing",
  ],
  [
    "make",
    "make: *** No rule to make target 'z'.  Stop.",
    "make: *** No rule to make target 'z'.  Stop.",
  ],
  [
    "bash",
    "clibs: line 1: cmake: command not found",
    "clibs: line 1: cmake: command not found",
  ],
  [
    "a warning about errors is not one",
    "checking for error.h... yes\nx.c:3: warning: no error handling",
    undefined,
  ],
];

Deno.test("OutputDigest finds the first error", async (t) => {
  for (const [name, output, expected] of cases) {
    await t.step(name, () => {
      const digest = new OutputDigest();
      for (const line of output.split("\n")) digest.add(line);
      equal(digest.firstError, expected);
    });
  }
});

Deno.test("OutputDigest keeps the last 20 lines and an error long before", () => {
  const digest = new OutputDigest();
  digest.add("a.c:1:1: error: first");
  for (let i = 1; i <= 100; i++) digest.add(`line ${i}`);
  equal(digest.tail.length, 20);
  equal(digest.tail[0], "line 81");
  equal(digest.firstError, "a.c:1:1: error: first");
});

Deno.test("buildFailure() tells all that helps", () => {
  const output = new OutputDigest();
  output.add("cc a.c");
  output.add("a.c:1:1: error: no");
  const error = buildFailure({
    name: "zlib",
    target: "x86_64-linux-gnu",
    code: 2,
    command: "make\n",
    output,
    log: "/p/_build/x86_64-linux-gnu.log",
    rerun: "/p/_work/x86_64-linux-gnu.rerun.sh",
  });
  deepEqual(error.toJSON(), {
    code: "CLIBS_BUILD_COMMAND",
    message:
      "Cannot build zlib for x86_64-linux-gnu: the build command failed with exit code 2",
    facts: {
      command: "make",
      "first error": "a.c:1:1: error: no",
      "last lines": "cc a.c\na.c:1:1: error: no",
      log: "/p/_build/x86_64-linux-gnu.log",
    },
    hint: "run it again by hand with: bash /p/_work/x86_64-linux-gnu.rerun.sh",
  });
});
