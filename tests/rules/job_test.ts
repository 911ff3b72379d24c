import assert from "node:assert/strict";
import { SWITCHES } from "../../lib/rules/job/autodep.ts";
import { functionCommand } from "../../lib/rules/job/command.ts";
import * as outside from "../../lib/rules/job/outside.ts";
import { lmake } from "../../lib/rules/job/mod.ts";
import { canTrace } from "../support/tools.ts";
import { job, ROOT, Session } from "./job_support.ts";

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
  // A job's process is started with it off, for Deno's own sake, and begins
  // with it on.
  assert.equal(
    await job(session, "return lmake.getAutodep()", { CLIBS_TRACE_OFF: "1" }),
    true,
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
    // The first is the beginning of the job.
    assert.deepEqual(touched, ["on", "off", "on", "on"]);
  },
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
