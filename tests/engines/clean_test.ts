/** Cleaning and pruning, with what could lead them astray. */

import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { clean } from "../../lib/artifacts/clean.ts";
import { cleanBinaries } from "../../lib/engines/clean.ts";
import { pruneCache } from "../../lib/engines/prune.ts";
import { buildEngines } from "../../lib/engines/build.ts";
import { ClibsError } from "../../lib/errors.ts";
import { ANSWER, EngineSpace, run } from "../support/engines.ts";
import { TempDir } from "../support/temp.ts";
import { has } from "../support/tools.ts";

const KEY = ".clibs/cache/ffi-KEY";

const TREE: Record<string, string> = {
  "deno.json": "{}",
  "deno.lock": "keep",
  "core/engines/cpu.cpp": ANSWER,
  "core/engines/cpu.so": "x",
  "core/engines/.cpu.clibs.json": "{}",
  "core/engines/old.cpython-311-x86_64-linux-gnu.so": "x",
  "core/engines/gone.so": "x",
  "core/engines/.gone.clibs.json": "{}",
  "core/engines/vendor.so": "keep",
  "core/engines/libfoo.a": "x",
  "core/engines/.cpu.so.0123456789ab.tmp": "x",
  "core/engines/__pycache__/a.pyc": "x",
  "core/engines/deep/more.o": "x",
  "core/engines/deep/__pycache__/b.pyc": "x",
  "core/__pycache__/c.pyc": "x",
  "build/out.txt": "x",
  "thing.egg-info/PKG": "x",
  "src/keep.o": "keep",
  [`${KEY}/cpu.so`]: "12345",
  [`${KEY}/.cpu.lock`]: "",
  ".clibs/toolchain.json": "{}",
  ".binman/cache/old.so": "x",
  "assets/binaries/ffi-KEY/cpu.so": "keep",
};

function project(): TempDir {
  const dir = new TempDir();
  dir.write(TREE);
  return dir;
}

const light = [
  "core/engines/.cpu.clibs.json",
  "core/engines/.cpu.so.0123456789ab.tmp",
  "core/engines/.gone.clibs.json",
  "core/engines/cpu.so",
  "core/engines/gone.so",
  "core/engines/old.cpython-311-x86_64-linux-gnu.so",
];
const standard = [".binman/cache", ".clibs/cache", ...light];
const extras = [
  "build",
  "core/engines/__pycache__",
  "core/engines/libfoo.a",
  "thing.egg-info",
];

type Options = NonNullable<Parameters<typeof cleanBinaries>[0]>;

const cases: [string, Options, string[]][] = [
  ["the default", {}, standard],
  ["light", { mode: "light" }, light],
  ["dev", { profile: "dev" }, light],
  ["ci", { profile: "ci" }, [...standard, ...extras]],
  [
    "release",
    { profile: "release" },
    [
      ".binman/cache",
      ".clibs",
      ...light,
      ...extras,
      "core/__pycache__",
      "core/engines/deep/__pycache__",
      "core/engines/deep/more.o",
    ],
  ],
  ["ci, but the cache", { profile: "ci", cache: false }, [...light, ...extras]],
  [
    "no copies, no orphans",
    { localOutputs: false, orphans: false },
    [
      ".binman/cache",
      ".clibs/cache",
      "core/engines/.cpu.so.0123456789ab.tmp",
    ],
  ],
  [
    "excludes",
    { mode: "light", exclude: ["core/engines/cpu.so", "core/engines/gone.so"] },
    light.filter((path) => !/(cpu|gone)\.so$/.test(path)),
  ],
  [
    "with pycache",
    { mode: "light", pycache: true },
    [...light, "core/engines/__pycache__"],
  ],
];

Deno.test("cleanBinaries() removes what each mode and profile says", async (t) => {
  for (const [name, options, expected] of cases) {
    await t.step(name, async () => {
      using dir = project();
      const all = { ...options, sourceDir: dir.join("core/engines") };
      const before = run("find", [".", "-printf", "%p %s\n"], dir.path);
      const dry = await cleanBinaries({ ...all, dryRun: true });
      equal(run("find", [".", "-printf", "%p %s\n"], dir.path), before);
      const real = await cleanBinaries(all);
      deepEqual(real.removed, expected.toSorted());
      deepEqual({ ...dry, dryRun: false }, real);
      ok(real.bytesFreed >= real.removed.length);
      for (const path of real.removed) ok(!dir.has(path), path);
      for (const [path, text] of Object.entries(TREE)) {
        if (text === "keep") equal(dir.read(path), "keep");
      }
      ok(dir.has("core/engines/cpu.cpp"));
      equal(
        real.mode,
        options.mode ??
          { dev: "light", ci: "standard", release: "deep", none: "standard" }[
            options.profile ?? "none"
          ],
      );
    });
  }
});

Deno.test("cleanBinaries() tells what is missing", async () => {
  using dir = new TempDir();
  dir.write({ "deno.json": "{}", "core/engines/cpu.cpp": ANSWER });
  const { removed, missing } = await cleanBinaries({
    sourceDir: dir.join("core/engines"),
  });
  deepEqual(removed, []);
  deepEqual(missing, [".clibs/cache", "core/engines/cpu.so"]);
});

Deno.test("cleanBinaries() never leaves the project through a link", async () => {
  using dir = project();
  using other = new TempDir();
  other.write({ "keep.o": "keep", "cpu.so": "keep", "sub/x": "keep" });
  Deno.removeSync(dir.join(".clibs/cache"), { recursive: true });
  Deno.symlinkSync(other.path, dir.join(".clibs/cache"));
  Deno.symlinkSync(other.path, dir.join("core/engines/outside"));
  Deno.symlinkSync(other.join("keep.o"), dir.join("core/engines/link.o"));
  const report = await cleanBinaries({
    sourceDir: dir.join("core/engines"),
    profile: "release",
  });
  // Links go; what they lead to stays.
  ok(report.removed.includes("core/engines/link.o"));
  equal(other.read("keep.o"), "keep");
  equal(other.read("cpu.so"), "keep");
  equal(other.read("sub/x"), "keep");
});

Deno.test("clean() refuses paths below a folder that is a link", async () => {
  using dir = new TempDir();
  using other = new TempDir();
  other.write({ "a.o": "keep" });
  Deno.symlinkSync(other.path, dir.join("sub"));
  const result = await clean({
    root: dir.path,
    paths: [dir.join("sub/a.o"), other.join("a.o"), dir.path],
    dryRun: false,
  });
  deepEqual(result.removed, []);
  deepEqual(
    result.skipped.map(({ reason }) => reason).sort(),
    [
      "it is outside of the project",
      "it is the project itself",
    ],
  );
  equal(other.read("a.o"), "keep");
  const single = await clean({
    root: dir.path,
    paths: [dir.join("sub/a.o")],
    dryRun: false,
  });
  deepEqual(single.skipped, [
    { path: "sub/a.o", reason: "a link leads to its folder" },
  ]);
});

Deno.test("clean() keeps what git tracks", async () => {
  using dir = new TempDir();
  dir.write({ "lib/a.a": "x", "lib/b.a": "x", "c/d.o": "x" });
  run("git", ["init", "-q"], dir.path);
  run("git", ["add", "lib/a.a", "c/d.o"], dir.path);
  const paths = ["lib/a.a", "lib/b.a", "c"].map((path) => dir.join(path));
  const result = await clean({ root: dir.path, paths, dryRun: false });
  deepEqual(result.removed, ["lib/b.a"]);
  deepEqual(result.skipped, [
    { path: "c", reason: "tracked by git" },
    { path: "lib/a.a", reason: "tracked by git" },
  ]);
});

Deno.test("clean() refuses the root, the home folder, and excludes elsewhere", async () => {
  await rejects(clean({ root: "/", paths: [], dryRun: true }), {
    code: "CLIBS_CLEAN_ROOT",
    message: "Cannot clean /: it is the root",
  });
  const home = Deno.env.get("HOME");
  using dir = new TempDir();
  try {
    Deno.env.set("HOME", dir.path);
    await rejects(clean({ root: dir.path, paths: [], dryRun: true }), {
      code: "CLIBS_CLEAN_ROOT",
      message: `Cannot clean ${dir.path}: it is the home folder`,
      hint: "mark the root of the project with a deno.json, or name a source " +
        "folder inside of it",
    });
  } finally {
    if (home === undefined) Deno.env.delete("HOME");
    else Deno.env.set("HOME", home);
  }
  for (const path of ["../x", "/etc", "a/../../x"]) {
    await rejects(
      clean({ root: dir.path, paths: [], exclude: [path], dryRun: true }),
      (error) => {
        ok(error instanceof ClibsError);
        equal(error.code, "CLIBS_CLEAN_EXCLUDE");
        equal(
          error.message,
          `Cannot exclude ${path}: it is outside of the project`,
        );
        equal(error.hint, "name a path below the project");
        return true;
      },
    );
  }
});

/** Another process that holds a lock until it is ended. */
function holder(path: string): Deno.ChildProcess {
  return new Deno.Command("flock", {
    args: [path, "-c", "echo held; sleep 60"],
    stdout: "piped",
  }).spawn();
}

Deno.test({
  name: "a cache in use is neither cleaned nor pruned",
  ignore: !has("flock") || !has("pkill"),
  fn: keepsWhatIsInUse,
});

async function keepsWhatIsInUse(): Promise<void> {
  using dir = project();
  const child = holder(dir.join(KEY, ".cpu.lock"));
  const reader = child.stdout.getReader();
  try {
    await reader.read();
    const sourceDir = dir.join("core/engines");
    const report = await cleanBinaries({ sourceDir });
    deepEqual(report.skipped, [
      { path: ".clibs/cache", reason: "in use: another process" },
    ]);
    old(dir, KEY, 100);
    const pruned = pruneCache({ sourceDir });
    deepEqual(pruned.skipped, [
      { path: "ffi-KEY", reason: "in use: another process" },
    ]);
    ok(dir.has(`${KEY}/cpu.so`));
  } finally {
    run("pkill", ["-P", String(child.pid)], "/");
    await reader.cancel();
    await child.status;
  }
}

/** Makes a key look as if it was last built some days ago. */
function old(dir: TempDir, key: string, days: number): void {
  const date = new Date(Date.now() - days * 24 * 60 * 60 * 1000);
  for (const { name } of Deno.readDirSync(dir.join(key))) {
    Deno.utimeSync(dir.join(key, name), date, date);
  }
  Deno.utimeSync(dir.join(key), date, date);
}

Deno.test("pruneCache() keeps the newest keys of each kind, up to an age", () => {
  using dir = new TempDir();
  dir.write({ "deno.json": "{}", "core/engines/cpu.cpp": ANSWER });
  const cache = ".clibs/cache";
  const keys: [string, number][] = [
    ["ffi-a", 1],
    ["ffi-b", 2],
    ["ffi-c", 3],
    ["ffi-d", 4],
    ["napi-a", 5],
    ["napi-b", 40],
    [".removed-0123456789ab", 0],
  ];
  for (const [name, days] of keys) {
    dir.write({ [`${cache}/${name}/cpu.so`]: "12345" });
    old(dir, `${cache}/${name}`, days);
  }
  dir.write({
    [`${cache}/loaded/new.so`]: "1",
    [`${cache}/loaded/old.so`]: "1",
  });
  const date = new Date(Date.now() - 40 * 24 * 60 * 60 * 1000);
  Deno.utimeSync(dir.join(cache, "loaded/old.so"), date, date);
  const sourceDir = dir.join("core/engines");
  const dry = pruneCache({ sourceDir, dryRun: true });
  ok(dir.has(`${cache}/ffi-d`));
  const real = pruneCache({ sourceDir });
  deepEqual({ ...dry, dryRun: false }, real);
  deepEqual(real.kept, ["ffi-a", "ffi-b", "ffi-c", "napi-a"]);
  deepEqual(real.removed.sort(), [
    ".removed-0123456789ab",
    "ffi-d",
    "loaded/old.so",
    "napi-b",
  ]);
  equal(real.bytesFreed, 16);
  const left = [...Deno.readDirSync(dir.join(cache))].map(({ name }) => name);
  deepEqual(left.sort(), ["ffi-a", "ffi-b", "ffi-c", "loaded", "napi-a"]);
  deepEqual(pruneCache({ sourceDir, maxVersions: 1 }).kept, [
    "ffi-a",
    "napi-a",
  ]);
});

Deno.test("what was cleaned is built again", async () => {
  using space = new EngineSpace({ "core/engines/cpu.cpp": ANSWER });
  await buildEngines([], space.options);
  await cleanBinaries({
    sourceDir: space.options.sourceDir,
    profile: "release",
  });
  deepEqual(
    [...Deno.readDirSync(space.dir.join("core/engines"))]
      .map(({ name }) => name),
    ["cpu.cpp"],
  );
  const { results } = await buildEngines([], space.options);
  equal(results[0]?.origin, "prebuilt");
  ok(space.dir.has("core/engines/cpu.so"));
});
