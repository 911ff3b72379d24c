/** `clibs engines` as a user runs it. */

import { deepEqual, equal, match, ok } from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { ANSWER, run } from "../support/engines.ts";
import { Session } from "../support/session.ts";
import { hasPybind, PYTHON } from "../support/tools.ts";

const FILES = { "deno.json": "{}", "core/engines/cpu.cpp": ANSWER };

/** A test that compiles for Python. */
function pythonTest(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, fn, ignore: !hasPybind() });
}

function neutral(session: Session, text: string): string {
  return session.neutral(text)
    .replaceAll(/(ffi|napi|pybind11)-[\w.+-]+-[0-9a-f]{12}/g, "$1-KEY")
    .replaceAll(/[0-9a-f]{64}/g, "DIGEST");
}

Deno.test("engines build: a table, a cache, a prebuilt, and JSON", async () => {
  using session = new Session(FILES);
  equal(
    await session.ok("engines", "build"),
    "cpu  ffi  build  never built here\n",
  );
  equal(await session.ok("engines", "build"), "cpu  ffi  prebuilt\n");
  equal(
    await session.ok("engines", "build", "--policy", "prefer_cache"),
    "cpu  ffi  cache\n",
  );
  const report = JSON.parse(await session.ok("engines", "build", "--json"));
  deepEqual(
    { ...report, results: report.results.length },
    {
      version: 1,
      ok: true,
      engines_ok: 1,
      engines_failed: 0,
      failed: [],
      results: 1,
    },
  );
  const manifest = JSON.parse(session.dir.read(
    `assets/binaries/${
      [...Deno.readDirSync(session.dir.join("assets/binaries"))][0]?.name
    }/manifest.json`,
  ));
  equal(manifest.system, "linux");
  equal(manifest.machine, Deno.build.arch);
  equal(manifest.python_version, null);
  deepEqual(Object.keys(manifest.hashes), ["cpu.so", "cpu.interface.json"]);
});

Deno.test("engines build: exit code 2, and the others are built", async () => {
  using session = new Session({
    ...FILES,
    "core/engines/bad.cpp": 'extern "C" int f() { return nope; }\n',
  });
  const { code, stdout, stderr } = await session.clibs("engines", "build");
  equal(code, 2);
  equal(stdout, "bad  ffi  failed\ncpu  ffi  build   never built here\n");
  const shown = neutral(session, stderr);
  ok(
    shown.includes(`error: Cannot build bad: g++ failed with exit code 1
  first error  DIR/core/engines/bad.cpp:1:29: error: 'nope' was not declared in this scope
`),
    shown,
  );
  match(stderr, /more: clibs explain CLIBS_ENGINE_COMPILE\n$/);
  const json = await session.clibs("engines", "build", "--json");
  equal(json.code, 2);
  const report = JSON.parse(json.stdout);
  deepEqual(
    [report.ok, report.engines_ok, report.engines_failed, report.failed],
    [false, 1, 1, ["bad"]],
  );
  equal(report.results[0].error.code, "CLIBS_ENGINE_COMPILE");
  const fast = JSON.parse(
    (await session.clibs("engines", "fast-build", "--json")).stdout,
  );
  deepEqual([fast.engines, fast.names, fast.failed], [1, ["cpu"], ["bad"]]);
});

Deno.test("engines build: an unknown policy is a usage error", async () => {
  using session = new Session(FILES);
  const result = await session.clibs("engines", "build", "--policy", "x");
  equal(result.code, 2);
  equal(
    result.stderr,
    `error: Cannot use --policy "x": it takes prefer_prebuilt, prefer_cache, build_only, prebuilt_only
more: clibs explain CLIBS_USAGE_VALUE
`,
  );
});

Deno.test("engines list, healthcheck, toolchain, prune and clean", async () => {
  using session = new Session(FILES);
  equal(
    await session.ok("engines", "list"),
    "cpu  ffi  prefer_prebuilt  never built here\n",
  );
  await session.ok("engines", "build");
  equal(
    await session.ok("engines", "list"),
    "cpu  ffi  prefer_prebuilt  up to date\n",
  );
  const health = neutral(session, await session.ok("engines", "healthcheck"));
  equal(
    health.replace(/(engine cpu: ).*/, "$1KEY"),
    `ok      sources: cpu (ffi)
ok      engine cpu: KEY
ok      cache: DIR/.clibs/cache
ok      prebuilts: ffi-KEY: 1 module, digests match
ok      permission to load: granted
`,
  );
  const folder = [...Deno.readDirSync(session.dir.join("assets/binaries"))][0];
  const path = `assets/binaries/${folder?.name}/cpu.so`;
  Deno.writeTextFileSync(session.dir.join(path), "x", { append: true });
  const sick = await session.clibs("engines", "healthcheck");
  equal(sick.code, 1);
  ok(
    neutral(session, sick.stdout).includes(
      `not ok  prebuilts: ffi-KEY: cpu.so is not the file that was saved
        fix: clibs engines build --policy build_only makes them anew
`,
    ),
    sick.stdout,
  );
  const first = await session.ok("engines", "toolchain");
  match(first, /first snapshot \(\.clibs\/toolchain\.json\)\n$/);
  match(
    await session.ok("engines", "toolchain"),
    /nothing changed \(\.clibs\/toolchain\.json\)\n$/,
  );
  const snapshot = JSON.parse(session.dir.read(".clibs/toolchain.json"));
  session.dir.write({
    ".clibs/toolchain.json": JSON.stringify({ ...snapshot, libc: "glibc 1.0" }),
  });
  const changed = JSON.parse(
    await session.ok("engines", "toolchain", "--json"),
  );
  deepEqual(changed.changed, ["libc"]);
  equal(changed.previous.libc, "glibc 1.0");
  equal(await session.ok("engines", "prune"), "0 B freed\n");
  const dry = await session.ok("engines", "clean", "--dry-run");
  match(
    dry,
    /^\.clibs\/cache\ncore\/engines\/\.cpu\.clibs\.json\ncore\/engines\/cpu\.so\n.* would be freed\n$/,
  );
  equal(
    await session.ok("engines", "clean"),
    dry.replace("would be freed", "freed"),
  );
  const kept = await session.ok("engines", "clean", "--no-cache", "--json");
  deepEqual(JSON.parse(kept).removed, []);
});

Deno.test("engines run: scripts, their output, and a failure", async () => {
  using session = new Session({
    ...FILES,
    "core/scripts/a.js": "console.log('hello');",
    "core/scripts/b.js": "Deno.exit(3);",
  });
  equal(await session.ok("engines", "run", "a.js"), "hello\na.js  ok\n");
  const all = await session.clibs("engines", "run");
  equal(all.code, 1);
  equal(all.stdout, "hello\na.js  ok\nb.js  exit code 3\n");
});

pythonTest(
  "engines types: declarations of every kind, which TypeScript takes",
  async () => {
    const from = fileURLToPath(
      new URL("../../examples/engines/core/engines/", import.meta.url),
    );
    using session = new Session({ "deno.json": "{}" });
    Deno.mkdirSync(session.dir.join("core/engines"), { recursive: true });
    for (const name of ["cpu", "disk", "ram"]) {
      Deno.copyFileSync(
        `${from}${name}.cpp`,
        session.dir.join(`core/engines/${name}.cpp`),
      );
    }
    equal(
      await session.ok("engines", "types", "--python", PYTHON),
      "core/engines/cpu.d.ts\ncore/engines/disk.d.ts\ncore/engines/ram.d.ts\ncore/engines/engines.d.ts\n",
    );
    session.dir.write({
      "use.ts": `import type { Engines } from "./core/engines/engines.d.ts";
declare const engines: Engines;
const usage: number = await engines.cpu.get_usage(0.1);
const share: number = engines.ram.used_share(2, 1);
engines.disk.getSpace("/");
export { share, usage };
`,
    });
    run(Deno.execPath(), ["check", "--quiet", "use.ts"], session.dir.path);
    run(Deno.execPath(), ["fmt", "--check", "core"], session.dir.path);
  },
);

Deno.test("an engine uses a package that clibs built", async () => {
  using session = new Session({
    "deno.json": "{}",
    "deps/tally/pkg.yaml": `version: "1"
build:
  command: |
    mkdir -p "$CLIBS_BUILD_DIR/lib" "$CLIBS_BUILD_DIR/include"
    echo 'int tally(void) { return 7; }' > tally.c
    echo 'extern "C" int tally(void);' > "$CLIBS_BUILD_DIR/include/tally.h"
    cc -shared -fPIC -o "$CLIBS_BUILD_DIR/lib/libtally.so" tally.c
`,
    "core/engines/cpu.cpp":
      '#include <tally.h>\nextern "C" int answer() { return tally(); }\n',
    "core/engines/engines.json": JSON.stringify({
      cpu: { packages: ["../../deps/tally"], extra_link_args: ["-ltally"] },
    }),
  });
  const before = await session.clibs("engines", "build");
  equal(before.code, 2);
  match(before.stderr, /error: Cannot use tally: not up to date\n/);
  match(before.stderr, /hint: run `clibs build .*deps\/tally`/);
  await session.ok("build");
  // Loaded in a child process, it finds the library by its rpath.
  equal(
    await session.ok("engines", "build"),
    "cpu  ffi  build  never built here\n",
  );
});

Deno.test("help of engines", async () => {
  using session = new Session({});
  const group = await session.ok("engines");
  match(
    group,
    /^Build and load C\+\+ modules for Deno, Node-API and Python\.\n/,
  );
  equal(await session.ok("engines", "--help"), group);
  equal(await session.ok("help", "engines"), group);
  const one = await session.ok("help", "engines", "prune");
  equal(await session.ok("engines", "prune", "--help"), one);
  match(one, /Usage: clibs engines prune \[FLAGS\]/);
  const wrong = await session.clibs("engines", "biuld");
  deepEqual([wrong.code, wrong.stderr], [
    2,
    `error: Cannot run "engines biuld": clibs has no such command
  nearest  engines build
hint: clibs engines build
more: clibs explain CLIBS_USAGE_COMMAND
`,
  ]);
  const flag = await session.clibs("engines", "build", "--polcy", "x");
  equal(
    flag.stderr,
    `error: Cannot run clibs engines build: there is no flag "--polcy"
  nearest  --policy
hint: clibs help engines build
more: clibs explain CLIBS_USAGE_FLAG
`,
  );
});

pythonTest("examples/engines runs, in Deno and in Python", async () => {
  const example = new URL("../../examples/engines/", import.meta.url);
  const config = fileURLToPath(new URL("../../deno.json", import.meta.url));
  using session = new Session({});
  await session.bash(`cp -r ${fileURLToPath(example)} here`);
  // The example finds this library by the configuration of the repository.
  const args = ["run", "-A", "--config", config, "here/main.ts"];
  const start = async () => {
    const { success, stdout, stderr } = await new Deno.Command(
      Deno.execPath(),
      {
        args,
        cwd: session.dir.path,
        env: { ...session.env, CLIBS_PYTHON: PYTHON },
      },
    ).output();
    const decoder = new TextDecoder();
    ok(success, decoder.decode(stderr));
    return decoder.decode(stdout);
  };
  const lines =
    /^ram {3}\d+ % of [\d.]+ GB used\ndisk {2}[\d.]+ GB of [\d.]+ GB free\ncpu {3}\d+ % of \d+ cores busy, load [\d.]+\n$/;
  match(await start(), lines);
  match(await start(), lines);
  match(
    run(PYTHON, ["here/main.py"], session.dir.path),
    /^cpu {3}\d+% of \d+ cores busy\n$/,
  );
});
