import { deepEqual, equal, ok } from "node:assert/strict";
import {
  hasEntries,
  lstatIfExists,
  readJsonIfExists,
  removeTemporary,
  removeTree,
  treeSize,
  writeFileAtomic,
} from "../../lib/host/files.ts";
import { treeDigest } from "../../lib/host/digest.ts";
import { TempDir } from "../support/temp.ts";

Deno.test("writeFileAtomic() replaces a file and leaves nothing beside it", () => {
  using dir = new TempDir();
  writeFileAtomic(dir.join("a"), "one", { mode: 0o600 });
  writeFileAtomic(dir.join("a"), "two");
  equal(dir.read("a"), "two");
  deepEqual([...Deno.readDirSync(dir.path)].map((e) => e.name), ["a"]);
});

Deno.test("writeFileAtomic() writes over what a killed writer left", () => {
  using dir = new TempDir();
  dir.write({ ".a.json.tmp": "half of something that was lon", other: "keep" });
  writeFileAtomic(dir.join("a.json"), "whole");
  equal(dir.read("a.json"), "whole");
  // Nor does it write through a link, or fall over a folder.
  Deno.symlinkSync(dir.join("other"), dir.join(".b.json.tmp"));
  writeFileAtomic(dir.join("b.json"), "b", { mode: 0o600 });
  dir.write({ ".c.json.tmp/x": "" });
  writeFileAtomic(dir.join("c.json"), "c");
  equal(dir.read("other"), "keep");
  equal(Deno.statSync(dir.join("b.json")).mode! & 0o777, 0o600);
  deepEqual([...Deno.readDirSync(dir.path)].map(({ name }) => name).sort(), [
    "a.json",
    "b.json",
    "c.json",
    "other",
  ]);
});

Deno.test("writeFileAtomic() of many at once leaves one of them, whole", async () => {
  using dir = new TempDir();
  const files = new URL("../../lib/host/files.ts", import.meta.url).href;
  dir.write({
    "write.ts": `import { writeFileAtomic } from "${files}";
for (let i = 0; i < 300; i++) {
  writeFileAtomic("shared", Deno.args[0]!.repeat(1000 + i));
}
`,
  });
  const writers = ["a", "b", "c"].map((letter) =>
    new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--quiet", "--no-check", "write.ts", letter],
      cwd: dir.path,
    }).output()
  );
  const ends = await Promise.all(writers);
  for (const { success, stderr } of ends) {
    ok(success, new TextDecoder().decode(stderr));
  }
  ok(/^(a+|b+|c+)$/.test(dir.read("shared")));
  ok(!dir.has(".shared.tmp"));
});

Deno.test("removeTemporary() removes that of one file", () => {
  using dir = new TempDir();
  dir.write({ ".a.json.tmp": "", ".b.json.tmp": "", "a.json": "" });
  removeTemporary(dir.join("a.json"));
  removeTemporary(dir.join("absent/a.json"));
  deepEqual([...Deno.readDirSync(dir.path)].map(({ name }) => name).sort(), [
    ".b.json.tmp",
    "a.json",
  ]);
});

Deno.test("removeTree() removes links, not what they lead to", () => {
  using dir = new TempDir();
  dir.write({ "keep/file": "x", "tree/sub/file": "y" });
  Deno.symlinkSync(dir.join("keep"), dir.join("tree/link"));
  removeTree(dir.join("tree"));
  ok(!dir.has("tree"));
  equal(dir.read("keep/file"), "x");
  removeTree(dir.join("absent"));
});

Deno.test("hasEntries() looks past what is ignored", () => {
  using dir = new TempDir();
  dir.write({ "d/_download_hash": "{}" });
  equal(hasEntries(dir.join("d"), ["_download_hash"]), false);
  equal(hasEntries(dir.join("d")), true);
  equal(hasEntries(dir.join("absent")), false);
});

Deno.test("readJsonIfExists() takes a torn file for an absent one", () => {
  using dir = new TempDir();
  dir.write({ torn: '{"a":' });
  equal(readJsonIfExists(dir.join("torn")), undefined);
  equal(readJsonIfExists(dir.join("torn/below")), undefined);
});

Deno.test("treeSize() does not follow links", () => {
  using dir = new TempDir();
  dir.write({ "big/file": "x".repeat(1000), "tree/file": "y" });
  Deno.symlinkSync(dir.join("big"), dir.join("tree/link"));
  const link = lstatIfExists(dir.join("tree/link"))?.size ?? 0;
  equal(treeSize(dir.join("tree")), 1 + link);
});

const changes: [string, (dir: TempDir) => void, boolean][] = [
  ["nothing", () => {}, true],
  ["a date", (d) => Deno.utimeSync(d.join("t/a"), 1, 1), true],
  [
    "a mode bit that is not execute",
    (d) => Deno.chmodSync(d.join("t/a"), 0o600),
    true,
  ],
  ["the execute bit", (d) => Deno.chmodSync(d.join("t/a"), 0o755), false],
  ["a content", (d) => d.write({ "t/a": "other" }), false],
  ["a name", (d) => Deno.renameSync(d.join("t/a"), d.join("t/b")), false],
  ["an empty folder", (d) => Deno.mkdirSync(d.join("t/empty")), false],
  ["an ignored file", (d) => d.write({ "t/_hash": "2" }), true],
  ["a link's text", (d) => {
    Deno.removeSync(d.join("t/l"));
    Deno.symlinkSync("elsewhere", d.join("t/l"));
  }, false],
];

Deno.test("treeDigest() covers names, contents, links and execute bits", async (t) => {
  for (const [name, change, same] of changes) {
    await t.step(name, () => {
      using dir = new TempDir();
      dir.write({ "t/a": "x", "t/_hash": "1" });
      Deno.symlinkSync("a", dir.join("t/l"));
      const before = treeDigest(dir.join("t"), ["_hash"]);
      change(dir);
      equal(treeDigest(dir.join("t"), ["_hash"]) === before, same);
    });
  }
});
