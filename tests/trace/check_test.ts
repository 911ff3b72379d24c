import assert from "node:assert/strict";
import { checkTrace } from "../../lib/trace/api.ts";
import { bytesToPath, pathToBytes } from "../../lib/host/bytes_path.ts";
import { libc } from "../../lib/host/libc.ts";
import { type Trace, traceOf } from "../../lib/trace/trace.ts";
import { logOf, type MadeRecord } from "../support/records.ts";
import { TempDir } from "../support/temp.ts";

/** Saves a trace of records whose paths are below a folder. */
async function save(
  dir: TempDir,
  records: readonly MadeRecord[],
): Promise<string> {
  const timeNs = (Date.now() + 1000) * 1e6;
  const full = (path?: string) => path?.replace(/^@/, dir.path) ?? "";
  const log = logOf(records.map((record) => ({
    timeNs,
    ...record,
    path: full(record.path),
    second: full(record.second),
  })));
  const trace = await traceOf(log, {
    command: ["make"],
    cwd: dir.path,
    env: { SET: "1" },
    method: "auto",
    startedMs: Date.now(),
    endedMs: Date.now(),
    systemReads: 0,
    lost: 0,
  });
  return JSON.stringify({ trace });
}

const records: MadeRecord[] = [
  { op: "read", path: "@/dep" },
  { op: "stat", path: "@/absent", state: "absent" },
  { op: "stat", path: "@/folder" },
  { op: "readdir", path: "@/listed" },
  { op: "write", path: "@/listed/target", flags: ["creates"] },
  { op: "unlink", path: "@/removed", flags: ["existed"] },
  { op: "write", path: "@/scratch", flags: ["creates"] },
  { op: "getenv", path: "SET" },
  { op: "getenv", path: "UNSET" },
  { op: "read", path: "/proc/self/maps" },
];

const files = { dep: "1", "folder/x": "", "listed/a": "", "listed/target": "" };

const edits: [
  what: string,
  edit: (dir: TempDir) => void,
  broken: [
    kind: string,
    name: string,
    was: string | RegExp,
    now: string | RegExp,
  ],
][] = [
  ["a dep edited", (dir) => dir.write({ dep: "2" }), [
    "dep",
    "dep",
    /^\w{16}-R$/,
    /^\w{16}-R$/,
  ]],
  ["a dep removed", (dir) => Deno.removeSync(dir.join("dep")), [
    "dep",
    "dep",
    /-R$/,
    "none",
  ]],
  ["a dep made executable", (dir) => Deno.chmodSync(dir.join("dep"), 0o755), [
    "dep",
    "dep",
    /-R$/,
    /-R$/,
  ]],
  ["a dep made a link", (dir) => {
    Deno.renameSync(dir.join("dep"), dir.join("other"));
    Deno.symlinkSync("other", dir.join("dep"));
  }, ["dep", "dep", /-R$/, /-L$/]],
  ["a dep made a folder", (dir) => {
    Deno.removeSync(dir.join("dep"));
    Deno.mkdirSync(dir.join("dep"));
  }, ["dep", "dep", /-R$/, "folder"]],
  ["something where nothing was", (dir) => dir.write({ absent: "" }), [
    "absent",
    "absent",
    "none",
    "present",
  ]],
  ["a folder there too", (dir) => Deno.mkdirSync(dir.join("absent")), [
    "absent",
    "absent",
    "none",
    "present",
  ]],
  ["a folder removed", (dir) => {
    Deno.removeSync(dir.join("folder"), { recursive: true });
  }, ["folder", "folder", "folder", "none"]],
  ["a folder made a file", (dir) => {
    Deno.removeSync(dir.join("folder"), { recursive: true });
    dir.write({ folder: "" });
  }, ["folder", "folder", "folder", "file"]],
  ["a new name in a folder", (dir) => dir.write({ "listed/b": "" }), [
    "listed",
    "listed",
    /-D$/,
    /-D$/,
  ]],
  ["a listed folder removed", (dir) => {
    Deno.removeSync(dir.join("listed"), { recursive: true });
  }, ["target", "listed/target", "empty-R", "none"]],
  ["a target edited", (dir) => dir.write({ "listed/target": "2" }), [
    "target",
    "listed/target",
    "empty-R",
    /-R$/,
  ]],
  ["a target removed", (dir) => Deno.removeSync(dir.join("listed/target")), [
    "target",
    "listed/target",
    "empty-R",
    "none",
  ]],
  ["what was removed is back", (dir) => dir.write({ removed: "" }), [
    "removed",
    "removed",
    "none",
    "present",
  ]],
];

Deno.test("checkTrace() says which fact does not hold any more", async (t) => {
  for (const [what, edit, [kind, name, was, now]] of edits) {
    await t.step(what, async () => {
      using dir = new TempDir();
      dir.write(files);
      const text = await save(dir, records);
      const env = (name: string) => name === "SET" ? "1" : undefined;
      const before = await checkTrace(text, "t", env);
      assert.deepEqual({ ...before, reread: 0 }, {
        holds: true,
        checked: 9 - 1,
        reread: 0,
      });
      edit(dir);
      const { holds, broken } = await checkTrace(text, "t", env);
      assert.equal(holds, false);
      assert.equal(broken?.kind, kind);
      assert.equal(broken.name, dir.join(name));
      const match = (text: string, expected: string | RegExp) =>
        expected instanceof RegExp
          ? assert.match(text, expected)
          : assert.equal(text, expected);
      match(broken.was, was);
      match(broken.now, now);
      assert.notEqual(broken.was, broken.now);
    });
  }
});

Deno.test("checkTrace() compares variables, also those that were not set", async () => {
  using dir = new TempDir();
  dir.write(files);
  const text = await save(dir, records);
  const check = (env: Record<string, string>) =>
    checkTrace(text, "t", (name) => env[name]);
  assert.equal((await check({ SET: "1", OTHER: "x" })).holds, true);
  assert.deepEqual((await check({ SET: "2" })).broken, {
    kind: "env",
    name: "SET",
    was: "6b86b273ff34fce1",
    now: "d4735e3a265e16ee",
  });
  assert.equal((await check({})).broken?.now, "not set");
  assert.equal((await check({ SET: "1", UNSET: "" })).broken?.was, "not set");
});

Deno.test("checkTrace() reads only what may have changed", async () => {
  using dir = new TempDir();
  dir.write({ a: "1", b: "2", c: "3" });
  await new Promise((resolve) => setTimeout(resolve, 30));
  const text = await save(
    dir,
    ["a", "b", "c"].map((name) => ({
      op: "read",
      path: `@/${name}`,
    })),
  );
  const check = async () => await checkTrace(text, "t", () => undefined);
  assert.deepEqual(await check(), { holds: true, checked: 3, reread: 0 });
  // Other times, the same content.
  Deno.utimeSync(dir.join("b"), 5, 5);
  assert.deepEqual(await check(), { holds: true, checked: 3, reread: 1 });
  // Other content, size and times as before.
  const { mtime } = Deno.statSync(dir.join("c"));
  dir.write({ c: "4" });
  Deno.utimeSync(dir.join("c"), mtime!, mtime!);
  assert.equal((await check()).broken?.name, dir.join("c"));
});

Deno.test("a trace with a path that was unstable never holds", async () => {
  using dir = new TempDir();
  const text = await save(dir, [{ op: "read", path: "@/gone" }]);
  assert.deepEqual(await checkTrace(text, "t", () => undefined), {
    holds: false,
    broken: {
      kind: "unstable",
      name: dir.join("gone"),
      was: "one thing when it was read",
      now: "another: it changed during the run",
    },
    checked: 0,
    reread: 0,
  });
});

Deno.test({
  name: "names that are not UTF-8 are saved and found again",
  ignore: libc === undefined,
  fn: async () => {
    using dir = new TempDir();
    const name = bytesToPath(new Uint8Array([0x66, 0xff, 0x0a, 0x1b]));
    const path = `${dir.path}/${name}`;
    const { success } = new Deno.Command("sh", {
      args: [
        "-c",
        'printf x > "$(printf "f\\377\\nx")"; mv f* "$(printf "f\\377\\n\\033")"',
      ],
      cwd: dir.path,
    }).outputSync();
    assert.ok(success);
    const text = await save(dir, [{ op: "read", path }]);
    assert.ok(text.includes("f\\udcff\\n\\u001b"));
    const saved = (JSON.parse(text) as { trace: Trace }).trace.deps[0]!;
    assert.deepEqual(pathToBytes(saved.path), pathToBytes(path));
    const check = async () => await checkTrace(text, "t", () => undefined);
    assert.equal((await check()).holds, true);
    const remove = ["-c", "rm f*"];
    new Deno.Command("sh", { args: remove, cwd: dir.path }).outputSync();
    assert.equal((await check()).broken?.name, path);
  },
});

const wrong: [string, string, RegExp][] = [
  ["nothing", "", /^Unexpected end of JSON input/],
  ["cut off", '{"trace":{"format":1,', /JSON/],
  ["no object", "[]", /^it is not an object$/],
  ["null", "null", /^it is not an object$/],
  ["no trace in it", '{"trace":3}', /^it is not an object$/],
  ["no format", "{}", /^its format is missing, and this clibs reads 1$/],
  ["another format", '{"format":2}', /^its format is 2, and this clibs/],
  ["no lists", '{"format":1}', /^"deps" is not a list$/],
];

Deno.test("a file that is no trace is refused, and why", async (t) => {
  const good = {
    format: 1,
    deps: [],
    absent: [],
    targets: [],
    removed: [],
    folders: [],
    listed: [],
    unstable: [],
    env: {},
  };
  const damaged: typeof wrong = [
    ["a text as dep", JSON.stringify({ ...good, deps: ["a"] }), /^"deps" has/],
    [
      "a dep without digest",
      JSON.stringify({ ...good, deps: [{ path: "/a" }] }),
      /^"deps" has no fact in place 1$/,
    ],
    [
      "a number as path",
      JSON.stringify({ ...good, absent: ["/a", 1] }),
      /^"absent" has no fact in place 2$/,
    ],
    ["no env", JSON.stringify({ ...good, env: null }), /^"env" is not/],
    ["a number in env", JSON.stringify({ ...good, env: { A: 1 } }), /^"env"/],
  ];
  for (const [what, text, problem] of [...wrong, ...damaged]) {
    await t.step(what, async () => {
      await assert.rejects(checkTrace(text, "file.json"), (error) => {
        const { code, facts } = error as {
          code: string;
          facts: Record<string, string>;
        };
        assert.equal(code, "CLIBS_TRACE_FILE");
        assert.equal(facts.file, "file.json");
        assert.match(facts.problem!, problem);
        return true;
      });
    });
  }
  // Without its envelope, and with lists that a later release adds.
  const text = JSON.stringify({ ...good, more: [] });
  assert.equal((await checkTrace(text, "file.json")).holds, true);
});

Deno.test("a saved trace that is cut at any byte is refused", async () => {
  using dir = new TempDir();
  dir.write(files);
  const text = await save(dir, records);
  for (let end = 0; end < text.length; end++) {
    await assert.rejects(checkTrace(text.slice(0, end), "f"), {
      code: "CLIBS_TRACE_FILE",
    });
  }
});
