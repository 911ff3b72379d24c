import assert from "node:assert/strict";
import { SWITCHES } from "../../lib/rules/job/autodep.ts";
import * as outside from "../../lib/rules/job/outside.ts";
import { lmake } from "../../lib/rules/job/mod.ts";
import { canTrace, has } from "../support/tools.ts";
import { ROOT, Session } from "./job_support.ts";

/**
 * Runs the body of a function job; what it returns comes back. `caught(call)`
 * is the message that a call is rejected with.
 */
async function job(
  session: Session,
  body: string,
  env?: Record<string, string>,
  // deno-lint-ignore no-explicit-any
): Promise<any> {
  const { stdout, stderr } = await session.runFunction(
    `async ({ lmake }) => {
      const caught = (call) => call().then(() => "nothing", (error) => error.message);
      const result = await (async () => { ${body} })();
      console.log(JSON.stringify(result ?? null));
    }`,
    {},
    env,
  );
  assert.equal(stderr, "");
  return JSON.parse(stdout);
}

const DEPEND = ["noStar", "required"];

Deno.test("depend() and target() take files one by one or as a list, and options", async () => {
  await using session = await Session.open();
  const returned = await job(
    session,
    `return [
      await lmake.depend("a", "b"),
      await lmake.depend(["a", "b"], { read: true, required: false }),
      await lmake.depend("a", { critical: true, essential: true, ignoreError: true }),
      await lmake.depend("a", { readdirOk: true, noStar: false }),
      await lmake.depend("a", { readdirOk: true, required: true }),
      await lmake.depend("a.*", { regexpr: true, ignore: true }),
      await lmake.depend("a", { followSymlinks: true }),
      await lmake.depend(),
      await lmake.depend([]),
      await lmake.depend({ read: true }),
      await lmake.target("t", "u"),
      await lmake.target(["t"], { allow: false, write: true, sourceOk: true }),
      await lmake.target("t", { incremental: true, noWarning: true, ignore: true, required: true }),
    ].every((result) => result === undefined);`,
  );
  assert.equal(returned, true);
  const cwd = session.dir.path;
  assert.deepEqual(session.services.calls, [
    ["depend", cwd, ["a", "b"], { flags: DEPEND }],
    ["depend", cwd, ["a", "b"], { flags: ["noStar"], read: true }],
    ["depend", cwd, ["a"], {
      flags: ["critical", "essential", "ignoreError", ...DEPEND],
    }],
    ["depend", cwd, ["a"], { flags: ["readdirOk"] }],
    ["depend", cwd, ["a"], { flags: ["noStar", "readdirOk", "required"] }],
    ["depend", cwd, ["a.*"], { flags: ["ignore", "noStar"], regexpr: true }],
    ["depend", cwd, ["a"], { flags: DEPEND, followSymlinks: true }],
    ["depend", cwd, [], { flags: DEPEND }],
    ["depend", cwd, [], { flags: DEPEND }],
    ["depend", cwd, [], { flags: DEPEND, read: true }],
    ["target", cwd, ["t", "u"], { flags: ["allow", "noStar"] }],
    ["target", cwd, ["t"], { flags: ["sourceOk", "noStar"], write: true }],
    ["target", cwd, ["t"], {
      flags: [
        "allow",
        "ignore",
        "incremental",
        "noWarning",
        "noStar",
        "required",
      ],
    }],
  ]);
});

Deno.test("depend() tells what it was asked for", async () => {
  await using session = await Session.open();
  session.services.states = {
    a: { ok: true, checksum: "1-R" },
    b: { ok: false },
  };
  assert.deepEqual(
    await job(
      session,
      `return [
        await lmake.depend("a", "b", "/x", { verbose: true }),
        await lmake.depend("a", { direct: true }),
        await lmake.depend(["a", "b"], { direct: true, ignoreError: true }),
      ]`,
    ),
    [
      { "a": { ok: true, checksum: "1-R" }, "b": { ok: false }, "/x": {} },
      true,
      false,
    ],
  );
});

Deno.test("calls refuse arguments that they cannot use", async () => {
  await using session = await Session.open();
  const calls: [call: string, message: string][] = [
    [
      `depend("a", { critcal: true })`,
      'Cannot call depend: there is no option "critcal" (nearest: critical)',
    ],
    [
      `depend("a", { followSymLinks: true })`,
      'Cannot call depend: there is no option "followSymLinks" (nearest: followSymlinks)',
    ],
    [
      `depend("a", undefined, "b")`,
      "Cannot call depend: the name of a file is a string, not null",
    ],
    [
      `depend(undefined)`,
      "Cannot call depend: there is no file, but undefined",
    ],
    [`depend("")`, "Cannot call depend: the name of a file is empty"],
    [
      `depend("a", ["b"])`,
      'Cannot call depend: the name of a file is a string, not ["b"]',
    ],
    [
      `target("a", { regexpr: true, write: true })`,
      "Cannot call target: option regexpr cannot go with write",
    ],
    [
      `checkDeps("1")`,
      "Cannot call checkDeps: delay is a number of seconds",
    ],
    [`checkDeps(0, 1)`, "Cannot call checkDeps: sync is true or false"],
    [
      `encode("t", "c", "v", 0)`,
      "Cannot call encode: minLength is a whole number from 1 to 16",
    ],
    [
      `encode("t", "c", "v", 99)`,
      "Cannot call encode: minLength is a whole number from 1 to 16",
    ],
    [`encode("", "c", "v")`, "Cannot call encode: the name of a file is empty"],
    [`encode("t", 1, "v")`, "Cannot call encode: context is not a string"],
    [`decode("t", "c")`, "Cannot call decode: code is not a string"],
    [
      `decode("t", "c", "nope")`,
      "Cannot decode nope: table t has no such code",
    ],
    [
      `listRoot()`,
      "Cannot call listRoot: the name of a file is a string, not undefined",
    ],
    [`xxhsum(3)`, "Cannot call xxhsum: text is not a string"],
    [`runCc()`, "Cannot call runCc: there is no command"],
    [`runCc("cc", 3)`, "Cannot call runCc: 3 is not a string"],
    [
      `runCc("cc", { input: "x" })`,
      'Cannot call runCc: there is no option "input" (there are: marker, stdin)',
    ],
    [
      `runCc("cc", { marker: "" })`,
      "Cannot call runCc: marker is not the name of a file",
    ],
    [
      `reportImport("a", "l1")`,
      "Cannot call reportImport: path is not an array of strings",
    ],
    [
      `reportImport("a", ["l1"], ".py")`,
      "Cannot call reportImport: moduleSuffixes is not an array of strings",
    ],
    ...["cpTargetTree", "mvTargetTree"].flatMap((
      name,
    ): [string, string][] => [
      [
        `${name}("", "b")`,
        `Cannot call ${name}: the name of a folder is empty`,
      ],
      [
        `${name}("a", "")`,
        `Cannot call ${name}: the name of a folder is empty`,
      ],
      [
        `${name}("/a", "b")`,
        `Cannot call ${name}: /a is absolute, not below this folder`,
      ],
      [
        `${name}("a", "b/../../c")`,
        `Cannot call ${name}: b/../../c leads out of this folder`,
      ],
      [
        `${name}("a", "./a/")`,
        `Cannot call ${name}: a and ./a/ are the same folder`,
      ],
    ]),
    [
      `rmTargetTree("..")`,
      "Cannot call rmTargetTree: .. leads out of this folder",
    ],
    [
      `rmTargetTree()`,
      "Cannot call rmTargetTree: the name of a folder is a string",
    ],
  ];
  const body = calls.map(([call]) => `await caught(() => lmake.${call})`);
  assert.deepEqual(
    await job(session, `return [${body.join(", ")}]`),
    calls.map(([, message]) => message),
  );
  assert.deepEqual(session.services.calls.map(([name]) => name), ["decode"]);
});

Deno.test("checkDeps() answers only if it is to wait", async () => {
  await using session = await Session.open();
  session.services.isOk = false;
  assert.deepEqual(
    await job(
      session,
      `return [await lmake.checkDeps() === undefined, await lmake.checkDeps(2) === undefined,
        await lmake.checkDeps(0.5, true)]`,
    ),
    [true, true, false],
  );
  assert.deepEqual(session.services.calls, [
    ["checkDeps", 0, false],
    ["checkDeps", 2, false],
    ["checkDeps", 0.5, true],
  ]);
});

Deno.test("values, codes and checksums pass", async () => {
  await using session = await Session.open();
  assert.deepEqual(
    await job(
      session,
      `const value = "v\\n\\t\\u0000é\\u{1f600}";
      const code = await lmake.encode("t", "c", value, 3);
      return [code, await lmake.decode("t", "c", code) === value,
        await lmake.encode("t", "c", 12.5), await lmake.decode("t", "c", "c"),
        await lmake.xxhsum("hello"), await lmake.xxhsumFile("f")];`,
    ),
    ["ccc", true, "c", "12.5", "0123456789abcdef", "fedcba9876543210-R"],
  );
  const cwd = session.dir.path;
  assert.deepEqual(session.services.calls.slice(2), [
    ["encode", cwd, "t", "c", "12.5", 1],
    ["decode", cwd, "t", "c", "c"],
    ["xxhsum", "hello"],
    ["xxhsumFile", cwd, "f"],
  ]);
});

Deno.test("lists take a folder and a regular expression", async () => {
  await using session = await Session.open();
  session.services.deps = ["d/x", "z"];
  session.services.targets = () => ["t"];
  session.dir.write({ "sub/f": "" });
  assert.deepEqual(
    await job(
      session,
      `const all = [await lmake.listDeps(), await lmake.listDeps("d", /d\\/z/), await lmake.listDeps(undefined, "z"),
        await lmake.listTargets(), await lmake.listTargets("t", "re"), await lmake.listRoot("t/")];
      Deno.chdir("sub");
      await lmake.listDeps();
      return all;`,
    ),
    [["d/x", "z"], ["d/x", "z"], ["d/x", "z"], ["t"], ["t"], "t"],
  );
  const cwd = session.dir.path;
  assert.deepEqual(session.services.calls, [
    ["listDeps", cwd, undefined, undefined],
    ["listDeps", cwd, "d", "d\\/z"],
    ["listDeps", cwd, undefined, "z"],
    ["listTargets", cwd, undefined, undefined],
    ["listTargets", cwd, "t", "re"],
    ["listRoot", cwd, "t/"],
    ["listDeps", `${cwd}/sub`, undefined, undefined],
  ]);
});

Deno.test("many calls at once come back to their callers", async () => {
  await using session = await Session.open();
  const names = Array.from({ length: 500 }, (_, i) => `f${i}`);
  session.services.states = Object.fromEntries(
    names.map((name) => [name, { ok: true, checksum: name }]),
  );
  assert.deepEqual(
    await job(
      session,
      `const names = ${JSON.stringify(names)};
      const all = await Promise.all(names.map((name) => lmake.depend(name, { verbose: true })));
      return all.map((states, i) => states[names[i]].checksum);`,
    ),
    names,
  );
  // In the order of the calls.
  assert.deepEqual(
    session.services.calls.map(([, , files]) => (files as string[])[0]),
    names,
  );
});

const AUTODEP = `
  const seen = [lmake.getAutodep()];
  {
    using _ = new lmake.Autodep(false);
    seen.push(lmake.getAutodep());
    {
      using _ = new lmake.Autodep(true);
      seen.push(lmake.getAutodep());
    }
    seen.push(lmake.getAutodep());
  }
  seen.push(lmake.getAutodep());
  try {
    using _ = new lmake.Autodep(false);
    throw new Error("x");
  } catch { seen.push(lmake.getAutodep()) }
  seen.push(await lmake.Autodep.run(false, async () => lmake.getAutodep()));
  seen.push(lmake.getAutodep());
  await lmake.Autodep.run(false, () => { throw 1 }).catch(() => {});
  seen.push(lmake.getAutodep());
  lmake.setAutodep(false);
  seen.push(lmake.getAutodep());
  return seen;
`;

Deno.test("Autodep scopes nest, and end however they are left", async () => {
  await using session = await Session.open();
  const t = true, f = false;
  assert.deepEqual(await job(session, AUTODEP), [
    t,
    f,
    t,
    f,
    t,
    t,
    f,
    t,
    t,
    f,
  ]);
  // A process that was started while it was off.
  assert.equal(
    await job(session, "return lmake.getAutodep()", { CLIBS_TRACE_OFF: "1" }),
    false,
  );
});

Deno.test({
  name: "Autodep touches the names that the tracers know",
  ignore: !canTrace(),
  async fn() {
    const header = Deno.readTextFileSync(`${ROOT}/lib/trace/native/trace.h`);
    const [, off] = header.match(/TRACE_SWITCH_OFF "(.*)"/)!;
    const [, on] = header.match(/TRACE_SWITCH_ON "(.*)"/)!;
    assert.deepEqual(SWITCHES, { off, on });
    await using session = await Session.open();
    const path = session.folder.join("job.json");
    await session.runFunction(
      `({ lmake }) => { using _ = new lmake.Autodep(false); lmake.setAutodep(true); }`,
    );
    const { functionCommand } = await import("../../lib/rules/job/command.ts");
    const log = session.folder.join("log");
    await session.run("strace", [
      "-f",
      "-o",
      log,
      "-e",
      "trace=%file",
      ...functionCommand([Deno.execPath()], path),
    ]);
    const touched = Deno.readTextFileSync(log).split("\n")
      .map((line) => line.match(/clibs-trace\/(\w+)/)?.[1])
      .filter((word) => word !== undefined);
    assert.deepEqual(touched, ["off", "on", "on"]);
  },
});

/** Makes `listTargets` tell the files below a folder. */
function listFiles(session: Session): void {
  const below = (dir: string): string[] =>
    [...Deno.readDirSync(session.dir.join(dir))].flatMap((
      { name, isDirectory },
    ) => isDirectory ? below(`${dir}/${name}`) : [`${dir}/${name}`]).sort();
  session.services.targets = (dir, regexpr) => {
    if (!session.dir.has(dir!)) return [];
    return below(dir!).map((name) => name.replace(/^\.\//, ""))
      .filter((name) => !name.endsWith("untracked"))
      .filter((name) => !regexpr || new RegExp(`^(?:${regexpr})$`).test(name));
  };
}

Deno.test("cpTargetTree() copies bytes, execute bits and links", async () => {
  await using session = await Session.open();
  listFiles(session);
  const { dir } = session;
  dir.write({
    "out/a1": "one",
    "out/sub/a2": "two",
    "out/b": "b",
    "cpy/a1": "old",
  });
  dir.write({ "elsewhere": "kept" });
  const bytes = crypto.getRandomValues(new Uint8Array(60_000));
  const large = new Uint8Array(600_001);
  for (let at = 0; at < 600_000; at += bytes.length) large.set(bytes, at);
  Deno.writeFileSync(dir.join("out/a3"), large, { mode: 0o755 });
  Deno.chmodSync(dir.join("out/a3"), 0o755);
  Deno.symlinkSync("../b", dir.join("out/sub/a4"));
  Deno.symlinkSync("nowhere", dir.join("out/a5"));
  // What is there is replaced, not written through.
  Deno.mkdirSync(dir.join("cpy/sub"));
  Deno.symlinkSync("../../elsewhere", dir.join("cpy/sub/a2"));
  await job(
    session,
    `await lmake.cpTargetTree("out/", "./cpy", "out/(sub/)?a.")`,
  );
  assert.equal(dir.read("cpy/a1"), "one");
  assert.equal(dir.read("cpy/sub/a2"), "two");
  assert.equal(dir.read("elsewhere"), "kept");
  assert.deepEqual(Deno.readFileSync(dir.join("cpy/a3")), large);
  assert.equal(Deno.statSync(dir.join("cpy/a3")).mode! & 0o777, 0o755);
  assert.equal(Deno.statSync(dir.join("cpy/a1")).mode! & 0o111, 0);
  assert.equal(Deno.readLinkSync(dir.join("cpy/sub/a4")), "../b");
  assert.equal(Deno.readLinkSync(dir.join("cpy/a5")), "nowhere");
  assert.equal(dir.has("cpy/b"), false);
  assert.equal(dir.read("out/a1"), "one");
});

Deno.test("the target trees of scenario 23", async () => {
  await using session = await Session.open();
  listFiles(session);
  session.dir.write({ "out/a1": "1", "out/a2": "2", "out/b": "3" });
  const files =
    `const all = () => ["out/a1", "out/a2", "out/b", "out", "cpy/a1", "cpy/a2", "cpy/b", "cpy"].filter((name) => {
    try { Deno.lstatSync(name); return true } catch { return false } }).join(" ");`;
  assert.deepEqual(
    await job(
      session,
      `${files}
      const seen = [];
      await lmake.cpTargetTree("out", "cpy", "out/a.");
      seen.push(all());
      await lmake.rmTargetTree("out", "out/a.");
      seen.push(all());
      await lmake.rmTargetTree("out");
      seen.push(all());
      await lmake.rmTargetTree("cpy");
      seen.push(all());
      return seen;`,
    ),
    [
      "out/a1 out/a2 out/b out cpy/a1 cpy/a2 cpy",
      "out/b out cpy/a1 cpy/a2 cpy",
      "cpy/a1 cpy/a2 cpy",
      "",
    ],
  );
});

Deno.test("mvTargetTree() moves, and removes what is empty then", async () => {
  await using session = await Session.open();
  listFiles(session);
  const { dir } = session;
  dir.write({
    "a/b/c/1": "1",
    "a/b/2": "2",
    "a/x": "x",
    "a/keep/untracked": "u",
  });
  await job(session, `await lmake.mvTargetTree("a/b", "new/deep")`);
  assert.deepEqual([dir.read("new/deep/c/1"), dir.read("new/deep/2")], [
    "1",
    "2",
  ]);
  // The folder itself goes, those above it stay.
  assert.deepEqual([dir.has("a/b"), dir.has("a/x")], [false, true]);
  await job(session, `await lmake.mvTargetTree("a", "b")`);
  assert.deepEqual([dir.has("b/x"), dir.has("a/keep/untracked")], [true, true]);
  await job(session, `await lmake.mvTargetTree(".", "moved", "new/.*")`);
  assert.equal(dir.read("moved/new/deep/2"), "2");
  assert.equal(dir.has("new"), false);
});

Deno.test("trees are left alone if something in them is no file", async () => {
  await using session = await Session.open();
  session.dir.write({ "out/a": "a", "out/d/x": "x" });
  session.services.targets = () => ["out/a", "out/d"];
  for (
    const call of [
      `cpTargetTree("out", "to")`,
      `mvTargetTree("out", "to")`,
      `rmTargetTree("out")`,
    ]
  ) {
    assert.match(
      await job(session, `return await caught(() => lmake.${call})`),
      /out\/d is neither a file nor a link$/,
    );
  }
  assert.deepEqual([session.dir.has("out/a"), session.dir.has("to")], [
    true,
    false,
  ]);
});

Deno.test({
  name: "a copy is not read before it is written",
  ignore: !canTrace(),
  async fn() {
    await using session = await Session.open();
    listFiles(session);
    session.dir.write({ "out/a": "a", "out/d/b": "b", "to/a": "old" });
    const text = `async ({ lmake }) => {
      await lmake.cpTargetTree("out", "to");
      await lmake.mvTargetTree("out", "to");
    }`;
    // Once to have its description written and everything cached.
    await session.runFunction(`() => {}`);
    const path = session.folder.join("job.json");
    const description = JSON.parse(Deno.readTextFileSync(path));
    Deno.writeTextFileSync(
      path,
      JSON.stringify({ ...description, functionText: text }),
    );
    const { functionCommand } = await import("../../lib/rules/job/command.ts");
    const log = session.folder.join("log");
    const { stderr } = await session.run("strace", [
      "-f",
      "-o",
      log,
      "-e",
      "trace=%file",
      ...functionCommand([Deno.execPath()], path),
    ]);
    assert.equal(stderr, "");
    // As the tracer sees it: nothing while it is switched off.
    let isOn = true;
    const seen = Deno.readTextFileSync(log).split("\n").flatMap((line) => {
      const switched = line.match(/clibs-trace\/(\w+)/)?.[1];
      if (switched) isOn = switched === "on";
      const found = isOn && line.match(/ (\w+)\(.*?"(to\/[^"]*)"(.*)/);
      if (!found) return [];
      const how = /O_CREAT\|O_EXCL/.test(found[3]!) ? "create" : found[1];
      return [`${how} ${found[2]}`];
    });
    assert.deepEqual(seen, [
      "create to/a",
      "create to/d/b",
      "rename to/a",
      "rename to/d/b",
    ]);
  },
});

Deno.test("runCc() depends on markers, checks, and runs the command", async () => {
  await using session = await Session.open();
  const cwd = session.dir.path;
  assert.deepEqual(
    await job(
      session,
      `return [
        await lmake.runCc("sh", "-c", "echo out; cat", "-Iearly", ["-I", "inc"], { stdin: "in é" }),
        await lmake.runCc("true", "-L", "lib", { marker: ".m" }),
        await lmake.runCc(["true"]),
      ]`,
    ),
    [
      { code: 0, stdout: "out\nin é" },
      { code: 0, stdout: "" },
      { code: 0, stdout: "" },
    ],
  );
  const read = { flags: ["noStar"], read: true };
  assert.deepEqual(session.services.calls, [
    ["depend", cwd, ["early/...", "inc/..."], read],
    ["checkDeps", 0, true],
    ["depend", cwd, ["lib/.m"], read],
    ["checkDeps", 0, true],
    ["checkDeps", 0, true],
  ]);
});

Deno.test("runCc() throws unless the command ends well", async () => {
  await using session = await Session.open();
  const result = await session.runFunction(`async ({ lmake }) => {
    for (const command of [
      ["sh", "-c", "echo of the compiler >&2; exit 3"],
      ["sh", "-c", "kill -9 $$"],
      ["no-such-cc"],
    ]) {
      await lmake.runCc(...command).catch((error) => console.log(error.message));
    }
  }`);
  assert.equal(result.stderr, "of the compiler\n");
  const lines = result.stdout.split("\n");
  assert.deepEqual(lines.slice(0, 2), [
    "sh failed with exit code 3",
    "sh was ended by SIGKILL",
  ]);
  assert.match(lines[2]!, /^Cannot run no-such-cc: /);
  session.services.isOk = false;
  assert.equal(
    await job(
      session,
      `return await caught(() => lmake.runCc("touch", "ran"))`,
    ),
    "Cannot run touch: a dep of the job is in error",
  );
  assert.equal(session.dir.has("ran"), false);
});

Deno.test({
  name: "runCc() compiles",
  ignore: !has("cc"),
  async fn() {
    await using session = await Session.open();
    session.dir.write({
      "a.c": '#include "v.h"\nint x = V;\n',
      "inc/v.h": "#define V 1\n",
    });
    await job(
      session,
      `await lmake.runCc("cc", "-I", "inc", "-c", "-o", "a.o", "a.c")`,
    );
    assert.ok(session.dir.has("a.o"));
  },
});

/** Names that were depended on with a read. */
function readNames(session: Session): unknown[] {
  return session.services.calls
    .filter(([, , , options]) => (options as { read?: boolean }).read)
    .flatMap(([, , files]) => files as string[]);
}

Deno.test("reportImport() depends on what a search looked at", async () => {
  await using session = await Session.open();
  session.dir.write({ "l2/foo.py": "" });
  await job(
    session,
    `await lmake.reportImport("pkg.foo", ["l1", "l2/", "l3"], [".py", "/__init__.py"])`,
  );
  assert.deepEqual(readNames(session), [
    "l1/foo.py",
    "l1/foo/__init__.py",
    "l2/foo.py",
  ]);
  const cwd = session.dir.path;
  assert.deepEqual(session.services.calls[0], [
    "depend",
    cwd,
    ["l1", "l2", "l3"],
    { flags: ["noStar", "readdirOk"] },
  ]);
  assert.deepEqual(session.services.calls[1]?.[3], {
    flags: ["noStar"],
    read: true,
  });
});

Deno.test("reportImport() without a name only lets folders be listed", async () => {
  await using session = await Session.open();
  await job(
    session,
    `await lmake.reportImport(undefined, ["l1", "", "/usr/lib"]); await lmake.reportImport("")`,
  );
  const cwd = session.dir.path;
  const listed = { flags: ["noStar", "readdirOk"] };
  assert.deepEqual(session.services.calls, [
    ["depend", cwd, ["l1", "."], listed],
    ["depend", cwd, [cwd], listed],
  ]);
});

Deno.test("reportImport() looks outside the repo with the suffixes of the runtime", async () => {
  await using session = await Session.open();
  session.folder.write({ "foo.ts": "", "bar.py": "" });
  const out = session.folder.path;
  await job(
    session,
    `await lmake.reportImport("foo", ["${out}", "l1"], [".py"]);
     await lmake.reportImport("bar", ["${out}", "../x", "l1"], [".py"]);
     await lmake.reportImport("baz", undefined, ["/"]);
     await lmake.reportImport("baz", [""], [".x"]);`,
  );
  assert.deepEqual(readNames(session), [
    "l1/bar.py",
    `${session.dir.path}/baz/`,
    "baz.x",
  ]);
});

Deno.test("job functions throw where no job runs", async () => {
  assert.deepEqual(
    Object.keys(outside).sort(),
    Object.keys(lmake).sort(),
  );
  for (const [name, value] of Object.entries(outside)) {
    const call = value as unknown as (...args: unknown[]) => unknown;
    const expected = {
      code: "CLIBS_JOB_OUTSIDE",
      message: /^Cannot call \w+: it only works inside cmd, while a job runs$/,
    };
    if (name === "Autodep") {
      assert.throws(() => new outside.Autodep(false), expected);
    } else if (/Autodep$/.test(name)) {
      assert.throws(() => call(true), expected);
    } else await assert.rejects(async () => await call("a", "b"), expected);
  }
});
