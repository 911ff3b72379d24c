import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { join } from "node:path";
import { md5Hex } from "../../lib/host/digest.ts";
import { buildPackage, type ClibsError } from "@clibs/cli";
import {
  PackageSpace,
  packageYaml,
  TARBALL_TIME,
  TARGET,
} from "../support/packages.ts";

const install = 'echo "$(cat input)" > "$CLIBS_BUILD_DIR/result"';
const fromTarball = 'files: [{ url: "./input.tar.gz" }]\n';

function tarballPackage(): PackageSpace {
  const space = new PackageSpace({
    "pkg/pkg.yaml": packageYaml(install, fromTarball),
  });
  space.tarball("pkg/input.tar.gz", { input: "one" });
  return space;
}

Deno.test("a package is built once, and again when its description changes", async () => {
  using space = tarballPackage();
  deepEqual(await space.outcome(), ["pkg built: never built"]);
  deepEqual(await space.outcome(), ["pkg up-to-date"]);
  equal(space.dir.read(`pkg/_build/${TARGET}/result`), "one\n");
  space.dir.write({
    "pkg/pkg.yaml": packageYaml(install + "; true", fromTarball),
  });
  deepEqual(await space.outcome(), ["pkg built: pkg.yaml changed"]);
  deepEqual(await space.outcome(), ["pkg up-to-date"]);
});

Deno.test("state files have the form that other tools read", async () => {
  using space = tarballPackage();
  const before = Math.floor(Date.now() / 1000);
  await space.build();
  const yaml = Deno.readFileSync(space.dir.join("pkg/pkg.yaml"));
  for (
    const name of ["_download/_download_hash", `_build/${TARGET}/_build_hash`]
  ) {
    const state = JSON.parse(space.dir.read(`pkg/${name}`));
    deepEqual(Object.keys(state), ["ConfigHash", "Timestamp"]);
    equal(state.ConfigHash, md5Hex(yaml));
    ok(Number.isInteger(state.Timestamp) && state.Timestamp >= before);
  }
});

Deno.test("a tree made by another tool is accepted on its state file", async (t) => {
  const trees = [
    [`_prebuilt/${TARGET}`, "prebuilt"],
    ["_prebuilt/linux_amd64", "prebuilt"],
    [`_build/${TARGET}`, "build"],
    ["_build/linux_amd64", "build"],
  ];
  for (const [folder, origin] of trees) {
    await t.step(folder ?? "", async () => {
      using space = tarballPackage();
      const hash = md5Hex(Deno.readFileSync(space.dir.join("pkg/pkg.yaml")));
      space.dir.write({
        [`pkg/${folder}/_build_hash`]: JSON.stringify({
          ConfigHash: hash,
          Timestamp: 1616414033,
        }),
      });
      const { packages } = await space.build();
      equal(packages[0]?.status, "up-to-date");
      equal(packages[0]?.origin, origin);
      equal(packages[0]?.dir, space.dir.join("pkg", folder ?? ""));
      ok(!space.dir.has("pkg/_download"), "nothing was fetched");
    });
  }
});

Deno.test("a prebuilt tree of another description is passed over", async () => {
  using space = tarballPackage();
  space.dir.write({
    [`pkg/_prebuilt/${TARGET}/_build_hash`]:
      '{"ConfigHash":"0123456789abcdef0123456789abcdef","Timestamp":1}',
  });
  const { packages } = await space.build();
  equal(packages[0]?.status, "built");
  equal(packages[0]?.origin, "build");
});

Deno.test("sources are built in a copy, so _download stays as fetched", async () => {
  using space = new PackageSpace({
    "pkg/pkg.yaml": packageYaml(
      'test ! -e out; mkdir out; echo x >> input; cp input "$CLIBS_BUILD_DIR/"',
      fromTarball,
    ),
  });
  space.tarball("pkg/input.tar.gz", { input: "one\n" });
  await space.outcome();
  await space.outcome(["."], { force: true });
  equal(space.dir.read("pkg/_download/input"), "one\n");
  equal(space.dir.read(`pkg/_build/${TARGET}/input`), "one\nx\n");
  ok(!space.dir.has("pkg/_work"), "the copy is gone");
  await space.outcome(["."], { force: true, keepWork: true });
  equal(space.dir.read(`pkg/_work/${TARGET}/input`), "one\nx\n");
});

Deno.test("the command sees the variables of the design", async () => {
  using space = new PackageSpace({
    "pkg/pkg.yaml": packageYaml(
      'env | grep "^CLIBS_" | sort > "$CLIBS_BUILD_DIR/env"; pwd > "$CLIBS_BUILD_DIR/cwd"',
      fromTarball,
    ),
  });
  space.tarball("pkg/input.tar.gz", { input: "" });
  space.env = { CLIBS_BUILD_CFLAGS: "-O1 -g" };
  await space.build(["."], { jobs: 3 });
  const dir = space.dir.join("pkg");
  const lines = space.dir.read(`pkg/_build/${TARGET}/env`).trim().split("\n")
    .filter((line) => !line.startsWith("CLIBS_JOB_ID="));
  deepEqual(lines, [
    "CLIBS_BUILD_CFLAGS=-O1 -g",
    `CLIBS_BUILD_DIR=${dir}/_build/${TARGET}`,
    "CLIBS_BUILD_LDFLAGS=",
    `CLIBS_BUILD_TARGET=${TARGET}`,
    `CLIBS_DOWNLOAD_DIR=${dir}/_work/${TARGET}`,
    "CLIBS_JOBS=3",
    `CLIBS_PACKAGE_DIR=${dir}`,
  ]);
  equal(
    space.dir.read(`pkg/_build/${TARGET}/cwd`),
    `${dir}/_work/${TARGET}\n`,
  );
});

Deno.test("a dependent is rebuilt exactly when its dep's artifact changes", async () => {
  using space = new PackageSpace({
    "a/pkg.yaml": packageYaml('cp "$CLIBS_PACKAGE_DIR/in" "$CLIBS_BUILD_DIR/"'),
    "a/in": "1",
    "b/pkg.yaml": packageYaml(
      'cp "$CLIBS_DEP_A_DIR/in" "$CLIBS_BUILD_DIR/copy"',
      "deps: [a]\n",
    ),
    "c/pkg.yaml": packageYaml(
      'cp "$CLIBS_DEP_B_DIR/copy" "$CLIBS_BUILD_DIR/"',
      "deps: [../b]\n",
    ),
  });
  deepEqual(await space.outcome(["c"]), [
    "a built: never built",
    "b built: never built",
    "c built: never built",
  ]);
  const still = ["a up-to-date", "b up-to-date", "c up-to-date"];
  deepEqual(await space.outcome(), still);
  // The same bytes again: the dep is rebuilt, and nothing after it.
  deepEqual(await space.outcome(["a"], { force: true }), ["a built: forced"]);
  deepEqual(await space.outcome(), still);
  space.dir.write({ "a/in": "2" });
  deepEqual(await space.outcome(), [
    "a built: a file of the package folder changed",
    "b built: its dep a changed",
    "c built: its dep b changed",
  ]);
  equal(space.dir.read(`c/_build/${TARGET}/copy`), "2");
});

Deno.test("a failure stops only what depends on it", async () => {
  using space = new PackageSpace({
    "bad/pkg.yaml": packageYaml("exit 4"),
    "after/pkg.yaml": packageYaml("true", "deps: [bad]\n"),
    "good/pkg.yaml": packageYaml('touch "$CLIBS_BUILD_DIR/x"'),
  });
  const { packages } = await space.build();
  deepEqual(packages.map((p) => `${p.name} ${p.status}`).sort(), [
    "after failed",
    "bad failed",
    "good built",
  ]);
  const after = packages.find((p) => p.name === "after");
  equal(after?.reason, "its dep bad failed");
  equal(after?.error, undefined);
  const bad = packages.find((p) => p.name === "bad");
  equal(bad?.error?.code, "CLIBS_BUILD_COMMAND");
});

Deno.test("a failed rebuild leaves the previous build in place", async () => {
  using space = tarballPackage();
  await space.build();
  const tree = space.dir.join("pkg/_build", TARGET);
  const state = Deno.readTextFileSync(join(tree, "_build_hash"));
  space.dir.write({
    "pkg/pkg.yaml": packageYaml(
      'echo half > "$CLIBS_BUILD_DIR/half"; echo "a.c:1:1: error: no"; false',
      fromTarball,
    ),
  });
  const { packages } = await space.build();
  equal(packages[0]?.error?.facts["first error"], "a.c:1:1: error: no");
  equal(Deno.readTextFileSync(join(tree, "_build_hash")), state);
  deepEqual(names(tree), ["_build_hash", "_build_info.json", "result"]);
  match(space.dir.read(`pkg/_build/${TARGET}.log`), /error: no\n$/);
  // The hint works: the same folder, the same variables, the same failure.
  const rerun = new Deno.Command("bash", {
    args: [space.dir.join(`pkg/_work/${TARGET}.rerun.sh`)],
  }).outputSync();
  equal(rerun.code, 1);
  equal(new TextDecoder().decode(rerun.stdout), "a.c:1:1: error: no\n");
});

Deno.test("a build that installs nothing is an error unless allowed", async () => {
  using space = new PackageSpace({
    "pkg/pkg.yaml": packageYaml("true"),
    "fine/pkg.yaml": packageYaml("true") + "  empty: true\n",
  });
  await rejects(
    buildPackage(space.dir.join("pkg"), {
      ...space.options,
      targets: undefined,
      target: TARGET,
    } as never),
    {
      code: "CLIBS_BUILD_EMPTY",
      message:
        `Cannot use the build of pkg for ${TARGET}: the command put nothing into $CLIBS_BUILD_DIR`,
      facts: {
        CLIBS_BUILD_DIR: space.dir.join("pkg/_build", TARGET),
        log: space.dir.join(`pkg/_build/${TARGET}.log`),
      },
      hint:
        'install there, such as with `--prefix="$CLIBS_BUILD_DIR"`, or set `build.empty: true`',
    },
  );
  deepEqual(await space.outcome(["fine"]), ["fine built: never built"]);
  deepEqual(await space.outcome(["fine"]), ["fine up-to-date"]);
});

Deno.test("a build whose input changed while it ran is not used", async () => {
  using space = new PackageSpace({
    "pkg/pkg.yaml": packageYaml(
      'echo x > "$CLIBS_BUILD_DIR/x"; echo more >> "$CLIBS_PACKAGE_DIR/input"',
    ),
    "pkg/input": "one",
  });
  const { packages } = await space.build();
  const { code, message, hint } = packages[0]?.error as ClibsError;
  equal(code, "CLIBS_BUILD_INPUT_CHANGED");
  equal(
    message,
    `Cannot use the build of pkg for ${TARGET}: package folder changed while it ran`,
  );
  equal(hint, "run the same command again");
  ok(!space.dir.has(`pkg/_build/${TARGET}`));
});

Deno.test("a built tree on a read-only disk counts as up to date", async () => {
  using space = tarballPackage();
  await space.build();
  // Root writes through modes, so take the lock files' names away instead:
  // whoever tried to lock or write here would fail.
  const build = space.dir.join("pkg/_build");
  for (const name of [`.${TARGET}.lock`, ".download.lock"]) {
    Deno.removeSync(join(build, name));
    Deno.mkdirSync(join(build, name));
  }
  deepEqual(await space.outcome(), ["pkg up-to-date"]);
});

Deno.test("what a killed build left is put right by the next", async (t) => {
  const built = (space: PackageSpace) => space.dir.join("pkg/_build", TARGET);
  const aside = (space: PackageSpace) =>
    space.dir.join(`pkg/_build/.${TARGET}.aside`);
  await t.step("killed while the command ran", async () => {
    using space = tarballPackage();
    await space.build();
    Deno.renameSync(built(space), aside(space));
    space.dir.write({
      [`pkg/_build/${TARGET}/half`]: "",
      [`pkg/_build/.${TARGET}.running.json`]: "{}",
      [`pkg/_work/${TARGET}/half`]: "",
    });
    deepEqual(await space.outcome(), ["pkg up-to-date"]);
    deepEqual(names(built(space)), [
      "_build_hash",
      "_build_info.json",
      "result",
    ]);
    ok(!space.dir.has(`pkg/_build/.${TARGET}.aside`));
    ok(!space.dir.has("pkg/_work"));
  });
  await t.step("killed after its success", async () => {
    using space = tarballPackage();
    await space.build();
    Deno.mkdirSync(aside(space));
    space.dir.write({ [`pkg/_build/.${TARGET}.running.json`]: "{" });
    deepEqual(await space.outcome(), ["pkg up-to-date"]);
    ok(!space.dir.has(`pkg/_build/.${TARGET}.aside`));
    ok(!space.dir.has(`pkg/_build/.${TARGET}.running.json`));
    Deno.mkdirSync(aside(space));
    deepEqual(await space.outcome(["."], { force: true }), [
      "pkg built: forced",
    ]);
    ok(!space.dir.has(`pkg/_build/.${TARGET}.aside`));
  });
  await t.step("killed in a first build", async () => {
    using space = tarballPackage();
    space.dir.write({ [`pkg/_build/${TARGET}/half`]: "" });
    deepEqual(await space.outcome(), ["pkg built: never built"]);
    ok(!space.dir.has(`pkg/_build/${TARGET}/half`));
  });
});

Deno.test("patches are applied, and an edited one is applied anew", async () => {
  using space = new PackageSpace({
    "pkg/pkg.yaml": packageYaml(
      install,
      fromTarball + "patches: [fix.patch]\n",
    ),
    "pkg/fix.patch": patch("one", "two"),
  });
  space.tarball("pkg/input.tar.gz", { input: "one\n" });
  await space.build();
  equal(space.dir.read(`pkg/_build/${TARGET}/result`), "two\n");
  deepEqual(await space.outcome(), ["pkg up-to-date"]);
  space.dir.write({ "pkg/fix.patch": patch("one", "three") });
  deepEqual(await space.outcome(), ["pkg built: patch fix.patch changed"]);
  equal(space.dir.read(`pkg/_build/${TARGET}/result`), "three\n");
  space.dir.write({ "pkg/fix.patch": patch("four", "five") });
  const { packages } = await space.build();
  const error = packages[0]?.error;
  equal(error?.code, "CLIBS_PATCH");
  equal(error?.message, "Cannot patch pkg with fix.patch: it does not apply");
  deepEqual(error?.facts, {
    asked: "pkg/pkg.yaml:3",
    "git apply":
      "error: patch failed: input:1\nerror: input: patch does not apply",
  });
  equal(
    error?.hint,
    "check the patch with `git apply --check -p1` in _download",
  );
});

Deno.test("a source that changed under its lock is refused, then accepted by update", async () => {
  using space = tarballPackage();
  await space.build();
  space.tarball("pkg/input.tar.gz", { input: "two" });
  Deno.removeSync(space.dir.join("pkg/_download"), { recursive: true });
  const { packages } = await space.build(["."], { force: true });
  const error = packages[0]?.error;
  equal(error?.code, "CLIBS_LOCK_MISMATCH");
  equal(
    error?.message,
    "Cannot fetch pkg: input.tar.gz is not the file that pkg.lock.json names",
  );
  match(error?.facts.expected ?? "", /^sha256:[0-9a-f]{64} \(\d+ bytes\)$/);
  match(error?.facts["unpacked tree"] ?? "", /^expected sha256:/);
  const { updatePackages } = await import("@clibs/cli");
  const report = await updatePackages([space.dir.path], space.options);
  equal(report.packages[0]?.changes.length, 2);
  await space.build();
  equal(space.dir.read(`pkg/_build/${TARGET}/result`), "two\n");
});

Deno.test("a source that was only packed anew says so", async () => {
  using space = tarballPackage();
  await space.build();
  const archive = space.dir.join("pkg/input.tar.gz");
  const bytes = Deno.readFileSync(archive);
  // The gzip header's date: other bytes, the same tree.
  bytes[4] = (bytes[4] ?? 0) ^ 0xff;
  Deno.writeFileSync(archive, bytes);
  const { packages } = await space.build(["."], { force: true });
  equal(packages[0]?.error?.code, "CLIBS_LOCK_MISMATCH");
  equal(
    packages[0]?.error?.facts["unpacked tree"],
    "unchanged: only the packing differs",
  );
});

Deno.test("two archives and a file make one tree, with the dates of the archives", async () => {
  using space = new PackageSpace({
    "pkg/pkg.yaml": packageYaml(
      'cp -a . "$CLIBS_BUILD_DIR/"',
      `files:
  - url: a.tar.gz
  - { url: b.tar.gz, dir: sub }
  - { url: note.txt, dir: sub/deep, filename: NOTE }
  - { url: c.tar.gz, extract: false }
`,
    ),
    "pkg/note.txt": "note",
  });
  space.tarball("pkg/a.tar.gz", { "sub/one": "1", "top": "t" });
  space.tarball("pkg/b.tar.gz", { two: "2", one: "replaced" });
  space.tarball("pkg/c.tar.gz", { c: "c" });
  await space.build();
  const tree = `pkg/_build/${TARGET}`;
  equal(space.dir.read(`${tree}/sub/one`), "replaced");
  equal(space.dir.read(`${tree}/sub/two`), "2");
  equal(space.dir.read(`${tree}/sub/deep/NOTE`), "note");
  ok(space.dir.has(`${tree}/c.tar.gz`));
  const top = Deno.statSync(space.dir.join(tree, "top")).mtime?.getTime();
  equal(top, TARBALL_TIME);
  ok(!space.dir.has("pkg/_download_tmp_unpack"));
});

Deno.test("a file may not be put below a link that an archive brought", async () => {
  using space = new PackageSpace({
    "pkg/pkg.yaml": packageYaml(
      "true",
      "files:\n  - url: a.tar.gz\n  - { url: note.txt, dir: link/x }\n",
    ),
    "pkg/note.txt": "note",
    "pkg/top/real/file": "",
  });
  Deno.symlinkSync("real", space.dir.join("pkg/top/link"));
  new Deno.Command("tar", {
    args: ["-czf", "a.tar.gz", "top"],
    cwd: space.dir.join("pkg"),
  }).outputSync();
  const { packages } = await space.build();
  deepEqual(packages[0]?.error?.toJSON(), {
    code: "CLIBS_PKG_DIR",
    message: 'Cannot fetch pkg: "link/x" is not a folder in the sources',
    facts: { asked: "pkg/pkg.yaml:4" },
    hint: "choose another `dir:` for this file",
  });
});

Deno.test("a file that should be unpacked and cannot be is named", async () => {
  using space = new PackageSpace({
    "pkg/pkg.yaml": packageYaml(
      "true",
      "files: [{ url: note.txt, extract: true }]\n",
    ),
    "pkg/note.txt": "note",
  });
  const { packages } = await space.build();
  deepEqual(packages[0]?.error?.toJSON(), {
    code: "CLIBS_ARCHIVE_UNSUPPORTED",
    message:
      "Cannot unpack note.txt of pkg: its content is not an archive that clibs knows",
    facts: {
      asked: "pkg/pkg.yaml:2",
      known: "tar, tar.gz, tar.bz2, tar.xz, tar.zst, zip, gz",
    },
    hint: "set `extract: false` to keep the file as it is",
  });
});

Deno.test("--locked refuses to write a lock file", async () => {
  using space = tarballPackage();
  const { packages } = await space.build(["."], { locked: true });
  const error = packages[0]?.error;
  equal(error?.code, "CLIBS_LOCK_NEEDED");
  equal(
    error?.message,
    "Cannot fetch pkg with --locked: pkg.lock.json is missing",
  );
  equal(
    error?.hint,
    "run `clibs fetch` without --locked and commit pkg.lock.json",
  );
  ok(!space.dir.has("pkg/pkg.lock.json"));
  await space.build();
  Deno.removeSync(space.dir.join("pkg/_build"), { recursive: true });
  deepEqual(await space.outcome(["."], { locked: true }), [
    "pkg built: never built",
  ]);
});

Deno.test("an edited _download is built as it is, with a warning", async () => {
  using space = tarballPackage();
  await space.build();
  space.dir.write({ "pkg/_download/input": "edited" });
  await space.build(["."], { force: true });
  equal(space.dir.read(`pkg/_build/${TARGET}/result`), "edited\n");
  deepEqual(space.warnings(), [
    `${
      space.dir.join("pkg/_download")
    } was edited since it was fetched; building it as it is (\`clibs fetch --force\` fetches it again)`,
  ]);
});

function patch(from: string, to: string): string {
  return `--- a/input\n+++ b/input\n@@ -1 +1 @@\n-${from}\n+${to}\n`;
}

function names(dir: string): string[] {
  return [...Deno.readDirSync(dir)].map((entry) => entry.name).sort();
}
