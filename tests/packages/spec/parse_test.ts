import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import Ajv from "ajv/dist/2020.js";
import { ClibsError } from "../../../lib/errors.ts";
import {
  packageJsonSchema,
  parsePackageSpec,
} from "../../../lib/packages/parse_spec.ts";
import { parse } from "yaml";

const parseText = (text: string | Uint8Array<ArrayBuffer>) =>
  parsePackageSpec(
    typeof text === "string" ? new TextEncoder().encode(text) : text,
    "/deps/zlib/pkg.yaml",
  );

const GIT_EXAMPLE = `version: "8.2.8"
git:
  repo: "https://github.com/ivmai/bdwgc.git"
  ref: "v8.2.8"
build:
  command: "mkdir -p out && cd out && cmake -Dbuild_tests=OFF -DCMAKE_INSTALL_PREFIX=$CLIBS_BUILD_DIR .. && cmake --build . && cmake --install ."
`;

const FILES_EXAMPLE = `version: "1.2.11"
files:
  - url: "https://zlib.net/zlib-1.2.11.tar.gz"
    filename: "zlib-1.2.11.tar.gz"
    extract: true
build:
  command: "mkdir -p out && cd out && cmake -DCMAKE_INSTALL_PREFIX=$CLIBS_BUILD_DIR .. && make && make install"
`;

const FULL = `name: zlib-ng
version: 2.10
files:
  - url: https://example.org/a/zlib-ng.tar.xz?token=1#x
    sha256: ${"AB".repeat(32)}
    strip: 2
    dir: src
    mirrors: [file:///a.tar.xz, ../b.tar.xz]
patches: [a.patch, sub/b.patch]
deps: [../a, b]
build:
  command: |
    make
    make install
  env: { A: 1, B: true, C: "x y" }
  empty: true
  targets:
    wasm32-*: emmake make
    "*-linux-*": { env: { D: "2" } }
export: echo A=1
`;

Deno.test("parsePackageSpec() reads the design's git example", async () => {
  const spec = await parseText(GIT_EXAMPLE);
  equal(spec.name, "zlib");
  equal(spec.version, "8.2.8");
  deepEqual(spec.git, {
    repo: "https://github.com/ivmai/bdwgc.git",
    ref: "v8.2.8",
    submodules: false,
  });
  deepEqual(spec.files, []);
  deepEqual(spec.positions["git.ref"], { line: 4, column: 8 });
});

Deno.test("parsePackageSpec() reads the design's file example", async () => {
  const spec = await parseText(FILES_EXAMPLE);
  deepEqual(spec.files, [{
    url: "https://zlib.net/zlib-1.2.11.tar.gz",
    filename: "zlib-1.2.11.tar.gz",
    extract: true,
    dir: ".",
    strip: "auto",
    mirrors: [],
  }]);
  equal(spec.git, undefined);
});

Deno.test("parsePackageSpec() reads every key", async () => {
  const { positions: _, ...spec } = await parseText(FULL);
  deepEqual(spec, {
    path: "/deps/zlib/pkg.yaml",
    dir: "/deps/zlib",
    name: "zlib-ng",
    version: "2.10",
    files: [{
      url: "https://example.org/a/zlib-ng.tar.xz?token=1#x",
      filename: "zlib-ng.tar.xz",
      sha256: "ab".repeat(32),
      strip: 2,
      dir: "src",
      mirrors: ["file:///a.tar.xz", "../b.tar.xz"],
    }],
    patches: ["a.patch", "sub/b.patch"],
    deps: ["../a", "b"],
    build: {
      command: "make\nmake install\n",
      env: { A: "1", B: "true", C: "x y" },
      empty: true,
      targets: [
        { pattern: "wasm32-*", command: "emmake make", env: {} },
        { pattern: "*-linux-*", env: { D: "2" } },
      ],
    },
    export: "echo A=1",
  });
});

Deno.test("parsePackageSpec() takes a byte order mark, CRLF and a few anchors", async () => {
  const text = `\ufeff${FILES_EXAMPLE.replaceAll("\n", "\r\n")}`;
  equal((await parseText(text)).version, "1.2.11");
  const anchored = await parseText(
    "version: &v '1'\nbuild: { command: *v }\n",
  );
  equal(anchored.build.command, "1");
});

const build = "build: { command: make }\n";

/** Text, then message after "Cannot read zlib/pkg.yaml: ", place, hint. */
const bad: [string, string, string, string, string?][] = [
  ["an empty file", "", "it is empty", "1:1"],
  ["only comments", "# nothing\n", "it is empty", "1:1"],
  [
    "a text",
    "hello\n",
    'the document must be a map, not the text "hello"',
    "1:1",
  ],
  ["a list", "- a\n", "the document must be a map, not a list", "1:1"],
  [
    "an unknown key",
    `version: "1"\nbuild:\n  command: x\n  comand: y\n`,
    'unknown key "comand" in build',
    "4:3",
    "command",
  ],
  [
    "an unknown key that is like none",
    `version: "1"\nlicence: MIT\n${build}`,
    'unknown key "licence"',
    "2:1",
  ],
  [
    "a key twice",
    `version: "1"\nversion: "2"\n${build}`,
    'the key "version" is given twice',
    "2:1",
  ],
  ["no version", build, 'the key "version" is missing', "1:1"],
  [
    "an empty version",
    `version:\n${build}`,
    "version must be a text, not empty",
    "1:9",
  ],
  ["no build", 'version: "1"\n', 'the key "build" is missing', "1:1"],
  [
    "no command",
    'version: "1"\nbuild: { env: {} }\n',
    'the key "command" is missing in build',
    "2:8",
  ],
  [
    "a blank command",
    'version: "1"\nbuild: { command: " " }\n',
    "build.command must not be empty",
    "2:19",
  ],
  [
    "both sources",
    `version: "1"\ngit: { repo: r, ref: v }\nfiles: [{ url: a.tgz }]\n${build}`,
    'the keys "git" and "files" exclude each other',
    "3:1",
  ],
  [
    "a list for a map",
    `version: "1"\ngit: [a]\n${build}`,
    "git must be a map, not a list",
    "2:6",
  ],
  [
    "a text for a truth value",
    `version: "1"\nfiles: [{ url: a.tgz, extract: "yes" }]\n${build}`,
    'files.0.extract must be true or false, not the text "yes"',
    "2:32",
  ],
  [
    "a negative strip",
    `version: "1"\nfiles: [{ url: a.tgz, strip: -1 }]\n${build}`,
    "files.0.strip must be auto or a whole number from 0, not the number -1",
    "2:30",
  ],
  [
    "another scheme",
    `version: "1"\nfiles: [{ url: "data:text/plain,x" }]\n${build}`,
    'files.0.url has the scheme "data"; known are https, http, file, and paths relative to pkg.yaml',
    "2:16",
  ],
  [
    "a url that is an option",
    `version: "1"\nfiles: [{ url: --output=x }]\n${build}`,
    "files.0.url must not start with a dash",
    "2:16",
  ],
  [
    "a url without a name",
    `version: "1"\nfiles: [{ url: "https://example.org/" }]\n${build}`,
    "files.0.url ends in no file name",
    "2:16",
  ],
  [
    "a file name that climbs",
    `version: "1"\nfiles: [{ url: a.tgz, filename: ../../x }]\n${build}`,
    "files.0.filename must not have a slash; use `dir` for folders",
    "2:33",
  ],
  [
    "a file name that is an option",
    `version: "1"\nfiles: [{ url: a.tgz, filename: -C }]\n${build}`,
    "files.0.filename must not start with a dash",
    "2:33",
  ],
  [
    "a file name of ours",
    `version: "1"\nfiles: [{ url: a.tgz, filename: _download_hash }]\n${build}`,
    "files.0.filename is a name that clibs uses itself",
    "2:33",
  ],
  [
    "a dir that climbs",
    `version: "1"\nfiles: [{ url: a.tgz, dir: a/../../b }]\n${build}`,
    "files.0.dir must not leave its folder",
    "2:28",
  ],
  [
    "an absolute patch",
    `version: "1"\npatches: [/etc/passwd]\n${build}`,
    "patches.0 must be a relative path",
    "2:11",
  ],
  [
    "a short digest",
    `version: "1"\nfiles: [{ url: a.tgz, sha256: abc }]\n${build}`,
    "files.0.sha256 must be 64 hex digits",
    "2:31",
  ],
  [
    "two files of one name",
    `version: "1"\nfiles: [{ url: a/x.tgz }, { url: b/x.tgz }]\n${build}`,
    'files.1 is saved as "x.tgz", as files.0 is',
    "2:27",
  ],
  [
    "a dep twice",
    `version: "1"\ndeps: [a, a]\n${build}`,
    'deps has "a" twice',
    "2:11",
  ],
  [
    "a name with a slash",
    `version: "1"\nname: a/b\n${build}`,
    "name must be letters, digits and . _ + - only, and start with a letter or digit",
    "2:7",
  ],
  [
    "a variable with a dash",
    'version: "1"\nbuild: { command: x, env: { A-B: 1 } }\n',
    `"A-B" in build.env is not a variable's name`,
    "2:29",
  ],
  [
    "a tab",
    '\tversion: "1"\n',
    "a tab is used to indent; YAML wants spaces",
    "1:1",
  ],
  [
    "two documents",
    `version: "1"\n${build}---\nversion: "2"\n`,
    "a second document starts here",
    "3:1",
  ],
  [
    "an anchor that is not there",
    `version: *v\n${build}`,
    'there is no anchor "v" before its alias',
    "1:10",
  ],
];

Deno.test("parsePackageSpec() says what is wrong, and where", async (t) => {
  for (const [name, text, message, place, near] of bad) {
    await t.step(name, async () => {
      const error = await parseText(text).then(() => undefined, (e) => e);
      ok(error instanceof ClibsError);
      equal(error.message, `Cannot read zlib/pkg.yaml: ${message}`);
      equal(error.facts.at, `zlib/pkg.yaml:${place}`);
      equal(error.facts.nearest, near);
    });
  }
});

Deno.test("a message shows the line, the nearest key and what else is wrong", async () => {
  const text = "version: '1'\nbuild:\n  comand: make\n  env: 1\n";
  await rejects(parseText(text), {
    code: "CLIBS_PKG_SCHEMA",
    message: 'Cannot read zlib/pkg.yaml: unknown key "comand" in build',
    facts: {
      at: "zlib/pkg.yaml:3:3",
      line: "  comand: make\n  ^",
      nearest: "command",
      also: "4:8 build.env must be a map, not the number 1",
    },
    hint: 'did you mean "command"?',
  });
});

Deno.test("a file with any byte lost or changed gives a spec or a ClibsError", async () => {
  const bytes = new TextEncoder().encode(FULL);
  for (let i = 0; i < bytes.length; i++) {
    const cut = new Uint8Array([...bytes.slice(0, i), ...bytes.slice(i + 1)]);
    const changed = bytes.slice();
    changed[i] = "\0\t\"'{[&*:#-é\n"[i % 13]?.charCodeAt(0) ?? 0;
    for (const variant of [cut, changed]) {
      await parseText(variant).catch((error) =>
        ok(error instanceof ClibsError)
      );
    }
  }
});

Deno.test("the JSON Schema agrees with the parser", async () => {
  const validate = new Ajv.default({ strict: false }).compile(
    packageJsonSchema(),
  );
  for (const text of [GIT_EXAMPLE, FILES_EXAMPLE, FULL]) {
    ok(validate(parse(text)), JSON.stringify(validate.errors));
  }
  const wrong = [
    '{"version":"1"}',
    '{"version":"1","build":{"comand":"x"}}',
    '{"version":"1","build":{"command":" "}}',
    '{"version":"1/2","build":{"command":"x"}}',
    '{"version":true,"build":{"command":"x"}}',
    '{"version":1,"build":{"command":"x"},"deps":["a","a"]}',
    '{"version":1,"build":{"command":"x"},"files":[],"git":{"repo":"r","ref":"v"}}',
    '{"version":1,"build":{"command":"x"},"files":[{"url":"a","filename":"../x"}]}',
    '{"version":1,"build":{"command":"x"},"patches":["/etc/passwd"]}',
  ];
  for (const text of wrong) ok(!validate(JSON.parse(text)));
  const published = await Deno.readTextFile(
    new URL("../../../schema/pkg.schema.json", import.meta.url),
  );
  deepEqual(JSON.parse(published), packageJsonSchema());
});
