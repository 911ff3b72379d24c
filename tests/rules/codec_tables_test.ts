import {
  deepEqual,
  doesNotMatch,
  equal,
  notEqual,
  throws,
} from "node:assert/strict";
import { loadChecksums } from "../../lib/host/checksum.ts";
import {
  associationKey,
  CodecTables,
  parseAssociationKey,
} from "../../lib/rules/codec/tables.ts";
import { TempDir } from "../support/temp.ts";

const sums = await loadChecksums();

Deno.test("a key names one association, on one line", () => {
  const names = ["tab", "d/t a b", "x\ny\\s", "ü\udce9", ""];
  const keys = new Set<string>();
  for (const table of names) {
    for (const context of names) {
      for (const code of names) {
        const key = associationKey(sums, table, context, { code });
        doesNotMatch(key, /[\n\t\r]/);
        deepEqual(parseAssociationKey(key), { table, context, by: { code } });
        keys.add(key);
      }
      const key = associationKey(sums, table, context, { value: "v\n" });
      const by = { sum: sums.text("v\n") };
      deepEqual(parseAssociationKey(key), { table, context, by });
      keys.add(key);
    }
  }
  equal(keys.size, 5 * 5 * 6);
  for (const text of ["", "encode", "other a b c", "decode a b c d"]) {
    equal(parseAssociationKey(text), undefined);
  }
});

for (const table of ["tab", "dir/"]) {
  Deno.test(`each association in ${table} is a fact of its own`, () => {
    using dir = new TempDir();
    dir.write({ tab: "", "dir/LMAKE/config.json": "{}" });
    const tables = new CodecTables(dir.path, sums);
    tables.begin();
    const code = tables.encode(table, "c", "one", 4);
    equal(tables.decode(table, "c", code), "one");
    const encoded = tables.key(table, "c", { value: "one" });
    const decoded = tables.key(table, "c", { code });
    const absent = tables.key(table, "c", { code: "nope" });
    throws(() => tables.decode(table, "c", "nope"), {
      code: "CLIBS_CODEC_CODE",
    });
    const answers = () =>
      [encoded, decoded, absent].map((k) => tables.answer(k));
    const before = answers();
    deepEqual(before, [code, sums.text("one"), undefined]);
    // What else is in the table matters to nobody.
    tables.encode(table, "c", "two", 4);
    tables.encode(table, "d", "one", 9);
    deepEqual(answers(), before);
    tables.finish();
    tables.begin();
    deepEqual(answers(), before);
    // Another process says the same.
    const other = new CodecTables(dir.path, sums, { readOnly: true });
    deepEqual([encoded, decoded, absent].map((k) => other.answer(k)), before);
  });
}

Deno.test("a lost code changes the answers of those who had it only", () => {
  using dir = new TempDir();
  dir.write({ tab: "" });
  const tables = new CodecTables(dir.path, sums);
  const code = tables.encode("tab", "c", "one", 4);
  const other = tables.encode("tab", "c", "two", 4);
  const keys = [{ value: "one" }, { code }, { value: "two" }, { code: other }]
    .map((sought) => tables.key("tab", "c", sought));
  tables.finish();
  Deno.writeTextFileSync(dir.join("tab"), "\tmine\tc\tone\n", { append: true });
  tables.begin();
  deepEqual(keys.map((key) => tables.answer(key)), [
    "mine",
    undefined,
    other,
    sums.text("two"),
  ]);
  equal(dir.read("tab").includes(code), false);
});

Deno.test("files are read once a command; reports say what was done", () => {
  using dir = new TempDir();
  dir.write({ tab: "" });
  const tables = new CodecTables(dir.path, sums);
  const words = () => tables.takeReports().map(({ word }) => word);
  const command = (work: () => void) => {
    tables.begin();
    work();
    tables.finish();
    return words();
  };
  const key = tables.key("tab", "c", { value: "x" });
  deepEqual(command(() => tables.encode("tab", "c", "x")), [
    "expand",
    "update",
  ]);
  deepEqual(command(() => tables.answer(key)), []);
  Deno.writeTextFileSync(dir.join("tab"), "\n", { append: true });
  const before = dir.read("tab");
  deepEqual(command(() => tables.answer(key)), ["expand", "reformat"]);
  equal(dir.read("tab"), before.slice(0, -1));
  deepEqual(command(() => {}), []);
  deepEqual(command(() => tables.answer(key)), []);
});

Deno.test("a file under two names is one table", () => {
  using dir = new TempDir();
  dir.write({ tab: "" });
  Deno.symlinkSync("tab", dir.join("link"));
  const tables = new CodecTables(dir.path, sums);
  const code = tables.encode("tab", "c", "x");
  equal(tables.decode("link", "c", code), "x");
  notEqual(tables.encode("link", "c", "y", 16), code);
  tables.finish();
  deepEqual(tables.takeReports().map(({ word }) => word), ["expand", "update"]);
  equal(dir.read("tab").split("\n").length, 3);
});

Deno.test("a table that is missing has no answers, and no codes", () => {
  using dir = new TempDir();
  dir.write({ tab: "" });
  const tables = new CodecTables(dir.path, sums);
  for (const table of ["none", "none/", "tab/"]) {
    equal(tables.answer(tables.key(table, "c", { code: "a" })), undefined);
    throws(() => tables.encode(table, "c", "x"), { code: "CLIBS_CODEC_TABLE" });
    throws(() => tables.decode(table, "c", "x"), { code: "CLIBS_CODEC_TABLE" });
  }
  const code = tables.encode("tab", "c", "x");
  tables.finish();
  Deno.removeSync(dir.join("tab"));
  tables.begin();
  equal(tables.answer(tables.key("tab", "c", { code })), undefined);
  tables.finish();
  equal(dir.has("tab"), false);
});

Deno.test("a reader leaves files alone", () => {
  using dir = new TempDir();
  dir.write({ tab: "\tb\tc\t2\n\ta\tc\t1\n" });
  const tables = new CodecTables(dir.path, sums, { readOnly: true });
  equal(tables.decode("tab", "c", "a"), "1");
  tables.finish();
  equal(dir.read("tab"), "\tb\tc\t2\n\ta\tc\t1\n");
});

Deno.test("10,000 associations are read and checked in a moment", () => {
  using dir = new TempDir();
  dir.write({ tab: "" });
  const tables = new CodecTables(dir.path, sums);
  const keys = Array.from({ length: 10_000 }, (_, i) => {
    const code = tables.encode("tab", "c", `value ${i}`, 4);
    return tables.key("tab", "c", i % 2 ? { code } : { value: `value ${i}` });
  });
  tables.finish();
  const other = new CodecTables(dir.path, sums);
  const start = performance.now();
  for (const key of keys) notEqual(other.answer(key), undefined);
  const ms = performance.now() - start;
  equal(ms < 2000, true, `${ms} ms`);
});
