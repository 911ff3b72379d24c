import assert from "node:assert/strict";
import { has } from "../support/tools.ts";
import { job, Session } from "./job_support.ts";

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
