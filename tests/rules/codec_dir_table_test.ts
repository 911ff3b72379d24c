import { deepEqual, equal, match, ok, throws } from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { loadChecksums } from "../../lib/host/checksum.ts";
import { readDirConfig } from "../../lib/rules/codec/dir_config.ts";
import { repairDirTable } from "../../lib/rules/codec/dir_repair.ts";
import { DirTable } from "../../lib/rules/codec/dir_table.ts";
import { TempDir } from "../support/temp.ts";

const sums = await loadChecksums();
const VALUE = "value of foo\nline2\ttab";
const SUM = sums.text(VALUE);

/** Paths and link texts of a tree, without folders. */
function entries(root: string, below = ""): string[] {
  return [...Deno.readDirSync(`${root}/${below}`)].flatMap((entry) => {
    const path = `${below}${entry.name}`;
    if (entry.isDirectory) return entries(root, `${path}/`);
    if (!entry.isSymlink) return [path];
    return [`${path} -> ${Deno.readLinkSync(`${root}/${path}`)}`];
  }).sort();
}

Deno.test("a code leads to its value, a value's checksum to its code", () => {
  using dir = new TempDir();
  const table = DirTable.open(`${dir.path}/`, sums);
  const code = table.encode("ctx", VALUE, 4);
  equal(code, SUM.slice(0, 4));
  equal(table.encode("ctx", VALUE, 9), code);
  equal(table.decode("ctx", code), VALUE);
  equal(table.codeOfSum("ctx", SUM), code);
  equal(table.sumOfCode("ctx", code), SUM);
  const store = `store/${SUM.slice(0, 2)}/${SUM.slice(2)}`;
  deepEqual(
    entries(dir.path),
    [
      store,
      `tab/ctx/${SUM}.encode -> ${code}.decode`,
      `tab/ctx/${code}.decode -> ../../${store}`,
    ].sort(),
  );
  equal(dir.read(store), VALUE);
  equal(table.encode("a/b", VALUE), SUM[0]);
  equal(table.decode("a/b", SUM[0]!), VALUE);
});

Deno.test("codes get longer while others have them", () => {
  using dir = new TempDir();
  const table = DirTable.open(dir.path, sums);
  const values = Array.from({ length: 40 }, (_, i) => `v${i}`);
  const codes = values.map((value) => table.encode("c", value));
  equal(new Set(codes).size, 40);
  ok(codes.some((code) => code.length > 1));
  deepEqual(codes.map((code) => table.decode("c", code)), values);
  deepEqual(values.map((value) => table.encode("c", value)), codes);
});

Deno.test("what cannot be is refused", () => {
  using dir = new TempDir();
  const table = DirTable.open(dir.path, sums, "shared/");
  table.encode("c", VALUE);
  throws(() => table.decode("c", "nope"), {
    code: "CLIBS_CODEC_CODE",
    facts: { table: "shared/", context: "c" },
  });
  for (const code of ["", ".", "..", "../c/x", "a/b", "\0", "x".repeat(300)]) {
    throws(() => table.decode("c", code), { code: "CLIBS_CODEC_CODE" }, code);
  }
  const contexts = ["", "/", "/c", "c/", "a//b", ".", "a/..", "./a", "a\0"];
  for (const context of [...contexts, "a.decode", "x.encode/b", "\udce9"]) {
    const error = { code: "CLIBS_CODEC_CONTEXT" };
    throws(() => table.encode(context, "x"), error, context);
    throws(() => table.decode(context, "x"), error, context);
    equal(table.codeOfSum(context, SUM), undefined);
    equal(table.sumOfCode(context, "a"), undefined);
  }
  throws(() => table.encode("c", "x", 0), { code: "CLIBS_CODEC_LENGTH" });
  throws(() => DirTable.open(dir.join("none"), sums, "none/"), {
    code: "CLIBS_CODEC_TABLE",
    message: "Cannot use the table none/: there is no such folder",
  });
});

Deno.test("values may be any bytes", () => {
  using dir = new TempDir();
  const table = DirTable.open(dir.path, sums);
  for (const value of ["", "\0\xff", "\udce9", "ü🙂\r\n"]) {
    equal(table.decode("c", table.encode("c", value)), value);
  }
});

Deno.test("an entry that was removed by hand is made again", () => {
  using dir = new TempDir();
  const table = DirTable.open(dir.path, sums);
  const code = table.encode("c", VALUE, 4);
  Deno.removeSync(dir.join(`tab/c/${code}.decode`));
  equal(table.codeOfSum("c", SUM), undefined);
  equal(table.sumOfCode("c", code), undefined);
  equal(table.encode("c", VALUE, 6), SUM.slice(0, 6));
  equal(table.codeOfSum("c", SUM), SUM.slice(0, 6));
  Deno.removeSync(dir.join(`tab/c/${SUM}.encode`));
  equal(table.encode("c", VALUE, 6), SUM.slice(0, 6));
});

Deno.test("a code by hand can be decoded at once; repair knows the rest", () => {
  using dir = new TempDir();
  const table = DirTable.open(dir.path, sums);
  const code = table.encode("c", VALUE, 4);
  dir.write({ "tab/c/mine.decode": VALUE, "tab/c/other.decode": "other" });
  equal(table.decode("c", "mine"), VALUE);
  equal(table.sumOfCode("c", "mine"), SUM);
  equal(table.encode("c", VALUE), code);
  const report = repairDirTable(dir.path, sums);
  deepEqual(report, {
    associations: [
      { context: "c", code: "mine", value: VALUE },
      { context: "c", code: "other", value: "other" },
    ],
    recoded: [{ context: "c", code: "mine", value: VALUE, before: code }],
    dropped: [],
  });
  equal(table.encode("c", VALUE), "mine");
  equal(table.encode("c", "other"), "other");
  equal(table.valueOf("c", code), undefined);
  deepEqual(repairDirTable(dir.path, sums).recoded, []);
});

Deno.test("repair settles conflicts, drops what leads nowhere, restores values", () => {
  using dir = new TempDir();
  const table = DirTable.open(dir.path, sums);
  table.encode("a/b", VALUE, 4);
  table.encode("c", "gone", 4);
  const gone = sums.text("gone");
  Deno.removeSync(dir.join(`store/${gone.slice(0, 2)}/${gone.slice(2)}`));
  // A value that was edited in the store is another value.
  const store = `store/${SUM.slice(0, 2)}/${SUM.slice(2)}`;
  Deno.chmodSync(dir.join(store), 0o644);
  throws(() => {
    dir.write({ [store]: "edited" });
    table.encode("a/b", VALUE);
  }, { code: "CLIBS_CODEC_DAMAGED" });
  Deno.symlinkSync("nowhere", dir.join("tab/c/x.decode"));
  Deno.symlinkSync("nowhere", dir.join(`tab/c/${"0".repeat(16)}.encode`));
  const old = "store/00/.00000000000000.abc.tmp";
  dir.write({ [old]: "x", "store/00/00000000000000": "in use" });
  const report = repairDirTable(dir.path, sums);
  deepEqual(report.dropped, [`c/${gone.slice(0, 4)}.decode`, "c/x.decode"]);
  deepEqual(report.associations, [
    { context: "a/b", code: SUM.slice(0, 4), value: "edited" },
  ]);
  equal(table.encode("a/b", "edited"), SUM.slice(0, 4));
  equal(table.encode("c", "gone", 4), gone.slice(0, 4));
  // Young files may be of somebody at work.
  ok(dir.has(old));
  ok(dir.has("store/00/00000000000000"));
});

Deno.test("many processes agree on every code", async () => {
  using dir = new TempDir();
  dir.write({
    "encode.ts": `
import { loadChecksums } from "${
      import.meta.resolve("../../lib/host/checksum.ts")
    }";
import { DirTable } from "${
      import.meta.resolve("../../lib/rules/codec/dir_table.ts")
    }";
const table = DirTable.open(Deno.args[0], await loadChecksums());
const length = Number(Deno.args[1]);
while (Date.now() < Number(Deno.args[2]));
const codes = [];
for (let i = 0; i < 150; i++) codes.push(table.encode("c", "v" + i, length));
for (let i = 0; i < 150; i++) {
  if (table.decode("c", codes[i]) !== "v" + i) throw new Error("v" + i);
}
console.log(codes.join(" "));`,
  });
  Deno.mkdirSync(dir.join("table"));
  const start = String(Date.now() + 400);
  const outputs = await Promise.all(
    [1, 2, 1, 3].map((length) =>
      new Deno.Command(Deno.execPath(), {
        args: [
          "run",
          "-A",
          "--config",
          fileURLToPath(import.meta.resolve("../../deno.json")),
          dir.join("encode.ts"),
          dir.join("table"),
          String(length),
          start,
        ],
      }).output()
    ),
  );
  const texts = outputs.map(({ stdout, stderr }) =>
    new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr)
  );
  match(texts[0]!, /^[0-9a-f]+( [0-9a-f]+){149}\n$/);
  deepEqual(texts, Array(4).fill(texts[0]));
  // No code without a value that leads back to it: losers cleaned up.
  const report = repairDirTable(dir.join("table"), sums);
  deepEqual([report.associations.length, report.recoded], [150, []]);
});

Deno.test("settings are read from LMAKE/config.ts without running it", () => {
  using dir = new TempDir();
  deepEqual(readDirConfig(dir.path), { fileSync: "dir", perm: "none" });
  dir.write({ "LMAKE/config.json": '{"file_sync": "sync", "perm": "other"}' });
  deepEqual(readDirConfig(dir.path), { fileSync: "sync", perm: "other" });
  dir.write({
    "LMAKE/config.ts": `// Shared with the group.
export const file_sync = "none"; /* local disk */
export const perm: "group" = 'group'
`,
  });
  deepEqual(readDirConfig(dir.path), { fileSync: "none", perm: "group" });
});

const wrong: [text: string, cause: RegExp][] = [
  ['export const sync = "dir";', /sync is no setting/],
  ['export const file_sinc = "dir";', /did you mean file_sync\?/],
  ['export const perm = "all";', /perm is "all", not one of none, group/],
  ["export const perm = Deno.env.get('P');", /this is no setting: export/],
  ['export const perm = "none"; Deno.exit(1);', /no setting: Deno.exit/],
];

Deno.test("wrong settings are refused", async (t) => {
  for (const [text, cause] of wrong) {
    await t.step(text, () => {
      using dir = new TempDir();
      dir.write({ "LMAKE/config.ts": text });
      throws(() => DirTable.open(dir.path, sums), {
        code: "CLIBS_CODEC_CONFIG",
        message: cause,
        facts: { file: dir.join("LMAKE/config.ts") },
      });
    });
  }
  using dir = new TempDir();
  for (const text of ["[]", "{", "1"]) {
    dir.write({ "LMAKE/config.json": text });
    throws(() => readDirConfig(dir.path), { code: "CLIBS_CODEC_CONFIG" });
  }
});

Deno.test("perm opens what is made to others, whatever the umask", () => {
  const modes = (perm: string) => {
    using dir = new TempDir();
    dir.write({ "LMAKE/config.ts": `export const perm = "${perm}";` });
    const before = Deno.umask(0o077);
    try {
      DirTable.open(dir.path, sums).encode("c", "x");
    } finally {
      Deno.umask(before);
    }
    const sum = sums.text("x");
    const path = `store/${sum.slice(0, 2)}/${sum.slice(2)}`;
    return ["tab/c", path].map((name) =>
      (Deno.statSync(dir.join(name)).mode! & 0o777).toString(8)
    );
  };
  deepEqual(modes("none"), ["700", "600"]);
  deepEqual(modes("group"), ["770", "640"]);
  deepEqual(modes("other"), ["777", "644"]);
});
