import { deepEqual, equal, notEqual, ok } from "node:assert/strict";
import { OsPackages } from "../../lib/toolchain/os_packages.ts";
import { PathIndex } from "../../lib/toolchain/path_index.ts";
import { TempDir } from "../support/temp.ts";
import { has } from "../support/tools.ts";

/** A record of dpkg's status file. */
function status(
  name: string,
  version: string,
  arch = "amd64",
  state = "installed",
): string {
  return `Package: ${name}
Status: install ok ${state}
Description: of ${name}
 Version: of the text
Architecture: ${arch}
Version: ${version}
`;
}

const DPKG = {
  "var/lib/dpkg/arch": "amd64\ni386\n",
  "var/lib/dpkg/status": [
    status("dpkg", "1.21"),
    status("libc6", "2.36-9"),
    status("libc6", "2.36-9", "i386"),
    status("bash", "5.2", "amd64", "half-configured"),
    status("perf", "6.1", "all"),
    status("perf-wrapper", "1.0"),
    status("gone", "0.1", "amd64", "config-files"),
  ].join("\n"),
  "var/lib/dpkg/diversions": [
    "/usr/bin/perf",
    "/usr/bin/perf.wrapped",
    "perf-wrapper",
    "/usr/bin/bashbug",
    "/usr/bin/bashbug.local",
    ":",
    "",
  ].join("\n"),
  "var/lib/dpkg/info/dpkg.list": "/.\n/usr\n/usr/bin\n/usr/bin/dpkg\n",
  "var/lib/dpkg/info/libc6:amd64.list":
    "/.\n/lib\n/lib/x86_64-linux-gnu\n/lib/x86_64-linux-gnu/libc.so.6\n/usr/share/doc/libc6\n",
  "var/lib/dpkg/info/libc6:i386.list":
    "/lib/i386-linux-gnu/libc.so.6\n/usr/share/doc/libc6\n",
  "var/lib/dpkg/info/bash.list":
    "/.\n/bin/bash\n/usr\n/usr/bin\n/usr/bin/bashbug\n/usr/share/ünï\n/etc/bashrc\n",
  "var/lib/dpkg/info/perf.list": "/usr/bin/perf\n/usr/share/perf\n",
  "var/lib/dpkg/info/perf-wrapper.list": "/usr/bin/perf\n",
  "var/lib/dpkg/info/gone.list": "/etc/gone\n",
  "var/lib/dpkg/info/bash.md5sums": "x  bin/bash\n",
  "var/lib/dpkg/info/stray.list": "/etc/stray\n",
};

/** A root with dpkg's files and the links of a merged /usr. */
function debian(): TempDir {
  const root = new TempDir();
  root.write({ ...DPKG, "usr/bin/x": "", "usr/lib/x": "" });
  Deno.symlinkSync("usr/bin", root.join("bin"));
  Deno.symlinkSync("usr/lib", root.join("lib"));
  Deno.symlinkSync("usr/sbin", root.join("sbin"));
  Deno.symlinkSync("bin", root.join("usr/sbin"));
  return root;
}

const owners: [path: string, owner: string | undefined][] = [
  ["/lib/x86_64-linux-gnu/libc.so.6", "libc6 2.36-9"],
  ["/usr/lib/x86_64-linux-gnu/libc.so.6", "libc6 2.36-9"],
  [
    "/usr//lib/./x86_64-linux-gnu/../x86_64-linux-gnu/libc.so.6",
    "libc6 2.36-9",
  ],
  ["/usr/lib/i386-linux-gnu/libc.so.6", "libc6 2.36-9"],
  ["/usr/bin/bash", "bash 5.2"],
  ["/bin/bash", "bash 5.2"],
  ["/sbin/bash", "bash 5.2"],
  ["/usr/sbin/dpkg", "dpkg 1.21"],
  ["/usr/share/ünï", "bash 5.2"],
  ["/usr/bin/perf", "perf-wrapper 1.0"],
  ["/usr/bin/perf.wrapped", "perf 6.1"],
  ["/usr/bin/bashbug", undefined],
  ["/usr/bin/bashbug.local", "bash 5.2"],
  ["/usr/bin", undefined],
  ["/usr/bin/ls", undefined],
  ["/etc/gone", undefined],
  ["/etc/stray", undefined],
  ["/etc/bashrc", undefined],
  ["/bin", undefined],
  ["/", undefined],
];

Deno.test("files of Debian packages, with diversions and a merged /usr", async (t) => {
  using root = debian();
  const packages = OsPackages.open({ root: root.path });
  for (const [path, wanted] of owners) {
    await t.step(path, () => {
      const found = packages.ownerOf(path);
      equal(found && `${found.name} ${found.version}`, wanted);
    });
  }
});

Deno.test("packages are there in the versions that they have", () => {
  using root = debian();
  const packages = OsPackages.open({ root: root.path });
  deepEqual(packages.versionsOf("libc6"), ["2.36-9"]);
  deepEqual(packages.versionsOf("libc6:i386"), ["2.36-9"]);
  deepEqual(packages.versionsOf("gone"), []);
  ok(packages.isInstalled({ name: "bash", version: "5.2" }));
  equal(packages.isInstalled({ name: "bash", version: "5.3" }), false);
});

Deno.test("a system without a merged /usr has two folders", () => {
  using root = new TempDir();
  root.write({ ...DPKG, "bin/bash": "", "usr/bin/x": "" });
  const packages = OsPackages.open({ root: root.path });
  equal(packages.ownerOf("/bin/bash")?.name, "bash");
  equal(packages.ownerOf("/usr/bin/bash"), undefined);
});

Deno.test("the index is kept, and made again when the database changes", () => {
  using root = debian();
  using cache = new TempDir();
  const open = () =>
    OsPackages.open({ root: root.path, cacheDir: cache.join("a/b") });
  const before = open();
  equal(before.ownerOf("/bin/bash")?.version, "5.2");
  const [file] = [...Deno.readDirSync(cache.join("a/b"))];
  const kept = cache.join("a/b", file!.name);
  // Edited in place, so that only the index can tell.
  const bytes = Deno.readFileSync(kept);
  const text = new TextDecoder("latin1").decode(bytes);
  const at = text.indexOf('"5.2"');
  bytes[at + 3] = "9".charCodeAt(0);
  Deno.writeFileSync(kept, bytes);
  equal(open().ownerOf("/bin/bash")?.version, "5.9");
  equal(open().stamp, before.stamp);

  root.write({
    "var/lib/dpkg/status": DPKG["var/lib/dpkg/status"].replace("5.2", "5.10"),
  });
  const after = open();
  notEqual(after.stamp, before.stamp);
  equal(after.ownerOf("/bin/bash")?.version, "5.10");
  equal(before.isInstalled({ name: "bash", version: "5.2" }), true);
  equal(open().ownerOf("/usr/bin/dpkg")?.name, "dpkg");

  root.write({ "var/lib/dpkg/info/new.list.tmp": "" });
  notEqual(OsPackages.stampOf(root.path), after.stamp);
});

Deno.test("a damaged index is made again, wherever it is cut", () => {
  using root = debian();
  using cache = new TempDir();
  const options = { root: root.path, cacheDir: cache.path };
  equal(OsPackages.open(options).ownerOf("/bin/bash")?.name, "bash");
  const [file] = [...Deno.readDirSync(cache.path)];
  const path = cache.join(file!.name);
  const whole = Deno.readFileSync(path);
  for (let cut = 0; cut < whole.length; cut += 1 + cut) {
    Deno.writeFileSync(path, whole.subarray(0, cut));
    equal(OsPackages.open(options).ownerOf("/bin/bash")?.name, "bash");
    deepEqual(Deno.readFileSync(path), whole, `${cut}`);
  }
  Deno.writeFileSync(path, new Uint8Array([...whole, 0]));
  equal(OsPackages.open(options).ownerOf("/bin/bash")?.name, "bash");
});

Deno.test("a folder that cannot be written costs only time", () => {
  using root = debian();
  using dir = new TempDir();
  dir.write({ file: "" });
  const packages = OsPackages.open({
    root: root.path,
    cacheDir: dir.join("file/below"),
  });
  equal(packages.ownerOf("/bin/bash")?.name, "bash");
});

const APK = `C:Q1x=
P:musl
V:1.2.5-r0
A:x86_64
F:lib
R:ld-musl-x86_64.so.1
a:0:0:755
Z:Q1y=
R:libc.musl-x86_64.so.1

P:busybox
V:1.36.1-r29
F:bin
R:busybox
F:
R:rootfile
F:usr/share/man
`;

for (const folder of ["lib/apk/db", "usr/lib/apk/db"]) {
  Deno.test(`files of Alpine packages, from ${folder}`, () => {
    using root = new TempDir();
    root.write({ [`${folder}/installed`]: APK });
    const packages = OsPackages.open({ root: root.path });
    deepEqual(packages.ownerOf("/lib/ld-musl-x86_64.so.1"), {
      name: "musl",
      version: "1.2.5-r0",
    });
    deepEqual(packages.ownerOf("/bin/busybox"), {
      name: "busybox",
      version: "1.36.1-r29",
    });
    equal(packages.ownerOf("/rootfile")?.name, "busybox");
    equal(packages.ownerOf("/lib/other"), undefined);
  });
}

/** Answers `rpm -qa` from a file and notes how it was called. */
const RPM = `#!/bin/sh
echo "$@" >>"$RPM_ANSWERS.calls"
exec cat "$RPM_ANSWERS"
`;

Deno.test("files of RPM packages, which are asked for once", () => {
  using root = new TempDir();
  using tools = new TempDir();
  root.write({ "usr/lib/sysimage/rpm/rpmdb.sqlite": "x", "usr/bin/x": "" });
  Deno.symlinkSync("usr/bin", root.join("bin"));
  tools.write({
    rpm: RPM,
    answers: [
      "bash.x86_64\t5.2.26-3.fc40\t/usr/bin/bash",
      "bash.x86_64\t5.2.26-3.fc40\t/bin/sh",
      "kernel-devel.x86_64\t6.8.5-301.fc40\t/usr/src/kernels/6.8.5/Makefile",
      "kernel-devel.x86_64\t6.9.1-200.fc40\t/usr/src/kernels/6.9.1/Makefile",
      "vim.x86_64\t2:9.1-1.fc40\t/usr/bin/vim",
      "",
    ].join("\n"),
  });
  Deno.chmodSync(tools.join("rpm"), 0o755);
  const path = Deno.env.get("PATH");
  Deno.env.set("PATH", `${tools.path}:${path}`);
  Deno.env.set("RPM_ANSWERS", tools.join("answers"));
  try {
    const cacheDir = tools.join("cache");
    for (let round = 0; round < 2; round++) {
      const packages = OsPackages.open({ root: root.path, cacheDir });
      deepEqual(packages.ownerOf("/bin/bash"), {
        name: "bash.x86_64",
        version: "5.2.26-3.fc40",
      });
      equal(packages.ownerOf("/usr/bin/vim")?.version, "2:9.1-1.fc40");
      const old = packages.ownerOf("/usr/src/kernels/6.8.5/Makefile")!;
      equal(old.version, "6.8.5-301.fc40");
      ok(packages.isInstalled(old));
      deepEqual(packages.versionsOf(old.name), [
        "6.8.5-301.fc40",
        "6.9.1-200.fc40",
      ]);
      // Only asked something: the database is as it was.
      root.write({ "usr/lib/sysimage/rpm/rpmdb.sqlite-wal": "" });
    }
    equal(tools.read("answers.calls").match(/ -qa /g)?.length, 1);
    root.write({ "usr/lib/sysimage/rpm/rpmdb.sqlite-wal": "x" });
    equal(
      OsPackages.open({ root: root.path, cacheDir }).ownerOf("/x"),
      undefined,
    );
    equal(tools.read("answers.calls").match(/ -qa /g)?.length, 2);
  } finally {
    Deno.env.set("PATH", path!);
    Deno.env.delete("RPM_ANSWERS");
  }
});

Deno.test("a system without packages has no owners", () => {
  using root = new TempDir();
  const packages = OsPackages.open({ root: root.path });
  equal(packages.ownerOf("/usr/bin/gcc"), undefined);
  deepEqual(packages.versionsOf("gcc"), []);
});

Deno.test("an index keeps every path apart while it grows", () => {
  const index = new PathIndex();
  const path = (i: number) => `/usr/share/doc/package-${i % 700}/file-${i}`;
  for (let i = 0; i < 50_000; i++) index.set(path(i), i % 700);
  index.set(path(7), 7);
  index.set(path(8), 9);
  for (let i = 0; i < 50_000; i++) {
    equal(index.get(path(i)), i === 8 ? undefined : i % 700);
    equal(index.get(`${path(i)}x`), undefined);
  }
  const copy = new PathIndex(index.words.slice());
  equal(copy.get(path(49_999)), 49_999 % 700);
});

Deno.test({
  name: "this machine's packages: as dpkg-query says, and quickly",
  ignore: !has("dpkg-query"),
  fn: () => {
    using cache = new TempDir();
    const options = { cacheDir: cache.path };
    let start = performance.now();
    const packages = OsPackages.open(options);
    const bash = packages.ownerOf("/usr/bin/bash");
    ok(performance.now() - start < 5000);
    const { stdout } = new Deno.Command("dpkg-query", {
      args: ["-W", "-f", "${Version}", "bash"],
    }).outputSync();
    deepEqual(bash, {
      name: "bash",
      version: new TextDecoder().decode(stdout),
    });
    equal(packages.ownerOf("/usr/bin"), undefined);
    let unowned = 0;
    const lists = [...Deno.readDirSync("/var/lib/dpkg/info")].map((one) =>
      one.name
    ).filter((name) => /^lib[a-f].*\.list$/.test(name));
    ok(lists.length > 0);
    for (const list of lists) {
      const [name] = list.slice(0, -5).split(":");
      const lines = Deno.readTextFileSync(`/var/lib/dpkg/info/${list}`)
        .trim().split("\n").filter((path) => /\.(?:so|h)\b/.test(path));
      for (const path of lines) {
        const owner = packages.ownerOf(path);
        // Folders belong to several, and so do files that were diverted.
        if (!owner) unowned++;
        else equal(owner.name.split(":")[0], name, path);
      }
    }
    ok(unowned < 50, `${unowned} without an owner`);
    start = performance.now();
    for (let i = 0; i < 100; i++) OsPackages.stampOf();
    ok((performance.now() - start) / 100 < 1);
  },
});
