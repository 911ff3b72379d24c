import assert from "node:assert/strict";
import { functionCommand } from "../../lib/rules/job/command.ts";
import { canTrace } from "../support/tools.ts";
import { job, Session } from "./job_support.ts";

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
