/** How what a run did becomes facts, with files that are really there. */

import assert from "node:assert/strict";
import { loadChecksums } from "../../lib/host/checksum.ts";
import { UNREADABLE } from "../../lib/trace/facts.ts";
import { type Trace, TRACE_FORMAT, traceOf } from "../../lib/trace/trace.ts";
import { logOf, type MadeRecord } from "../support/records.ts";
import { asPlainUser } from "../support/plain_user.ts";
import { TempDir } from "../support/temp.ts";

const checksums = await loadChecksums();

/** Places files in a folder; folds records whose paths are below it. */
async function fold(
  dir: TempDir,
  files: Record<string, string>,
  records: readonly MadeRecord[],
  options: { readMs?: number; startedMs?: number; lost?: number } = {},
): Promise<Trace> {
  dir.write(files);
  const now = Date.now();
  const timeNs = (now + (options.readMs ?? 1000)) * 1e6;
  const full = (path?: string) => path?.replace(/^@/, dir.path) ?? "";
  const log = logOf(records.map((record) => ({
    timeNs,
    ...record,
    path: full(record.path),
    second: full(record.second),
  })));
  return await traceOf(log, {
    command: ["make"],
    cwd: dir.path,
    env: { SET: "value", EMPTY: "" },
    method: "auto",
    startedMs: options.startedMs ?? now,
    endedMs: now + 10,
    systemReads: 3,
    lost: options.lost ?? 0,
  });
}

/** The lists of a trace that are not empty, paths relative to the folder. */
function listsOf(dir: TempDir, trace: Trace): Record<string, string[]> {
  const short = (path: string) => path.replace(`${dir.path}/`, "");
  const lists: Record<string, string[]> = {
    deps: trace.deps.map(({ path, rewritten }) =>
      short(path) + (rewritten ? " rewritten" : "")
    ),
    absent: trace.absent.map(short),
    targets: trace.targets.map(({ path }) => short(path)),
    removed: trace.removed.map(short),
    scratch: trace.scratch.map(short),
    folders: trace.folders.map(short),
    listed: trace.listed.map(({ path }) => short(path)),
    unstable: trace.unstable.map(short),
  };
  return Object.fromEntries(
    Object.entries(lists).filter(([, list]) => list.length > 0),
  );
}

const cases: [
  string,
  Record<string, string>,
  MadeRecord[],
  Record<string, string[]>,
][] = [
  ["read, absent, written", { in: "1", out: "2" }, [
    { op: "read", path: "@/in" },
    { op: "stat", path: "@/none", state: "absent" },
    { op: "write", path: "@/out", flags: ["creates"] },
  ], { deps: ["in"], absent: ["none"], targets: ["out"] }],
  ["targets in the order of their writes", { a: "", b: "" }, [
    { op: "stat", path: "@/a", state: "absent" },
    { op: "write", path: "@/b", flags: ["creates"] },
    { op: "write", path: "@/a", flags: ["creates"] },
  ], { targets: ["b", "a"] }],
  ["read back what it wrote", { out: "" }, [
    { op: "write", path: "@/out", flags: ["creates"] },
    { op: "read", path: "@/out" },
  ], { targets: ["out"] }],
  ["looked for, then made", { out: "" }, [
    { op: "stat", path: "@/out", state: "absent" },
    { op: "write", path: "@/out", flags: ["creates"] },
  ], { targets: ["out"] }],
  ["looked for, made and removed", {}, [
    { op: "stat", path: "@/out", state: "absent" },
    { op: "write", path: "@/out", flags: ["creates"] },
    { op: "unlink", path: "@/out", flags: ["existed"] },
  ], { scratch: ["out"] }],
  ["read, then overwritten", { file: "" }, [
    { op: "read", path: "@/file" },
    { op: "write", path: "@/file", flags: ["existed", "truncated"] },
  ], { deps: ["file rewritten"], targets: ["file"] }],
  ["overwritten unseen", { file: "" }, [
    { op: "write", path: "@/file", flags: ["existed", "truncated"] },
    { op: "read", path: "@/file" },
  ], { targets: ["file"] }],
  ["appended to", { file: "" }, [
    { op: "write", path: "@/file", flags: ["existed", "appends"] },
  ], { deps: ["file rewritten"], targets: ["file"] }],
  ["read, then removed", {}, [
    { op: "stat", path: "@/file" },
    { op: "unlink", path: "@/file", flags: ["existed"] },
  ], { deps: ["file rewritten"], removed: ["file"] }],
  ["removed unseen", {}, [
    { op: "unlink", path: "@/file", flags: ["existed"] },
  ], { removed: ["file"] }],
  ["removed, then looked for", {}, [
    { op: "unlink", path: "@/file", flags: ["existed"] },
    { op: "stat", path: "@/file", state: "absent" },
  ], { removed: ["file"] }],
  ["moved over another", { b: "" }, [
    { op: "rename", path: "@/a", second: "@/b", flags: ["existed"] },
  ], { deps: ["a rewritten"], targets: ["b"], removed: ["a"] }],
  ["written beside and moved", { out: "" }, [
    { op: "write", path: "@/out.tmp", flags: ["creates"] },
    { op: "rename", path: "@/out.tmp", second: "@/out" },
  ], { targets: ["out"], scratch: ["out.tmp"] }],
  ["a link of its own to a dep", { a: "", b: "" }, [
    { op: "hardlink", path: "@/a", second: "@/b" },
  ], { deps: ["a"], targets: ["b"] }],
  ["made executable", { a: "" }, [
    { op: "stat", path: "@/a" },
    { op: "attributes", path: "@/a", flags: ["existed"] },
  ], { deps: ["a rewritten"], targets: ["a"] }],
  ["refused, though it is there", { a: "" }, [
    { op: "access", path: "@/a", state: "failed" },
  ], { deps: ["a"] }],
  ["refused, and not there", {}, [
    { op: "access", path: "@/a", state: "failed" },
  ], { absent: ["a"] }],
  ["somebody else made it", { a: "" }, [
    { op: "read", path: "@/a", state: "absent" },
  ], { unstable: ["a"] }],
  ["somebody else made a folder of it", { "a/b": "" }, [
    { op: "stat", path: "@/a", state: "absent" },
  ], { unstable: ["a"] }],
  ["somebody else removed it", {}, [{ op: "read", path: "@/a" }], {
    unstable: ["a"],
  }],
  ["looked at a folder, listed another", { "a/x": "", "b/x": "" }, [
    { op: "stat", path: "@/a" },
    { op: "readdir", path: "@/b" },
    { op: "mkdir", path: "@/b", state: "failed", flags: ["existed"] },
  ], { folders: ["a"], listed: ["b"] }],
  ["made a folder, and what is in it", { "out/x": "" }, [
    { op: "stat", path: "@/out", state: "absent" },
    { op: "mkdir", path: "@/out" },
    { op: "write", path: "@/out/x", flags: ["creates"] },
    { op: "readdir", path: "@/out" },
  ], { targets: ["out/x"] }],
  ["made a folder and moved it", { "out/sub/x": "" }, [
    { op: "mkdir", path: "@/tmp" },
    { op: "mkdir", path: "@/tmp/sub" },
    { op: "write", path: "@/tmp/sub/x", flags: ["creates"] },
    { op: "rename", path: "@/tmp", second: "@/out" },
    { op: "read", path: "@/out/sub/x" },
  ], { targets: ["out/sub/x"], scratch: ["tmp/sub/x"] }],
  ["moved a folder of others, read in it before and after", {
    "new/x": "",
    "new/y": "",
  }, [
    { op: "read", path: "@/old/x" },
    { op: "rename", path: "@/old", second: "@/new" },
    { op: "read", path: "@/new/y" },
    { op: "stat", path: "@/old/y", state: "absent" },
  ], {
    deps: ["old/x rewritten", "old rewritten"],
    targets: ["new/x", "new/y"],
    removed: ["old"],
  }],
  ["moved a folder of others twice", { "c/x": "" }, [
    { op: "rename", path: "@/a", second: "@/b" },
    { op: "read", path: "@/b/x" },
    { op: "rename", path: "@/b", second: "@/c" },
  ], {
    deps: ["a rewritten"],
    targets: ["c/x"],
    removed: ["a"],
    scratch: ["b"],
  }],
  ["what the kernel makes up is not compared", {}, [
    { op: "read", path: "/proc/1/maps" },
    { op: "read", path: "/proc/999999999/stat" },
    { op: "stat", path: "/sys/nothing", state: "absent" },
  ], {
    deps: ["/proc/1/maps", "/proc/999999999/stat"],
    absent: ["/sys/nothing"],
  }],
];

Deno.test("traceOf() puts each path into the lists where it belongs", async (t) => {
  for (const [what, files, records, expected] of cases) {
    await t.step(what, async () => {
      using dir = new TempDir();
      const trace = await fold(dir, files, records);
      const lists = listsOf(dir, trace);
      for (const list of Object.values(lists)) list.sort();
      for (const list of Object.values(expected)) list.sort();
      assert.deepEqual(lists, expected);
    });
  }
});

Deno.test("traceOf() keeps targets in the order of their writes", async () => {
  using dir = new TempDir();
  const trace = await fold(dir, { a: "", b: "" }, [
    { op: "stat", path: "@/a", state: "absent" },
    { op: "write", path: "@/b", flags: ["creates"] },
    { op: "write", path: "@/a", flags: ["creates"] },
  ]);
  assert.deepEqual(listsOf(dir, trace), { targets: ["b", "a"] });
});

Deno.test("traceOf() tells a file that changed after it was read", async (t) => {
  const read: MadeRecord[] = [{ op: "read", path: "@/in" }];
  const times: [string, number, number, boolean][] = [
    // The file is written now.
    ["changed long before the run", 60_000, 50_000, false],
    ["changed during the run, long before the read", 60_000, -1000, false],
    ["changed during the run, just before the read", 3, -1000, true],
    ["changed before the run, just before the read", 3, 2, false],
    ["changed after the read", -50, -1000, true],
  ];
  for (const [what, readMs, startMs, isUnstable] of times) {
    await t.step(what, async () => {
      using dir = new TempDir();
      const trace = await fold(dir, { in: "1" }, read, {
        readMs,
        startedMs: Date.now() + startMs,
      });
      assert.deepEqual(
        listsOf(dir, trace),
        { deps: ["in"], ...isUnstable ? { unstable: ["in"] } : {} },
      );
    });
  }
});

Deno.test("traceOf() takes a new name of a file for no change by others", async () => {
  using dir = new TempDir();
  dir.write({ a: "" });
  Deno.utimeSync(dir.join("a"), 1, 1);
  const readMs = -50;
  const trace = await fold(dir, {}, [
    { op: "read", path: "@/a" },
    { op: "hardlink", path: "@/a", second: "@/b" },
  ], { readMs, startedMs: Date.now() - 1000 });
  assert.deepEqual(trace.unstable, []);
  const other = await fold(dir, {}, [{ op: "read", path: "@/a" }], {
    readMs,
    startedMs: Date.now() - 1000,
  });
  assert.deepEqual(listsOf(dir, other).unstable, ["a"]);
});

Deno.test("traceOf() tells a folder that others changed while it was listed", async () => {
  const readMs = -50;
  const startedMs = Date.now() - 1000;
  const list: MadeRecord = { op: "readdir", path: "@/d" };
  using dir = new TempDir();
  const files = { "d/a": "", "d/b": "" };
  const other = await fold(dir, files, [list], { readMs, startedMs });
  assert.deepEqual(listsOf(dir, other), { listed: ["d"], unstable: ["d"] });
  using own = new TempDir();
  const written = await fold(own, files, [
    list,
    { op: "write", path: "@/d/b", flags: ["creates"] },
  ], { readMs, startedMs });
  assert.deepEqual(listsOf(own, written), { listed: ["d"], targets: ["d/b"] });
});

Deno.test("traceOf() leaves the command's targets out of a listing", async () => {
  using one = new TempDir();
  using two = new TempDir();
  const list: MadeRecord = { op: "readdir", path: "@/d" };
  const plain = await fold(one, { "d/a": "" }, [list]);
  const written = await fold(two, { "d/a": "", "d/b": "" }, [
    list,
    { op: "write", path: "@/d/b", flags: ["creates"] },
  ]);
  assert.match(plain.listed[0]!.digest, /^[0-9a-f]{16}-D$/);
  assert.equal(plain.listed[0]!.digest, written.listed[0]!.digest);
});

Deno.test("traceOf() has digests, stamps for old files, and kinds", async () => {
  using dir = new TempDir();
  dir.write({ old: "1" });
  Deno.symlinkSync("old", dir.join("link"));
  await new Promise((resolve) => setTimeout(resolve, 30));
  const { deps } = await fold(dir, { young: "2" }, [
    { op: "read", path: "@/old" },
    { op: "link", path: "@/link" },
    { op: "stat", path: "@/young" },
  ]);
  const sum = (name: string) => checksums.file(dir.join(name));
  assert.deepEqual(deps.map(({ stamp: _, ...dep }) => dep), [
    { path: dir.join("old"), digest: sum("old"), kinds: ["regular", "link"] },
    { path: dir.join("link"), digest: sum("link"), kinds: ["link"] },
    {
      path: dir.join("young"),
      digest: sum("young"),
      kinds: ["regular", "link", "stat"],
    },
  ]);
  const [old, link, young] = deps.map(({ stamp }) => stamp);
  assert.match(old!, /^1 33188 \d+ \d+ \d+$/);
  assert.match(link!, /^3 41471 /);
  assert.equal(young, undefined);
});

Deno.test("traceOf() tells commands, variables and whether anything was missed", async () => {
  using dir = new TempDir();
  const now = Date.now();
  const records: MadeRecord[] = [
    { op: "start", pid: 2, other: 1 },
    {
      op: "exec",
      pid: 2,
      path: "/bin/sh",
      second: "/src\0sh\0-c\0:\0",
      timeNs: (now + 5) * 1e6,
    },
    { op: "exit", pid: 2, timeNs: (now + 7.5) * 1e6 },
    { op: "exec", pid: 3, path: "/bin/a", second: "/\0a\0", timeNs: 0 },
    { op: "getenv", path: "SET" },
    { op: "getenv", path: "EMPTY" },
    { op: "getenv", path: "__proto__" },
  ];
  const trace = await fold(dir, {}, records, { startedMs: now });
  assert.equal(trace.format, TRACE_FORMAT);
  assert.deepEqual(trace.commands, [
    {
      pid: 2,
      parent: 1,
      program: "/bin/sh",
      argv: ["sh", "-c", ":"],
      cwd: "/src",
      startMs: 5,
      durationMs: 2.5,
    },
    {
      pid: 3,
      parent: 0,
      program: "/bin/a",
      argv: ["a"],
      cwd: "/",
      startMs: 0,
    },
  ]);
  // Digests, so that no token is saved.
  assert.deepEqual(Object.entries(trace.env), [
    ["EMPTY", "e3b0c44298fc1c14"],
    ["SET", "cd42404d52ad55cc"],
    ["__proto__", null],
  ]);
  assert.equal(trace.complete, true);
  assert.equal(trace.systemReads, 3);
  const lost = await fold(dir, {}, records, { lost: 1 });
  assert.equal(lost.complete, false);
  for (const [other, complete] of [[1, false], [1 | 0x100, true]] as const) {
    const escape: MadeRecord = { op: "escape", path: "/st", other };
    const escaped = await fold(dir, {}, [escape]);
    assert.equal(escaped.complete, complete);
  }
});

Deno.test({
  name: "traceOf() takes what it may not look at as it is",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    using dir = new TempDir();
    dir.write({ secret: "", "closed/in": "" });
    Deno.chmodSync(dir.join("secret"), 0);
    Deno.chmodSync(dir.join("closed"), 0);
    using _ = asPlainUser();
    try {
      const trace = await fold(dir, {}, [
        { op: "read", path: "@/secret", state: "failed" },
        { op: "read", path: "@/closed/in", state: "failed" },
        { op: "read", path: "@/closed/none", state: "absent" },
      ]);
      assert.deepEqual(trace.deps.map(({ digest }) => digest), [UNREADABLE]);
      assert.deepEqual(listsOf(dir, trace), {
        deps: ["secret"],
        absent: ["closed/in", "closed/none"],
      });
    } finally {
      Deno.chmodSync(dir.join("closed"), 0o700);
    }
  },
});
