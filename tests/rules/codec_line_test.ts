import { deepEqual, doesNotMatch, equal } from "node:assert/strict";
import {
  escapeField,
  formatAppended,
  formatLine,
  normalText,
  parseLines,
  unescapeField,
} from "../../lib/rules/codec/line.ts";

const fields: [text: string, field: string][] = [
  ["plain text, ünï 🙂", "plain text, ünï 🙂"],
  ["line\nnext", "line\\nnext"],
  ["a\tb\rc", "a\\tb\\rc"],
  ["back\\slash", "back\\\\slash"],
  ["\\n is no newline", "\\\\n is no newline"],
  ["nul\0 bell\x07 del\x7f", "nul\\x00 bell\\x07 del\\x7f"],
  ["raw \udce9 byte", "raw \\xe9 byte"],
  ["", ""],
];

Deno.test("fields are escaped and come back", async (t) => {
  for (const [text, field] of fields) {
    await t.step(field, () => {
      equal(escapeField(text), field);
      equal(unescapeField(field), text);
    });
  }
});

Deno.test("escapes that we do not write are understood", () => {
  equal(unescapeField("\\a\\b\\e\\f\\v\\x41"), "\x07\b\x1b\f\vA");
  // Bytes that make up a character together are that character.
  equal(unescapeField("\\xc3\\xa9"), "é");
});

Deno.test("other escapes are none of a table", () => {
  for (const field of ["\\", "a\\", "\\q", "\\x4", "\\xzz", "\\\\\\"]) {
    equal(unescapeField(field), undefined, field);
  }
});

Deno.test("every text survives a line, if need be in its normal form", () => {
  for (const text of ["\ud800", "\udcc3\udca9", "🙂\udcff", "\udc00\n\\x41"]) {
    const value = normalText(text);
    const line = formatLine({ context: "c", code: "k", value });
    doesNotMatch(line, /[\ud800-\udfff](?![\udc00-\udfff])\n$/u);
    deepEqual(parseLines(line), [{ context: "c", code: "k", value }]);
    equal(normalText(value), value);
  }
});

Deno.test("a line is TAB code TAB context TAB value", () => {
  equal(
    formatLine({ context: "ctx", code: "ab12", value: "value\nline2\ttab" }),
    "\tab12\tctx\tvalue\\nline2\\ttab\n",
  );
});

Deno.test("parseLines() leaves out what is no line", () => {
  const text = [
    "\ta\tc\tv1",
    "",
    "<<<<<<< HEAD",
    "\tb\tc\tv2\r",
    "||||||| base",
    "=======",
    "\tb\tc\tv3",
    ">>>>>>> theirs",
    "a\tc\tno leading tab",
    "\ta\tc",
    "\ta\tc\ttoo\tmany",
    "\t\tc\tno code",
    "\ta\tc\tbad \\q",
    "+\tc\tc\tappended",
    "\td\t\tno newline at the end",
  ].join("\n");
  deepEqual(parseLines(text).map(({ code, value }) => [code, value]), [
    ["a", "v1"],
    ["b", "v2"],
    ["b", "v3"],
    ["c", "appended"],
    ["d", "no newline at the end"],
  ]);
});

Deno.test("an appended line counts whole or not at all", () => {
  const before = "\ta\tc\tkept\n";
  const line = formatAppended({ context: "c", code: "be", value: "value" });
  for (let cut = 0; cut < line.length; cut++) {
    const found = parseLines(before + line.slice(0, cut));
    deepEqual(found, [{ context: "c", code: "a", value: "kept" }], `${cut}`);
  }
  equal(parseLines(before + line).length, 2);
});
