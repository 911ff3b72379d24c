import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { ClibsError } from "../../../lib/errors.ts";
import { parsePackageSpec } from "../../../lib/packages/parse_spec.ts";

const parseText = (text: string | Uint8Array<ArrayBuffer>) =>
  parsePackageSpec(
    typeof text === "string" ? new TextEncoder().encode(text) : text,
    "/deps/zlib/pkg.yaml",
  );

const build = "build: { command: make }\n";

Deno.test("hostile files are refused in time", async (t) => {
  await t.step("over 1 MiB", async () => {
    await rejects(parseText("#".repeat((1 << 20) + 1)), {
      code: "CLIBS_PKG_TOO_LARGE",
      message: "Cannot read zlib/pkg.yaml: it has more than 1048576 bytes",
      hint: "keep scripts and data in files of their own",
    });
  });
  await t.step("an alias bomb", async () => {
    let text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n";
    for (let i = 1; i < 12; i++) {
      text += `a${i}: &a${i} [${`*a${i - 1}, `.repeat(9)}]\n`;
    }
    await rejects(parseText(text), {
      code: "CLIBS_PKG_YAML",
      message:
        "Cannot read zlib/pkg.yaml: its aliases multiply to too many values",
      facts: {
        at: "zlib/pkg.yaml:4:10",
        line: "a3: &a3 [*a2, *a2, *a2, *a2, *a2, *a2, *a2, *a2, *a2, ]\n" +
          "         ^",
      },
      hint: "write the values out",
    });
  });
  await t.step("a deep nest", async () => {
    const deep = [
      "[".repeat(40) + "]".repeat(40),
      "[".repeat(1 << 20),
      "- ".repeat(1 << 19),
      "? ".repeat(1 << 19),
      "a: &a [*a]\n",
    ];
    for (const text of deep.slice(0, -1)) {
      await rejects(parseText(text), {
        code: "CLIBS_PKG_YAML",
        message: "Cannot read zlib/pkg.yaml: it nests too deeply",
        hint: "nest at most 32 levels",
      });
    }
    await rejects(parseText(deep.at(-1) ?? ""), {
      message:
        'Cannot read zlib/pkg.yaml: there is no anchor "a" before its alias',
      hint: "a text that starts with * needs quotes",
    });
  });
  await t.step("very many keys, values and aliases", async () => {
    const keys = Array.from({ length: 60_000 }, (_, i) => `k${i}: v`);
    await rejects(parseText(keys.join("\n")), (error: ClibsError) => {
      equal(error.message, 'Cannot read zlib/pkg.yaml: unknown key "k0"');
      ok(error.facts.also?.endsWith("\nand 59992 more"));
      return true;
    });
    // Columns of one long line must not be counted from its start each time.
    const deps = Array.from({ length: 60_000 }, (_, i) => `d${i}`);
    const spec = await parseText(
      `version: 1\n${build}deps: [${deps.join(",")}]`,
    );
    deepEqual(spec.positions["deps.59999"], { line: 3, column: 408_891 });
    const aliases = "*a,".repeat(15_000);
    await rejects(parseText(`a: &a x\nb: [${aliases}]`), {
      code: "CLIBS_PKG_YAML",
    });
  });
  const utf8: [string, number[], string, string][] = [
    ["Latin-1", [0x61, 0x3a, 0xa, 0xff], "it is not UTF-8", "2:1"],
    ["UTF-16", [0xff, 0xfe, 0x61, 0], "it is UTF-16, not UTF-8", "1:1"],
  ];
  for (const [name, bytes, message, place] of utf8) {
    await t.step(name, async () => {
      await rejects(parseText(new Uint8Array(bytes)), (error: ClibsError) => {
        equal(error.code, "CLIBS_PKG_YAML");
        equal(error.message, `Cannot read zlib/pkg.yaml: ${message}`);
        equal(error.facts.at, `zlib/pkg.yaml:${place}`);
        equal(error.hint, "save the file as UTF-8");
        return true;
      });
    });
  }
});

/** Text; message, place, hint. All with the code of a syntax error. */
const syntax: [string, string, string, string][] = [
  [
    `${build}version: "1\ndeps: []\n`,
    "the quote that opens here is never closed",
    "2:10",
    "close it",
  ],
  [
    "version: 1\nbuild:\n  command: echo a: b\n",
    'a text without quotes has a ": " in it',
    "3:12",
    "put the text in quotes, or put it below after `|`",
  ],
  [
    "version: @1\n",
    "a text without quotes starts with a character that YAML keeps for itself",
    "1:10",
    "put the text in quotes",
  ],
  [
    'version "1"\nbuild:\n  command: x\n',
    "a key has no colon, or a text goes on below its line",
    "1:1",
    "write `key: value`",
  ],
  [
    "build:\n    command: x\n  env: {}\n",
    "a key is indented unlike the keys it belongs to",
    "3:1",
    "start all keys of one map in the same column",
  ],
  [
    "deps: [a, b\nversion: 1\n",
    "a bracket or brace is still open, and this line is not indented below it",
    "2:1",
    "close the bracket",
  ],
  [
    "build:\n  env: { A: 1, A: 2 }\n",
    'the key "A" is given twice',
    "2:16",
    "keep one of the two; the other is in line 2",
  ],
  [
    "version: !!str 1\n",
    "there is a tag, and tags have no use here",
    "1:16",
    "remove the tag; a text that starts with ! needs quotes",
  ],
  [
    "version: !own 1\n",
    "there is a tag, and tags have no use here",
    "1:10",
    "remove the tag; a text that starts with ! needs quotes",
  ],
  [
    "a: &a 1\nb: &a 2\n",
    'the anchor "a" is set twice',
    "2:7",
    "mend the YAML at that place; a text with special characters needs quotes",
  ],
  [
    "? [a]\n: 1\n",
    "a key is not a text",
    "1:3",
    "mend the YAML at that place; a text with special characters needs quotes",
  ],
  [
    "version: 1\rbuild: {}\n",
    "it has the control character \\r",
    "1:11",
    "remove the character",
  ],
  [
    "\x1b[31mversion: 1\n",
    "it has the control character \\x1b",
    "1:1",
    "remove the character",
  ],
];

Deno.test("errors of syntax say what to do", async (t) => {
  for (const [text, message, place, hint] of syntax) {
    await t.step(message, async () => {
      const error = await parseText(text).then(() => undefined, (e) => e);
      ok(error instanceof ClibsError);
      equal(error.code, "CLIBS_PKG_YAML");
      equal(error.message, `Cannot read zlib/pkg.yaml: ${message}`);
      equal(error.facts.at, `zlib/pkg.yaml:${place}`);
      equal(error.hint, hint);
    });
  }
});

/** A line of pkg.yaml, and what is wrong with it. */
const hostile: [string, string][] = [
  ["version: ../../x", "version must not have a slash"],
  ["version: true", "version must be a text, not the truth value true"],
  ["version: ' 1'", "version must not start or end in a space"],
  ["version: .1x", "version must not start with a dot"],
  [
    "deps: ['a b;c']",
    "deps.0 must be the name of a package, or a path with a slash",
  ],
  [
    "deps: ['..']",
    "deps.0 must be the name of a package, or a path with a slash",
  ],
  ["deps: [~]", "deps.0 must be a text, not empty"],
  ["export: ''", "export must not be empty"],
  ['export: "a\\0b"', "export must not have a NUL character"],
  [
    'export: "\\ud800"',
    "export must not have half a character (a lone surrogate)",
  ],
  ['"\\e[31mred": 1', 'unknown key "\\u001b[31mred"'],
  ["\u202ekey: 1", 'unknown key "\\u202ekey"'],
  ["__proto__: { name: x }", 'unknown key "__proto__"'],
  ["constructor: 1", 'unknown key "constructor"'],
  ["<<: { name: x }", 'unknown key "<<"'],
  [
    "git: { repo: --upload-pack=x, ref: v }",
    "git.repo must not start with a dash",
  ],
  ["git: { repo: r, ref: -u }", "git.ref must not start with a dash"],
  ["git: { repo: '', ref: v }", "git.repo must not be empty"],
  [
    "files: [{ url: 'https:x.tgz' }]",
    "files.0.url is not a URL such as https://host/name",
  ],
  [
    "files: [{ url: 'https:///x.tgz' }]",
    "files.0.url is not a URL such as https://host/name",
  ],
  [
    "files: [{ url: 'file://host/x' }]",
    "files.0.url is not a URL such as file:///folder/name",
  ],
  [
    "files: [{ url: 'http://h/a b' }]",
    "files.0.url must not have a space or backslash; write %20 for a space",
  ],
  ["files: [{ url: /etc/passwd }]", "files.0.url must be a relative path"],
  [
    "files: [{ url: 'https://h/%2e%2e%2fx' }]",
    "files.0.url ends in no file name",
  ],
  ["files: [{ url: a/.. }]", "files.0.url ends in no file name"],
  [
    `files: [{ url: a, filename: ${"x".repeat(256)} }]`,
    "files.0.filename must not be longer than 255 bytes",
  ],
  [
    'files: [{ url: a, filename: "a\\nb" }]',
    "files.0.filename must not have control characters",
  ],
  [
    "files: [{ url: a, dir: 'a\\b' }]",
    "files.0.dir must have / between folders, not \\",
  ],
  [
    "files: [{ url: a/x, dir: d }, { url: b/x, dir: ./d/ }]",
    'files.1 is saved as "d/x", as files.0 is',
  ],
  [
    `files: [{ url: a, sha256: ${"1".repeat(64)} }]`,
    `files.0.sha256 must be a text, not the number ${"1".repeat(57)}...`,
  ],
];

Deno.test("hostile values are refused", async (t) => {
  for (const [line, message] of hostile) {
    await t.step(line.slice(0, 60), async () => {
      const head = line.startsWith("version:") ? "" : "version: 1\n";
      await rejects(parseText(`${head}${build}${line}\n`), {
        code: "CLIBS_PKG_SCHEMA",
        message: `Cannot read zlib/pkg.yaml: ${message}`,
      });
    });
  }
});

Deno.test("a message hides passwords and keeps the mark in its column", async () => {
  const url = "https://me:secret@host/x.tgz?access_token=hidden";
  await rejects(
    parseText(`version: 1\n${build}files: [{ url: "${url}", extrct: 1 }]\n`),
    {
      facts: {
        at: "zlib/pkg.yaml:3:68",
        line: '*****@host/x.tgz?access_token=******", extrct: 1 }]\n' +
          `${" ".repeat(39)}^`,
        nearest: "extract",
      },
    },
  );
});

Deno.test("a name of a folder cannot write to the terminal", async () => {
  const bytes = new TextEncoder().encode("x");
  await rejects(parsePackageSpec(bytes, "/deps/a\x1b[31m\n/pkg.yaml"), {
    message:
      'Cannot read a\\x1b[31m\\n/pkg.yaml: the document must be a map, not the text "x"',
  });
});

Deno.test("directives do not change what values mean", async () => {
  await rejects(
    parseText(
      "%YAML 1.1\n---\nversion: 1\nbuild: { command: x, empty: yes }\n",
    ),
    {
      message:
        'Cannot read zlib/pkg.yaml: build.empty must be true or false, not the text "yes"',
    },
  );
});

Deno.test("a local file's name is taken as it is", async () => {
  const { files } = await parseText(
    `version: 1\n${build}files: [{ url: "v/a%20b#1.tgz" }, { url: "file:///v/c%20d.tgz" }]\n`,
  );
  deepEqual(files.map((file) => file.filename), ["a%20b#1.tgz", "c d.tgz"]);
});
