import assert from "node:assert/strict";
import { type Access, KIND } from "../../lib/trace/access.ts";
import { logOf, type MadeRecord } from "../support/records.ts";

type Facts = Partial<Omit<Access, "path">>;

const READ = KIND.regular | KIND.link;

const cases: [string, MadeRecord[], Record<string, Facts>][] = [
  ["a read", [{ op: "read", path: "/a" }], {
    "/a": { kinds: READ, firstRead: 1, met: "found", firstWrite: 0 },
  }],
  ["kinds add up, the first read counts", [
    { op: "stat", path: "/a", state: "absent" },
    { op: "read", path: "/a", flags: ["executes"] },
    { op: "readdir", path: "/a" },
  ], {
    "/a": {
      kinds: READ | KIND.stat | KIND.exec | KIND.readdir,
      firstRead: 1,
      readNs: 1,
      met: "absent",
    },
  }],
  ["a record that comes late is the first all the same", [
    { op: "stat", path: "/a", state: "absent", at: 20, timeNs: 20 },
    { op: "write", path: "/a", flags: ["truncated"], at: 30 },
    { op: "read", path: "/a", at: 10, timeNs: 10 },
    { op: "write", path: "/a", flags: ["truncated", "existed"], at: 15 },
  ], {
    "/a": {
      firstRead: 10,
      readNs: 10,
      met: "found",
      firstWrite: 15,
      existed: true,
    },
  }],
  ["a new file", [{ op: "write", path: "/a", flags: ["creates"] }], {
    "/a": { kinds: 0, firstRead: 0, firstWrite: 1, existed: false },
  }],
  ["overwriting all of a file", [
    { op: "write", path: "/a", flags: ["creates", "existed", "truncated"] },
  ], { "/a": { firstRead: 0, firstWrite: 1, existed: true, sawOld: false } }],
  ["appending", [
    { op: "write", path: "/a", flags: ["creates", "existed", "appends"] },
  ], {
    "/a": { kinds: READ, firstRead: 1, firstWrite: 1, sawOld: true },
  }],
  ["overwriting a part", [
    { op: "write", path: "/a", flags: ["existed"] },
  ], { "/a": { kinds: READ, firstRead: 1, sawOld: true } }],
  ["reading what it wrote", [
    { op: "write", path: "/a", flags: ["creates"] },
    { op: "write", path: "/a", flags: ["existed", "appends"] },
    { op: "read", path: "/a" },
  ], { "/a": { firstRead: 2, firstWrite: 1, sawOld: false } }],
  ["an open that was refused still read that something is there", [
    {
      op: "write",
      path: "/a",
      flags: ["creates", "existed"],
      state: "failed",
    },
    { op: "mkdir", path: "/b", state: "failed" },
    { op: "unlink", path: "/c", state: "absent" },
  ], {
    "/a": { kinds: KIND.link | KIND.stat, met: "found", firstWrite: 0 },
    "/b": { met: "error", folder: false },
    "/c": { met: "absent", removed: false },
  }],
  ["a call that never returned may have happened", [
    { op: "write", path: "/a", state: "calling" },
    { op: "unlink", path: "/b", state: "calling", flags: ["existed"] },
  ], {
    "/a": { firstWrite: 1 },
    "/b": { firstWrite: 2, existed: true, removed: true },
  }],
  ["a rename reads one name and writes both", [
    { op: "rename", path: "/a", second: "/b", flags: ["existed"] },
  ], {
    "/a": {
      kinds: READ,
      firstRead: 1,
      firstWrite: 1,
      existed: true,
      removed: true,
    },
    "/b": { firstRead: 0, firstWrite: 1, existed: true, moved: true },
  }],
  ["a rename of its own file reads nothing", [
    { op: "write", path: "/a", flags: ["creates"] },
    { op: "rename", path: "/a", second: "/b" },
  ], {
    "/a": { firstRead: 0, firstWrite: 1, existed: false, removed: true },
    "/b": { firstWrite: 2, existed: false },
  }],
  ["a refused rename looked at both", [
    {
      op: "rename",
      path: "/a",
      second: "/b",
      flags: ["existed"],
      state: "failed",
    },
  ], { "/a": { met: "error", firstWrite: 0 }, "/b": { met: "found" } }],
  ["a folder of its own takes along what is in it", [
    { op: "mkdir", path: "/t" },
    { op: "mkdir", path: "/t/sub" },
    { op: "write", path: "/t/sub/f", flags: ["creates"] },
    { op: "rename", path: "/t", second: "/out" },
    { op: "rename", path: "/out", second: "/end" },
  ], {
    "/t/sub/f": { firstWrite: 3, removed: true },
    "/out": { folder: true, firstMade: 4, removed: true },
    "/out/sub": { folder: true, removed: true },
    "/out/sub/f": { firstWrite: 4, removed: true },
    "/end/sub": { folder: true, firstMade: 5, removed: false },
    "/end/sub/f": { firstWrite: 5, existed: false, removed: false },
  }],
  ["an empty folder that was taken away takes nothing along again", [
    { op: "write", path: "/t/a", flags: ["creates"] },
    { op: "rename", path: "/t", second: "/x" },
    { op: "write", path: "/t/b", flags: ["creates"] },
    { op: "rename", path: "/t", second: "/y" },
  ], {
    "/x/a": { firstWrite: 2 },
    "/y/b": { firstWrite: 4 },
    "/y/a": undefined as unknown as Facts,
  }],
  ["a hard link", [{ op: "hardlink", path: "/a", second: "/b" }], {
    "/a": { kinds: READ, firstRead: 1, firstWrite: 0, linked: true },
    "/b": { firstRead: 0, firstWrite: 1, linked: true },
  }],
  ["a symbolic link", [{ op: "symlink", path: "/a" }], {
    "/a": { firstWrite: 1, existed: false },
  }],
  ["attributes", [
    { op: "attributes", path: "/a", flags: ["existed"] },
    { op: "attributes", path: "/b", flags: ["existed", "truncated"] },
  ], {
    "/a": { attributes: true, firstSet: 1, firstWrite: 0 },
    "/b": { attributes: true, firstSet: 2, firstWrite: 2 },
  }],
];

Deno.test("AccessLog folds records by path", async (t) => {
  for (const [what, records, expected] of cases) {
    await t.step(what, () => {
      const log = logOf(records);
      for (const [path, facts] of Object.entries(expected)) {
        const access = log.accesses.get(path);
        if (facts === undefined) {
          assert.equal(access, undefined, path);
          continue;
        }
        assert.ok(access, `${path} is not there`);
        for (const [name, value] of Object.entries(facts)) {
          assert.equal(access[name as keyof Access], value, `${path} ${name}`);
        }
      }
    });
  }
});

Deno.test("AccessLog leaves files of clibs out", () => {
  const log = logOf([
    { op: "start", pid: 5, other: 4 },
    { op: "exec", pid: 5, path: "/own/tracer", second: "/\0tracer\0make\0" },
    { op: "read", pid: 5, path: "/own/shim.so" },
    { op: "exec", pid: 5, path: "/bin/make", second: "/src\0make\0" },
    { op: "exit", pid: 5 },
  ], ["/own/tracer", "/own/shim.so", ""]);
  assert.deepEqual([...log.accesses.keys()], []);
  assert.deepEqual(log.commands, [{
    pid: 5,
    parent: 4,
    program: "/bin/make",
    argv: ["make"],
    cwd: "/src",
    startNs: 4,
    endNs: 5,
  }]);
});

Deno.test("AccessLog knows which folders it changed names in", () => {
  const log = logOf([
    { op: "write", path: "/d/new", flags: ["creates"] },
    { op: "write", path: "/e/sub/new", flags: ["creates"] },
    { op: "mkdir", path: "/f/sub" },
    { op: "read", path: "/g/file" },
  ]);
  const changed = ["/d", "/e", "/e/sub", "/f", "/g", "/"]
    .filter((folder) => log.changedNamesIn(folder));
  assert.deepEqual(changed, ["/d", "/e/sub", "/f"]);
});

const commands: [string, MadeRecord[], unknown[]][] = [
  ["told by who started it, by the tracer and by itself", [
    { op: "exec", path: "/a", second: "/\0a\0", state: "calling" },
    { op: "exec", path: "/a", second: "/\0a\0", flags: ["byPtrace"] },
    { op: "exec", path: "/a", second: "/\0a\0" },
  ], [["a", 1, 0]]],
  ["one that executes itself again", [
    { op: "exec", path: "/a", second: "/\0a\0one\0" },
    { op: "exec", path: "/a", second: "/\0a\0two\0" },
    { op: "exit" },
  ], [["a one", 1, 2], ["a two", 2, 3]]],
  ["the same, told twice each", [
    { op: "exec", path: "/a", second: "/\0a\0one\0", flags: ["byPtrace"] },
    { op: "exec", path: "/a", second: "/\0a\0one\0" },
    { op: "exec", path: "/a", second: "/\0a\0two\0", flags: ["byPtrace"] },
    { op: "exec", path: "/a", second: "/\0a\0two\0" },
  ], [["a one", 1, 3], ["a two", 3, 0]]],
  ["a process number that is used again", [
    { op: "exec", path: "/a", second: "/\0a\0" },
    { op: "exit" },
    { op: "exec", path: "/a", second: "/\0a\0", flags: ["byPtrace"] },
    { op: "exit" },
  ], [["a", 1, 2], ["a", 3, 4]]],
  ["a program that was replaced by another", [
    { op: "exec", path: "/sh", second: "/\0sh\0-c\0exec a\0" },
    { op: "exec", path: "/a", second: "/\0a\0\0x\0" },
    { op: "exit" },
  ], [["sh -c exec a", 1, 2], ["a  x", 2, 3]]],
  ["one that could not be executed", [
    { op: "exec", path: "/a", second: "/\0a\0", state: "failed" },
  ], []],
  ["the end of a child that ran no program", [
    { op: "exec", path: "/a", second: "/\0a\0" },
    { op: "start", pid: 2, other: 1 },
    { op: "exit", pid: 2 },
  ], [["a", 1, 0]]],
];

Deno.test("AccessLog tells programs apart", async (t) => {
  for (const [what, records, expected] of commands) {
    await t.step(what, () => {
      assert.deepEqual(
        logOf(records).commands.map(({ argv, startNs, endNs }) => [
          argv.join(" "),
          startNs,
          endNs,
        ]),
        expected,
      );
    });
  }
});

Deno.test("AccessLog keeps escapes once, unseen if any was", () => {
  const log = logOf([
    { op: "escape", path: "/a", other: 1 | 0x100 },
    { op: "escape", path: "/a", other: 1 },
    { op: "escape", path: "/b", other: 4 | 0x100 },
    { op: "escape", path: "/c", other: 99 },
  ]);
  assert.deepEqual([...log.escapes.values()], [
    { program: "/a", reason: "static", seen: false },
    { program: "/b", reason: "Go", seen: true },
    { program: "/c", reason: "unknown", seen: false },
  ]);
});

Deno.test("AccessLog moves a folder without looking at all paths", () => {
  const records: MadeRecord[] = [];
  for (let i = 0; i < 2000; i++) {
    records.push({ op: "write", path: `/t/${i}/f`, flags: ["creates"] });
    records.push({ op: "rename", path: `/t/${i}`, second: `/out/${i}` });
    for (let k = 0; k < 20; k++) {
      records.push({ op: "read", path: `/in/${i}/${k}` });
    }
  }
  const start = performance.now();
  const log = logOf(records);
  assert.ok(log.accesses.has("/out/1999/f"));
  // Looking at each path for each rename takes more than 10 s.
  const ms = performance.now() - start;
  assert.ok(ms < 2000, `${ms} ms`);
});
