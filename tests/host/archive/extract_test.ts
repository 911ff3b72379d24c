/** What extractArchive() decides where tar leaves a choice. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { lstatSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { archiveErrors } from "../../../lib/explain/archive.ts";
import { FaultReporter } from "../../../lib/host/archive/failure.ts";
import { leavesTree } from "../../../lib/host/archive/links.ts";
import { detectArchive } from "../../../lib/host/archive/mod.ts";
import {
  CollisionGuard,
  safeComponents,
} from "../../../lib/host/archive/names.ts";
import { mtimes, Sandbox, snapshot } from "./snapshot.ts";
import { endMark, entry, pax, tar } from "./tar_writer.ts";

const names = (sandbox: Sandbox) =>
  snapshot(sandbox.join("into"), false).map((line) => line.split(" ")[0]);
const folder = (name: string, mode = 0o755) =>
  entry({ name, type: "5", mode, mtime: 77 });

const stripCases: [string, Uint8Array, string | undefined, string[]][] = [
  ["one top folder", tar(folder("t/"), entry({ name: "t/a" })), "t", ["a"]],
  ["no entry for it", tar(entry({ name: "t/a" })), "t", ["a"]],
  ["a dot before it", tar(folder("./"), entry({ name: "./t/a" })), "t", ["a"]],
  [
    "a global header",
    tar(pax([["comment", "c"]], "g"), entry({ name: "t/a" })),
    "t",
    ["a"],
  ],
  [
    "two top folders",
    tar(entry({ name: "t/a" }), entry({ name: "u/b" })),
    undefined,
    ["t/", "t/a", "u/", "u/b"],
  ],
  [
    "a file first",
    tar(entry({ name: "a" }), entry({ name: "t/b" })),
    undefined,
    ["a", "t/", "t/b"],
  ],
  [
    "a file last",
    tar(entry({ name: "t/b" }), entry({ name: "a" })),
    undefined,
    ["a", "t/", "t/b"],
  ],
  [
    "its own name inside",
    tar(entry({ name: "t/t/t" }), entry({ name: "t/u" })),
    "t",
    ["t/", "t/t", "u"],
  ],
  [
    "its own name, put back",
    tar(entry({ name: "t/t" }), entry({ name: "u" })),
    undefined,
    ["t/", "t/t", "u"],
  ],
  ["empty archive", tar(), undefined, []],
];

Deno.test("strip auto drops a top folder only if it is the only one", async (t) => {
  for (const [what, archive, stripped, expected] of stripCases) {
    await t.step(what, async () => {
      using sandbox = new Sandbox();
      const result = await sandbox.extract(archive, { strip: "auto" });
      assert.equal(result.stripped, stripped);
      assert.deepEqual(names(sandbox), expected);
      sandbox.assertUntouched();
    });
  }
});

Deno.test("a top folder that is put back keeps links, dates and modes", async () => {
  using sandbox = new Sandbox();
  const archive = tar(
    folder("t/", 0o750),
    folder("t/d/"),
    entry({ name: "t/d/a", data: "x" }),
    entry({ name: "t/d/h", type: "1", linkName: "t/d/a" }),
    entry({ name: "u", data: "y" }),
    entry({ name: "v", type: "1", linkName: "t/d/a" }),
  );
  await sandbox.extract(archive, { strip: "auto" });
  const putBack = snapshot(sandbox.join("into"));
  await sandbox.extract(archive, { strip: 0 });
  assert.deepEqual(putBack, snapshot(sandbox.join("into")));
});

Deno.test("a later file replaces an earlier one, not its other names", async () => {
  using sandbox = new Sandbox();
  await sandbox.extract(tar(
    entry({ name: "a", data: "old" }),
    entry({ name: "h", type: "1", linkName: "a" }),
    entry({ name: "a", data: "new" }),
    entry({ name: "a", type: "1", linkName: "a" }),
  ));
  assert.equal(sandbox.read("into/a"), "new");
  assert.equal(sandbox.read("into/h"), "old");
});

Deno.test("modes: no special bits, owner can read files and use folders", async () => {
  using sandbox = new Sandbox();
  await sandbox.extract(tar(
    folder("d/", 0),
    entry({ name: "d/zero", mode: 0 }),
    entry({ name: "d/ro", mode: 0o444 }),
    entry({ name: "suid", mode: 0o7777 }),
  ));
  const mode = (name: string) =>
    lstatSync(sandbox.join("into", name)).mode & 0o7777;
  const umask = Deno.umask();
  assert.equal(mode("d"), 0o700);
  assert.equal(mode("d/zero"), 0o400);
  assert.equal(mode("d/ro"), 0o444 & ~umask);
  assert.equal(mode("suid"), 0o777 & ~umask);
});

Deno.test("dates: nanoseconds, before 1970, after 2038, links and folders", async () => {
  using sandbox = new Sandbox();
  const dated = (mtime: string, part: Uint8Array) => [
    pax([["mtime", mtime]]),
    part,
  ];
  await sandbox.extract(tar(
    ...dated("1700000000.123456789", folder("d/")),
    ...dated("1700000001.000000001", entry({ name: "d/f" })),
    ...dated("-1.25", entry({ name: "old" })),
    ...dated("5000000000.5", entry({ name: "l", type: "2", linkName: "d" })),
  ));
  const times = mtimes(sandbox.join("into"));
  assert.equal(times.get("d"), "1700000000.123456789");
  assert.equal(times.get("d/f"), "1700000001.000000001");
  // Seconds and nanoseconds are printed apart: 0.75 s after -2.
  assert.equal(times.get("old"), "-2.750000000");
  assert.equal(times.get("l"), "5000000000.500000000");
});

Deno.test("a single .gz becomes one file of the given name", async () => {
  using sandbox = new Sandbox();
  const text = "just text\n".repeat(100);
  const result = await sandbox.extract(gzipSync(text), { gzName: "a.txt" });
  assert.deepEqual(result, {
    format: "gz",
    entries: 1,
    bytes: 1000,
    stripped: undefined,
  });
  assert.equal(sandbox.read("into/a.txt"), text);
  await sandbox.extract(gzipSync(text), { name: "b.c.gz", strip: "auto" });
  assert.deepEqual(names(sandbox), ["b.c"]);
  await sandbox.failure(gzipSync(text).subarray(0, 40));
  await sandbox.failure(gzipSync(text), { gzName: "../x" });
});

Deno.test("detectArchive() goes by content", async () => {
  using sandbox = new Sandbox();
  const cases: [Uint8Array, string | undefined][] = [
    [Buffer.from(""), undefined],
    [Buffer.from("BZhello, this is text"), undefined],
    [Buffer.from("text"), undefined],
    [noZeros(600), undefined],
    [Buffer.alloc(20480), undefined],
    [Buffer.alloc(10240), "tar"],
    [gzipSync(Buffer.alloc(10240)), "tar.gz"],
    [gzipSync(""), "gz"],
    [endMark, "tar"],
    [tar(entry({})), "tar"],
    [gzipSync(tar(entry({}))), "tar.gz"],
  ];
  for (const [bytes, expected] of cases) {
    Deno.writeFileSync(sandbox.join("x.archive"), bytes);
    assert.equal(await detectArchive(sandbox.join("x.archive")), expected);
  }
});

function noZeros(size: number): Buffer {
  return Buffer.alloc(size, 7);
}

Deno.test("leavesTree() follows links as the kernel does", () => {
  const links = new Map([
    ["a/up", ".."],
    ["deep", "x/y/z"],
    ["loop", "loop"],
    ["ok", "deep/../.."],
    ["bad", "a/up/.."],
    ["t/l", "../t/x"],
  ]);
  const cases: [string, number, boolean][] = [
    ["a/up", 0, false],
    ["deep", 0, false],
    ["loop", 0, false],
    ["ok", 0, false],
    ["bad", 0, true],
    ["t/l", 0, false],
    ["t/l", 1, true],
  ];
  for (const [name, floor, expected] of cases) {
    assert.equal(leavesTree(name, links, floor), expected, name);
  }
});

Deno.test("names that Windows or macOS take for others are refused there", () => {
  const faults = new FaultReporter("x");
  for (const name of ["C:x", "a\\b", "con", "Aux.c", "a.", "a ", "a:b"]) {
    const check = (windows: boolean) =>
      safeComponents(name, faults, "name", windows);
    assert.throws(() => check(true), { code: "CLIBS_ARCHIVE_UNSAFE" }, name);
    assert.deepEqual(check(false), [name]);
  }
  const guard = new CollisionGuard();
  guard.check("a/Readme", faults);
  guard.check("a/Readme", faults);
  guard.check("caf\u00e9", faults);
  for (const name of ["a/README", "cafe\u0301"]) {
    assert.throws(() => guard.check(name, faults), {
      code: "CLIBS_ARCHIVE_UNSAFE",
    });
  }
});

Deno.test("every archive error is explained", () => {
  for (
    const kind of [
      "UNSAFE",
      "CORRUPT",
      "UNSUPPORTED",
      "TOO_LARGE",
      "UNKNOWN",
      "NOT_EMPTY",
    ] as const
  ) {
    assert.ok(archiveErrors[`CLIBS_ARCHIVE_${kind}`]?.text);
  }
});
