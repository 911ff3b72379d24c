/** What makes an engine out of date, and what does not. */

import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { buildEngine, buildEngines } from "../../lib/engines/build.ts";
import { ClibsError } from "../../lib/errors.ts";
import { ANSWER, EngineSpace, engineTest, run } from "../support/engines.ts";

const WITH_HEADER = `#include "value.h"
#include <cstdint>
extern "C" int32_t answer() { return VALUE; }
`;

/** Builds, and tells where the engine came from and why. */
async function build(
  space: EngineSpace,
): Promise<[origin: string | undefined, reason: string]> {
  const { results } = await buildEngines([], {
    ...space.options,
    policy: "prefer_cache",
  });
  const [result] = results;
  const attempt = result?.attempts.find(({ origin }) => origin === "cache");
  return [
    result?.origin ?? result?.error?.message,
    space.neutral(attempt?.reason ?? ""),
  ];
}

/** Name, change after a build, and what comes then. */
const cases: [string, (space: EngineSpace) => void, string][] = [
  ["nothing changed", () => {}, ""],
  ["a touched source", (s) => touch(s, "core/engines/cpu.cpp"), ""],
  ["a touched header", (s) => touch(s, "core/engines/inc/value.h"), ""],
  [
    "the same source written again",
    (s) => s.dir.write({ "core/engines/cpu.cpp": WITH_HEADER }),
    "",
  ],
  [
    "another source",
    (s) => s.dir.write({ "core/engines/cpu.cpp": `${WITH_HEADER}//\n` }),
    "DIR/core/engines/cpu.cpp changed",
  ],
  [
    "another header",
    (s) => s.dir.write({ "core/engines/inc/value.h": "#define VALUE 43\n" }),
    "DIR/core/engines/inc/value.h changed",
  ],
  [
    "a header with the old date and size",
    (s) => {
      const path = s.dir.join("core/engines/inc/value.h");
      const { mtime } = Deno.statSync(path);
      Deno.writeTextFileSync(path, "#define VALUE 49\n");
      Deno.utimeSync(path, mtime!, mtime!);
    },
    "DIR/core/engines/inc/value.h changed",
  ],
  [
    "a header beside the source that hides one",
    (s) => s.dir.write({ "core/engines/value.h": "#define VALUE 50\n" }),
    "DIR/core/engines/value.h appeared: it would be read instead of another",
  ],
  [
    "a header in an earlier folder that hides one",
    (s) => s.dir.write({ "core/engines/first/value.h": "#define VALUE 51\n" }),
    "DIR/core/engines/first/value.h appeared: it would be read instead of another",
  ],
  [
    "a header in a folder of -I that hides the system's",
    (s) =>
      s.dir.write({
        "core/engines/first/cstdint": "#include_next <cstdint>\n",
      }),
    "DIR/core/engines/first/cstdint appeared: it would be read instead of another",
  ],
  [
    "a header that hides nothing",
    (s) => s.dir.write({ "core/engines/first/other.h": "" }),
    "",
  ],
  [
    "another flag",
    (s) => configure(s, { extra_compile_args: ["-DX"] }),
    'extra_compile_args changed: "" is now "-DX"',
  ],
  [
    "another standard",
    (s) => configure(s, { std: "c++20" }),
    'std changed: "c++17" is now "c++20"',
  ],
];

function configure(space: EngineSpace, more: object): void {
  const config = { include_dirs: ["first", "inc"], ...more };
  space.dir.write({
    "core/engines/engines.json": JSON.stringify({ cpu: config }),
  });
}

function touch(space: EngineSpace, path: string): void {
  const later = new Date(Date.now() + 10_000);
  Deno.utimeSync(space.dir.join(path), later, later);
}

Deno.test("an engine is built again exactly when it must be", async (t) => {
  for (const [name, change, reason] of cases) {
    await t.step(name, async () => {
      using space = new EngineSpace({
        "core/engines/cpu.cpp": WITH_HEADER,
        "core/engines/first/keep.txt": "",
        "core/engines/inc/value.h": "#define VALUE 42\n",
      });
      configure(space, {});
      deepEqual(await build(space), ["build", "never built here"]);
      change(space);
      const [origin, found] = await build(space);
      equal(found, reason);
      equal(origin, reason === "" ? "cache" : "build");
      deepEqual(await build(space), ["cache", ""]);
    });
  }
});

Deno.test("a header from the future does not keep from building", async () => {
  using space = new EngineSpace({
    "core/engines/cpu.cpp": WITH_HEADER,
    "core/engines/inc/value.h": "#define VALUE 42\n",
  });
  configure(space, {});
  touch(space, "core/engines/inc/value.h");
  deepEqual(await build(space), ["build", "never built here"]);
  deepEqual(await build(space), ["cache", ""]);
});

Deno.test("a static library is a part of what was built", async () => {
  using space = new EngineSpace({
    "core/engines/cpu.cpp":
      'extern "C" int part();\nextern "C" int answer() { return part(); }\n',
    "core/engines/engines.json": JSON.stringify({
      cpu: { extra_link_args: ["-Llib", "-lpart"] },
    }),
    "core/engines/lib/part.c": "int part() { return 1; }\n",
  });
  const library = () => {
    const dir = space.dir.join("core/engines/lib");
    run("gcc", ["-fPIC", "-c", "part.c", "-o", "part.o"], dir);
    run("ar", ["rcD", "libpart.a", "part.o"], dir);
    Deno.removeSync(`${dir}/part.o`);
  };
  library();
  deepEqual(await build(space), ["build", "never built here"]);
  library();
  deepEqual(await build(space), ["cache", ""]);
  space.dir.write({ "core/engines/lib/part.c": "int part() { return 2; }\n" });
  library();
  deepEqual(await build(space), [
    "build",
    "DIR/core/engines/lib/libpart.a changed",
  ]);
});

Deno.test("another compiler builds in a place of its own", async () => {
  using space = new EngineSpace({
    "core/engines/cpu.cpp": ANSWER,
    "g++-1":
      '#!/bin/sh\n[ "$1" = --version ] && echo "g++ (One) 1.0" && exit\nexec g++ "$@"\n',
  });
  const compiler = space.dir.join("g++-1");
  Deno.chmodSync(compiler, 0o755);
  const options = {
    ...space.options,
    compiler,
    policy: "prefer_cache" as const,
  };
  const origin = async () =>
    (await buildEngines([], options)).results[0]?.origin;
  equal(await origin(), "build");
  equal(await origin(), "cache");
  space.dir.write({
    "g++-1": space.dir.read("g++-1").replace("1.0", "1.1"),
  });
  equal(await origin(), "prebuilt");
  Deno.removeSync(space.dir.join("assets"), { recursive: true });
  equal(await origin(), "build");
  const keys = [...Deno.readDirSync(space.dir.join(".clibs/cache"))]
    .map(({ name }) => name.replace(/-[0-9a-f]{12}$/, ""))
    .filter((name) => name.startsWith("ffi-")).sort();
  ok(keys[0]?.endsWith("-gcc1.0"), keys.join());
  ok(keys[1]?.endsWith("-gcc1.1"), keys.join());
});

engineTest("an engine of several sources, and a changed one", async () => {
  using space = new EngineSpace({
    "core/engines/cpu.cpp":
      'int part();\nextern "C" int answer() { return part(); }\n',
    "core/engines/part.cpp": "int part() { return 1; }\n",
    "core/engines/engines.json": '{"cpu": {"sources": ["part.cpp"]}}',
  });
  type Cpu = { answer(): number };
  equal((await buildEngine<Cpu>("cpu", space.options)).answer(), 1);
  space.dir.write({ "core/engines/part.cpp": "int part() { return 2; }\n" });
  // The new module has a new path: the loader would give out the old one.
  equal((await buildEngine<Cpu>("cpu", space.options)).answer(), 2);
  const names = (await buildEngines([], space.options)).results
    .map(({ name }) => name);
  deepEqual(names, ["cpu"]);
});

Deno.test("a source that changes while it is compiled is not kept", async () => {
  using space = new EngineSpace({
    "core/engines/cpu.cpp": ANSWER,
    "slow": `#!/bin/sh
[ "$1" = --version ] && echo "g++ (Slow) 1.0" && exit
g++ "$@"; status=$?
case "$*" in *link.d*) sleep 0.05; echo "// more" >> cpu.cpp ;; esac
exit $status
`,
  });
  Deno.chmodSync(space.dir.join("slow"), 0o755);
  const options = { ...space.options, compiler: space.dir.join("slow") };
  await rejects(buildEngine("cpu", options), (error) => {
    ok(error instanceof ClibsError);
    equal(error.code, "CLIBS_ENGINE_CHANGED");
    equal(
      space.neutral(error.message),
      "Cannot use the build of cpu: DIR/core/engines/cpu.cpp changed while it ran",
    );
    equal(error.hint, "run the same command again");
    return true;
  });
});

Deno.test("a compile that fails tells the first error", async () => {
  using space = new EngineSpace({
    "core/engines/cpu.cpp": 'extern "C" int answer() { return missing; }\n',
  });
  await rejects(buildEngine("cpu", space.options), (error) => {
    ok(error instanceof ClibsError);
    equal(error.code, "CLIBS_ENGINE_COMPILE");
    equal(error.message, "Cannot build cpu: g++ failed with exit code 1");
    equal(
      space.neutral(error.facts["first error"] ?? ""),
      "DIR/core/engines/cpu.cpp:1:34: error: 'missing' was not declared in this scope",
    );
    equal(
      space.neutral(error.hint ?? ""),
      "mend DIR/core/engines/cpu.cpp and run the same command again",
    );
    ok(error.facts.log?.endsWith("/cpu.log"));
    ok(Deno.readTextFileSync(error.facts.log!).includes("missing"));
    return true;
  });
});

Deno.test("a compile has a limit of time, and leaves nothing running", async () => {
  using space = new EngineSpace({
    "core/engines/cpu.cpp": ANSWER,
    "hang":
      '#!/bin/sh\n[ "$1" = --version ] && echo "g++ (Hang) 1.0" && exit\nsleep 60\n',
  });
  Deno.chmodSync(space.dir.join("hang"), 0o755);
  const options = {
    ...space.options,
    compiler: space.dir.join("hang"),
    timeoutMs: 200,
  };
  await rejects(buildEngine("cpu", options), {
    code: "CLIBS_ENGINE_TIMEOUT",
    message: "Cannot build cpu: it took more than 0.2 s",
    hint: "give it more time with --timeout (timeoutMs)",
  });
  const left = [
    ...Deno.readDirSync(space.dir.join(space.folder(".clibs/cache"))),
  ]
    .map(({ name }) => name).sort();
  deepEqual(left, [".cpu.lock", "cpu.log"]);
});

Deno.test("without a compiler, the error says what to install", async () => {
  using space = new EngineSpace({ "core/engines/cpu.cpp": ANSWER });
  const options = { ...space.options, compiler: "no-such-compiler" };
  await rejects(buildEngine("cpu", options), {
    code: "CLIBS_ENGINE_COMPILER",
    message: "Cannot build cpu: there is no C++ compiler",
    hint: "install g++, or name one with --compiler (compiler) or $CXX",
  });
});
