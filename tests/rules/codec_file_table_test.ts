import {
  deepEqual,
  equal,
  match,
  notEqual,
  ok,
  throws,
} from "node:assert/strict";
import { loadChecksums } from "../../lib/host/checksum.ts";
import { FileTable } from "../../lib/rules/codec/file_table.ts";
import { TempDir } from "../support/temp.ts";

const sums = await loadChecksums();

/** Lines as they are in a file, from `code context value`. */
function lines(...parts: [string, string, string][]): string {
  return parts.map(([code, context, value]) =>
    `\t${code}\t${context}\t${value}\n`
  ).join("");
}

Deno.test("a value gets the first digits of its checksum, and keeps them", () => {
  using dir = new TempDir();
  dir.write({ tab: "" });
  const table = FileTable.open(dir.join("tab"), sums);
  const value = "value of foo\nline2\ttab";
  const code = table.encode("ctx", value, 4);
  equal(code, sums.text(value).slice(0, 4));
  equal(table.decode("ctx", code), value);
  equal(table.save(), "update");
  equal(
    dir.read("tab"),
    lines([code, "ctx", "value of foo\\nline2\\ttab"]),
  );
  const again = FileTable.open(dir.join("tab"), sums);
  equal(again.repair(), false);
  equal(again.encode("ctx", value, 8), code);
  equal(again.save(), undefined);
});

Deno.test("codes get longer while others have them; contexts are apart", () => {
  using dir = new TempDir();
  dir.write({ tab: "" });
  const table = FileTable.open(dir.join("tab"), sums);
  const values = Array.from({ length: 40 }, (_, i) => `v${i}`);
  const codes = values.map((value) => table.encode("c", value));
  equal(new Set(codes).size, 40);
  ok(codes.some((code) => code.length > 1));
  deepEqual(codes.map((code) => table.decode("c", code)), values);
  for (const [i, value] of values.entries()) {
    ok(sums.text(value).startsWith(codes[i]!));
  }
  equal(table.encode("d", "v0"), codes[0]);
  equal(table.encode("c", "v0", 8), codes[0]);
  const long = table.encode("z", "v0", 8);
  match(long, /^[0-9a-f]{8}$/);
  ok(long.startsWith(codes[0]!));
  table.save();
  const written = dir.read("tab").trimEnd().split("\n");
  equal(written.length, 42);
  const key = (line: string) => line.split("\t").slice(1, 3).reverse();
  deepEqual(
    written,
    written.toSorted((a, b) => key(a) < key(b) ? -1 : 1),
  );
  deepEqual(FileTable.open(dir.join("tab"), sums).size, 42);
});

Deno.test("what cannot be is refused", () => {
  using dir = new TempDir();
  dir.write({ tab: lines(["a", "c", "x"]) });
  const table = FileTable.open(dir.join("tab"), sums, "tab");
  throws(() => table.decode("c", "nope"), {
    code: "CLIBS_CODEC_CODE",
    message: 'Cannot decode "nope": the table has no such code',
    facts: { table: "tab", context: "c" },
  });
  throws(() => table.decode("d", "a"), { code: "CLIBS_CODEC_CODE" });
  for (const length of [0, -1, 17, 99, 1.5, NaN]) {
    throws(() => table.encode("c", "y", length), {
      code: "CLIBS_CODEC_LENGTH",
    });
  }
  throws(() => FileTable.open(dir.join("none"), sums, "none"), {
    code: "CLIBS_CODEC_TABLE",
    message: "Cannot use the table none: there is no such file",
    hint: "create it, empty, and add it to the sources: touch none",
  });
  throws(() => FileTable.open(dir.path, sums, "."), {
    code: "CLIBS_CODEC_TABLE",
  });
});

const repairs: [title: string, before: string, after: string][] = [
  ["an empty line", "\ta\tc\tx\n\n", "\ta\tc\tx\n"],
  ["no newline at the end", "\ta\tc\tx", "\ta\tc\tx\n"],
  [
    "disorder",
    "\tb\td\tx\n\tc\tc\ty\n\ta\td\tz\n",
    [
      "\tc\tc\ty\n",
      "\ta\td\tz\n",
      "\tb\td\tx\n",
    ].join(""),
  ],
  [
    "a merge conflict",
    [
      "<<<<<<< HEAD\n",
      "\tmy\tc\tours\n",
      "=======\n",
      "\tmy\tc\ttheirs\n",
      ">>>>>>> branch\n",
    ].join(""),
    "\tmy\tc\tours\n\tmy0\tc\ttheirs\n",
  ],
  ["doubles", "\ta\tc\tx\n\ta\tc\tx\n", "\ta\tc\tx\n"],
  ["line ends of another system", "\ta\tc\tx\r\n", "\ta\tc\tx\n"],
  ["escapes that we write in another way", "\ta\tc\t\\x41\n", "\ta\tc\tA\n"],
];

Deno.test("repair() makes a file canonical", async (t) => {
  for (const [title, before, after] of repairs) {
    await t.step(title, () => {
      using dir = new TempDir();
      dir.write({ tab: before });
      Deno.chmodSync(dir.join("tab"), 0o640);
      const table = FileTable.open(dir.join("tab"), sums);
      equal(dir.read("tab"), before, "opening writes nothing");
      equal(table.repair(), true);
      equal(dir.read("tab"), after);
      equal(Deno.statSync(dir.join("tab")).mode! & 0o777, 0o640);
      equal(table.repair(), false);
      equal(table.save(), undefined);
      equal(FileTable.open(dir.join("tab"), sums).repair(), false);
      deepEqual([...Deno.readDirSync(dir.path)].length, 1);
    });
  }
});

Deno.test("a user's code is preferred, jobs with the lost one find nothing", () => {
  using dir = new TempDir();
  const automatic = sums.text("x").slice(0, 3);
  dir.write({ tab: lines([automatic, "c", "x"], ["mycode", "c", "x"]) });
  const table = FileTable.open(dir.join("tab"), sums);
  table.repair();
  equal(dir.read("tab"), lines(["mycode", "c", "x"]));
  equal(table.encode("c", "x"), "mycode");
  equal(table.valueOf("c", automatic), undefined);
});

Deno.test("a link to a table is followed and stays", () => {
  using dir = new TempDir();
  dir.write({ "d/tab": "" });
  Deno.symlinkSync("d/tab", dir.join("link"));
  const table = FileTable.open(dir.join("link"), sums);
  equal(table.path, dir.join("d/tab"));
  const code = table.encode("c", "x");
  table.save();
  ok(Deno.lstatSync(dir.join("link")).isSymlink);
  equal(dir.read("d/tab"), lines([code, "c", "x"]));
});

Deno.test("appended codes survive a crash, a cut one is forgotten", () => {
  using dir = new TempDir();
  dir.write({ tab: "\tmy\tc\told" });
  const table = FileTable.open(dir.join("tab"), sums);
  const code = table.encode("c", "first value", 5);
  table.append();
  const one = dir.read("tab");
  table.encode("c", "second value", 5);
  table.append();
  const two = dir.read("tab");
  ok(two.startsWith(one));
  for (let cut = one.length; cut <= two.length; cut++) {
    dir.write({ tab: two.slice(0, cut) });
    const after = FileTable.open(dir.join("tab"), sums);
    equal(after.decode("c", "my"), "old");
    equal(after.decode("c", code), "first value");
    equal(after.size, cut === two.length ? 3 : 2, `${cut}`);
    equal(after.repair(), true);
    equal(FileTable.open(dir.join("tab"), sums).repair(), false);
  }
  dir.write({ tab: two });
  equal(table.save(), "update");
  match(dir.read("tab"), /^(\t\w+\tc\t[a-z ]+\n){3}$/);
});

Deno.test("an edit by a user meanwhile is kept", () => {
  using dir = new TempDir();
  dir.write({ tab: lines(["a", "c", "1"], ["b", "c", "2"]) });
  const table = FileTable.open(dir.join("tab"), sums);
  const code = table.encode("c", "new", 6);
  dir.write({ tab: lines(["b", "c", "2"], ["mine", "c", "3"]) });
  equal(table.save(), "update");
  const after = FileTable.open(dir.join("tab"), sums);
  equal(after.repair(), false);
  equal(after.size, 3);
  equal(after.decode("c", code), "new");
  equal(after.decode("c", "mine"), "3");
  equal(table.decode("c", "mine"), "3");
  equal(table.valueOf("c", "a"), undefined);
});

Deno.test("refresh() sees edits, also of the same size at once", () => {
  using dir = new TempDir();
  dir.write({ tab: lines(["a", "c", "1"]) });
  const table = FileTable.open(dir.join("tab"), sums);
  equal(table.refresh(), false);
  dir.write({ tab: lines(["a", "c", "2"]) });
  equal(table.refresh(), true);
  equal(table.decode("c", "a"), "2");
  table.encode("c", "x");
  table.save();
  equal(table.refresh(), false);
  equal(table.codeOfSum("c", sums.text("2")), "a");
  notEqual(table.codeOfSum("c", sums.text("x")), undefined);
  dir.write({ tab: "" });
  equal(table.refresh(), true);
  equal(table.codeOfSum("c", sums.text("2")), undefined);
  Deno.removeSync(dir.join("tab"));
  throws(() => table.refresh(), { code: "CLIBS_CODEC_TABLE" });
});

Deno.test("values and names may be any bytes", () => {
  using dir = new TempDir();
  dir.write({ tab: "" });
  const table = FileTable.open(dir.join("tab"), sums);
  const values = ["", "\0\x01\xff", "\udce9", "\ud800", "ü🙂\r\n", "\\x41"];
  const codes = values.map((value) => table.encode("ünï \udcfe\t", value));
  table.save();
  const again = FileTable.open(dir.join("tab"), sums);
  equal(again.repair(), false);
  deepEqual(values.map((v) => again.encode("ünï \udcfe\t", v)), codes);
  equal(again.hasNew, false);
  equal(again.decode("ünï \udcfe\t", codes[2]!), "\udce9");
});
