import assert from "node:assert/strict";
import { ClibsError } from "../../lib/errors.ts";
import { compilePattern } from "../../lib/rules/pattern.ts";
import {
  expandTemplate,
  parseTemplate,
  type TemplateValue,
} from "../../lib/rules/pattern_template.ts";

type Stems = Record<string, string>;

/** Pattern, definitions, name, and the static stems or undefined. */
const matches: [string, Stems, string, Stems | undefined][] = [
  ["{F:.*}.o", {}, "a/b.o", { F: "a/b" }],
  ["{F:.*}.o", {}, "a/b.oo", undefined],
  ["{F:.*}.o", {}, ".o", { F: "" }],
  ["{F:.+}.o", {}, ".o", undefined],
  ["{F}.o", { F: "\\w+" }, "ab.o", { F: "ab" }],
  ["{F}.o", { F: "\\w+" }, "a/b.o", undefined],
  ["plain", {}, "plain", {}],
  ["plain", {}, "plain2", undefined],
  ["{A:\\w+}-{A}", {}, "x-x", { A: "x" }],
  ["{A:\\w+}-{A}", {}, "x-y", undefined],
  ["{A}{A}", { A: "a|b" }, "bb", { A: "b" }],
  ["{A}{A}", { A: "a|b" }, "ab", undefined],
  ["{{{A:.}}}", {}, "{x}", { A: "x" }],
  ["a{{b}}", {}, "a{b}", {}],
  ["{:\\d+}.{F:.*}", {}, "12.x", { ":0": "12", F: "x" }],
  ["{F:.*}", {}, "a\nb", { F: "a\nb" }],
  ["{F:[a-z]{2,3}}", {}, "abc", { F: "abc" }],
  ["{F:[a-z]{2,3}}", {}, "abcd", undefined],
  ["{F:\\{x\\}}.o", {}, "{x}.o", { F: "{x}" }],
  ["{F:\\}}", {}, "}", { F: "}" }],
  ["a.b+{F:.}", {}, "a.b+x", { F: "x" }],
  ["a.b+{F:.}", {}, "aXbbx", undefined],
  // An alternative is that of its stem alone.
  ["x{F:a|b}y", {}, "xay", { F: "a" }],
  ["x{F:a|b}y", {}, "xa", undefined],
  // Captures, back references and named groups of a stem stay its own.
  ["{F:(a)(b)?}-{G:(.)\\1}", {}, "ab-cc", { F: "ab", G: "cc" }],
  ["{F:(a)(b)?}-{G:(.)\\1}", {}, "ab-ca", undefined],
  ["{F:(?<q>.)\\k<q>}{G:(?<q>.)\\k<q>}", {}, "aabb", { F: "aa", G: "bb" }],
  ["{F:(?<q>.)\\k<q>}{G:(?<q>.)\\k<q>}", {}, "aaba", undefined],
  ["{F:(.)\\1}0", {}, "aa0", { F: "aa" }],
  ["{F:(?:a)(?=b)(?<!c)b}", {}, "ab", { F: "ab" }],
  ["{F:[()]+}{G:(x)\\1}", {}, "()xx", { F: "()", G: "xx" }],
  // Escapes that other dialects allow.
  ["{F:a\\-b\\_\\@\\ }", {}, "a-b_@ ", { F: "a-b_@ " }],
  ["{F:[\\w\\-\\#]+}", {}, "a-#", { F: "a-#" }],
  ["{F:\\p{Lu}}", {}, "Ä", { F: "Ä" }],
  ["{F:.}", {}, "😀", { F: "😀" }],
  // Prefix and suffix must not share characters.
  ["aba{F:.*}aba", {}, "ababa", undefined],
  ["aba{F:.*}aba", {}, "abaaba", { F: "" }],
  ["parts/{N*:\\w+}.txt", {}, "parts/x.txt", {}],
  ["{D:.*}/{N*:\\w+}{N*}.txt", {}, "d/xx.txt", { D: "d" }],
  ["{D:.*}/{N*:\\w+}{N*}.txt", {}, "d/xy.txt", undefined],
  ["out/{*:.*}", {}, "out/a/b", {}],
  ["{:.*}/.../x", {}, "a/.../x", { ":0": "a" }],
];

Deno.test("a pattern matches whole names", async (t) => {
  for (const [text, stems, name, expected] of matches) {
    await t.step(`${text} ~ ${JSON.stringify(name)}`, () => {
      assert.deepEqual(compilePattern(text, stems).match(name), expected);
    });
  }
});

Deno.test("a pattern expands to a name that it matches", async (t) => {
  for (const [text, stems, name, expected] of matches) {
    const pattern = compilePattern(text, stems);
    if (expected === undefined || pattern.starStems.length > 0) continue;
    await t.step(text, () => {
      assert.equal(pattern.expand(expected), name);
    });
  }
});

/** Pattern, definitions, cause and hint. */
const refused: [string, Stems, string, string][] = [
  ["", {}, "it is empty", "name a file"],
  [
    "/a/{F:.}",
    {},
    "it is absolute",
    "names are relative to the root of the repo",
  ],
  ["a/", {}, "it ends with /", "folders are no targets; name a file in it"],
  [
    "a//b",
    {},
    "it has an empty part (//)",
    "write the name as it is seen from the root of the repo",
  ],
  [
    "./a",
    {},
    "it has the part .",
    "write the name as it is seen from the root of the repo",
  ],
  [
    "{F:.}/../a",
    {},
    "it has the part ..",
    "write the name as it is seen from the root of the repo",
  ],
  [
    "{F",
    {},
    "the brace at character 1 is not closed",
    "braces in a regular expression must pair up, or be written \\{ and \\}; " +
    "{{ is a brace that belongs to the name",
  ],
  [
    "x{F:{}.o",
    {},
    "the brace at character 2 is not closed",
    "braces in a regular expression must pair up, or be written \\{ and \\}; " +
    "{{ is a brace that belongs to the name",
  ],
  [
    "a}b",
    {},
    "the brace at character 2 closes nothing",
    "write }} for a brace that belongs to the name",
  ],
  [
    "{F}.o",
    {},
    "the stem F is not defined",
    'define it: {F:.*}, or stems: {F: ".*"}',
  ],
  [
    "{Flie}.o",
    { File: ".*" },
    "the stem Flie is not defined",
    "did you mean File?",
  ],
  [
    "{F:[}.o",
    {},
    "the regular expression of F ([) is wrong: unterminated character class",
    "stems use the regular expressions of JavaScript, with the flags s and u",
  ],
  [
    "{F:a)(b}.o",
    {},
    "the regular expression of F (a)(b) is wrong: unmatched ')'",
    "stems use the regular expressions of JavaScript, with the flags s and u",
  ],
  [
    "{F:(?P<x>a)}.o",
    {},
    "the regular expression of F ((?P<x>a)) is wrong: invalid group",
    "stems use the regular expressions of JavaScript, with the flags s and u",
  ],
  [
    "{F:\\1}.o",
    {},
    "the regular expression of F (\\1) is wrong: invalid escape",
    "stems use the regular expressions of JavaScript, with the flags s and u",
  ],
  [
    "{}",
    {},
    "{} has no name and no regular expression",
    "write {:.*}, say, or {{}} for two braces",
  ],
  [
    "{*}",
    {},
    "{*} has no name and no regular expression",
    "write {*:.*}, say",
  ],
  [
    "{a b}",
    {},
    '"a b" is no name of a stem',
    "names consist of letters, digits and _, and begin with no digit; " +
    "write {{ and }} for braces that belong to the name",
  ],
  [
    "{F:a}{F:b}",
    {},
    "the stem F is defined as b and as a",
    "define it once; further uses need only its name",
  ],
  [
    "{F:a}",
    { F: "b" },
    "the stem F is defined as a and as b",
    "define it once; further uses need only its name",
  ],
  [
    "{F:a}{F*}",
    {},
    "F is a static stem and a star stem at once",
    "give one of them another name",
  ],
];

Deno.test("a malformed pattern is refused with cause and hint", async (t) => {
  for (const [text, stems, cause, hint] of refused) {
    await t.step(text, () => {
      assert.throws(() => compilePattern(text, stems), {
        name: "ClibsError",
        code: "CLIBS_LMAKE_PATTERN",
        message: `Cannot read the pattern ${JSON.stringify(text)}: ${cause}`,
        hint,
      });
    });
  }
});

Deno.test("a definition that is repeated alike is fine", () => {
  const pattern = compilePattern("{F:a}{F:a}", { F: "a" });
  assert.deepEqual(pattern.match("aa"), { F: "a" });
});

Deno.test("patterns of deps may lead outside the repo", () => {
  for (const text of ["/usr/{F:.*}", "../src/{F:.*}", "../../a"]) {
    assert.equal(compilePattern(text, {}, { outside: true }).text, text);
  }
  assert.throws(() => compilePattern("../a/../b", {}, { outside: true }));
  assert.throws(() => compilePattern("//a", {}, { outside: true }));
});

Deno.test("a pattern knows its stems and how its names begin and end", () => {
  const pattern = compilePattern("p/{B:.}{A:.}{*:.}{N*:.}{:x}.txt");
  assert.deepEqual(pattern.stems, ["B", "A", ":1"]);
  assert.deepEqual(pattern.starStems, ["*0", "N"]);
  assert.equal(pattern.prefix, "p/");
  assert.equal(pattern.suffix, ".txt");
  assert.equal(pattern.isLiteral, false);
  assert.equal(compilePattern("a{{}}").isLiteral, true);
  assert.throws(() => pattern.expand({}), TypeError);
  assert.throws(() => compilePattern("{A:.}").expand({}), TypeError);
});

Deno.test("a bound pattern has star stems only", () => {
  const pattern = compilePattern("{D:.*}/{N*:\\d+}-{*:(.)\\1}-{N*}.{D}");
  const bound = pattern.bind({ D: "a.b" });
  assert.equal(bound.prefix, "a.b/");
  assert.equal(bound.display, "a.b/{N*}-{*}-{N*}.a.b");
  assert.deepEqual(bound.starStems, ["N", "*0"]);
  assert.equal(bound.expand(["12", "xx"]), "a.b/12-xx-12.a.b");
  assert.equal(bound.expand({ N: "1", "*0": "yy" }), "a.b/1-yy-1.a.b");
  assert.deepEqual(bound.match("a.b/12-xx-12.a.b"), { N: "12", "*0": "xx" });
  assert.equal(bound.match("aXb/12-xx-12.a.b"), undefined);
  assert.equal(bound.match("a.b/12-xx-13.a.b"), undefined);
  assert.ok(bound.regex.test("a.b/12-xx-12.a.b"));
});

Deno.test("a bound pattern without star stems is one name", () => {
  const bound = compilePattern("{D:.*}.x+").bind({ D: "a(" });
  assert.deepEqual(bound.match("a(.x+"), {});
  assert.equal(bound.match("a(.xx"), undefined);
  assert.equal(bound.expand([]), "a(.x+");
  assert.equal(bound.display, "a(.x+");
});

Deno.test("star stems need values that fit", () => {
  const bound = compilePattern("{D:.*}/{N*:\\d+}.txt").bind({ D: "d" });
  const cases: [string[] | Stems, string][] = [
    [["x"], '"d/x.txt" does not match {D:.*}/{N*:\\d+}.txt'],
    [[], "it has 1 star stem, not 0"],
    [["1", "2"], "it has 1 star stem, not 2"],
    [{}, "it has 1 star stem, not 0"],
  ];
  for (const [given, cause] of cases) {
    assert.throws(() => bound.expand(given), {
      name: "ClibsError",
      code: "CLIBS_LMAKE_STEM",
      message: `Cannot name a file of d/{N*}.txt: ${cause}`,
      hint: "give a value that fits for each star stem, in their order",
    });
  }
});

const values: Record<string, TemplateValue> = {
  F: "foo",
  OUT: (...stems) => `<${stems.join("|")}>`,
  cpu: 4,
  _x1: "",
};

const templates: [string, string][] = [
  ["", ""],
  ["gcc {F}.c -j{cpu}", "gcc foo.c -j4"],
  ["{_x1}{F}{F}", "foofoo"],
  ["${{HOME}} {{}} }}{{", "${HOME} {} }{"],
  ["awk '{{ print $1 }}' {F}", "awk '{ print $1 }' foo"],
  ["{OUT('a')}", "<a>"],
  ["{OUT(\"a b\", F , '}')}", "<a b|foo|}>"],
  ["{OUT()}", "<>"],
  ["a\n{F}\n", "a\nfoo\n"],
];

Deno.test("expandTemplate() puts values in the place of names", async (t) => {
  for (const [text, expected] of templates) {
    await t.step(text, () => {
      assert.equal(expandTemplate(text, values), expected);
    });
  }
});

const HINT = "write {{ and }} for braces that are meant as such";

/** Template, code, message and hint. */
const badTemplates: [string, string, string, string][] = [
  [
    "echo ${HOME}",
    "CLIBS_LMAKE_NAME",
    "Cannot expand {HOME}: no stem, target, dep or resource has that name",
    `${HINT}: {{HOME}}`,
  ],
  [
    "echo {cpus}",
    "CLIBS_LMAKE_NAME",
    "Cannot expand {cpus}: no stem, target, dep or resource has that name",
    "did you mean {cpu}?",
  ],
  [
    "x {OUT}",
    "CLIBS_LMAKE_NAME",
    "Cannot expand {OUT}: it has star stems, so it stands for many files",
    "name one of them, such as {OUT('x')}",
  ],
  [
    "x {F('a')}",
    "CLIBS_LMAKE_NAME",
    "Cannot expand {F(...)}: it is not a star target",
    "write {F}",
  ],
  [
    "{OUT(G)}",
    "CLIBS_LMAKE_NAME",
    "Cannot expand {G}: no stem, target, dep or resource has that name",
    "did you mean {F}?",
  ],
  [
    "a\n  awk '{ print }' x",
    "CLIBS_LMAKE_TEMPLATE",
    `Cannot read "awk '{ print }' x": { print } is no name`,
    HINT,
  ],
  ["a {}", "CLIBS_LMAKE_TEMPLATE", 'Cannot read "a {}": {} is no name', HINT],
  [
    "a }",
    "CLIBS_LMAKE_TEMPLATE",
    'Cannot read "a }": a brace closes nothing',
    HINT,
  ],
  [
    "a {F",
    "CLIBS_LMAKE_TEMPLATE",
    'Cannot read "a {F": a brace is not closed',
    HINT,
  ],
  [
    "{OUT(1)}",
    "CLIBS_LMAKE_TEMPLATE",
    'Cannot read "{OUT(1)}": {OUT(1)} is no name',
    HINT,
  ],
];

Deno.test("a malformed template is refused with cause and hint", async (t) => {
  for (const [text, code, message, hint] of badTemplates) {
    await t.step(text, () => {
      assert.throws(() => expandTemplate(text, values), (error) => {
        assert.ok(error instanceof ClibsError);
        assert.equal(error.code, code);
        assert.equal(error.message, message);
        assert.equal(error.hint, hint);
        return true;
      });
    });
  }
});

Deno.test("parseTemplate() joins what is no name", () => {
  assert.deepEqual(parseTemplate("a{{b}}{F}c"), [
    { kind: "literal", text: "a{b}" },
    { kind: "name", name: "F" },
    { kind: "literal", text: "c" },
  ]);
});
