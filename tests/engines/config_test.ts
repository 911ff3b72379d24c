/** engines.json, and what it can do wrong. */

import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import Ajv from "ajv/dist/2020.js";
import { buildEngine } from "../../lib/engines/build.ts";
import {
  enginesJsonSchema,
  readEnginesFile,
} from "../../lib/engines/config.ts";
import { discoverEngines } from "../../lib/engines/discover.ts";
import { detectKind } from "../../lib/engines/kind.ts";
import { ClibsError } from "../../lib/errors.ts";
import { ANSWER, EngineSpace } from "../support/engines.ts";
import { TempDir } from "../support/temp.ts";

const WHOLE = {
  cpu: {
    policy: "prefer_cache",
    kind: "ffi",
    compiler: "g++ -m64",
    std: "c++20",
    sources: ["more.cpp"],
    include_dirs: ["include"],
    packages: ["../deps/zlib"],
    extra_compile_args: ["-O2"],
    extra_link_args: ["-lz"],
    python: "/usr/bin/python3",
    smoke: { call: "f", args: [1, "x", true] },
    nonblocking: ["f"],
    allow_unverified: true,
  },
  ram: { smoke: "f" },
};

Deno.test("readEnginesFile() reads every key, and so does the schema", async () => {
  using dir = new TempDir();
  deepEqual(await readEnginesFile(dir.path), {});
  dir.write({ "engines.json": `\uFEFF${JSON.stringify(WHOLE, null, "\t")}` });
  const { ram, cpu } = await readEnginesFile(dir.path);
  deepEqual(cpu, WHOLE.cpu);
  deepEqual(ram?.smoke, { call: "f" });
  const validate = new Ajv.default({ strict: false })
    .compile(enginesJsonSchema());
  ok(validate(WHOLE));
  ok(!validate({ cpu: { polcy: "x" } }));
});

const bad: [string, string, Record<string, string>, string][] = [
  [
    '{"cpu": {"policy": "prefer_prebuild"}}',
    'Cannot read engines/engines.json: cpu.policy must be prefer_prebuilt or prefer_cache or build_only or prebuilt_only, not the text "prefer_prebuild"',
    {
      at: "engines/engines.json:1:20",
      line: '{"cpu": {"policy": "prefer_prebuild"}}\n                   ^',
    },
    "`clibs explain CLIBS_ENGINES_SCHEMA` tells what an engines.json may hold",
  ],
  [
    '{\n\t"cpu": {\n\t\t"extra_link_arg": ["-lz"]\n\t}\n}',
    'Cannot read engines/engines.json: unknown key "extra_link_arg" in cpu',
    {
      at: "engines/engines.json:3:3",
      line: '  "extra_link_arg": ["-lz"]\n  ^',
      nearest: "extra_link_args",
    },
    'did you mean "extra_link_args"?',
  ],
  [
    '{"cpu": {}, "cpu": {}}',
    'Cannot read engines/engines.json: the key "cpu" is there twice',
    {},
    "",
  ],
  [
    '{"cpu": {"std": 17}}',
    "Cannot read engines/engines.json: cpu.std must be a text, not the number 17",
    {
      at: "engines/engines.json:1:17",
      line: '{"cpu": {"std": 17}}\n                ^',
    },
    'write "17" with the quotes',
  ],
  [
    "[]",
    "Cannot read engines/engines.json: the document must be a map, not a list",
    { at: "engines/engines.json:1:1", line: "[]\n^" },
    "`clibs explain CLIBS_ENGINES_SCHEMA` tells what an engines.json may hold",
  ],
];

Deno.test("engines.json with something else in it is an error with its place", async (t) => {
  for (const [text, message, facts, hint] of bad) {
    await t.step(message.slice(34), async () => {
      using dir = new TempDir();
      dir.write({ "engines/engines.json": text });
      await rejects(readEnginesFile(dir.join("engines")), (error) => {
        ok(error instanceof ClibsError);
        equal(error.code, "CLIBS_ENGINES_SCHEMA");
        if (hint === "") {
          ok(error.message.includes("cpu"), error.message);
          return true;
        }
        deepEqual([error.message, error.facts, error.hint], [
          message,
          facts,
          hint,
        ]);
        return true;
      });
    });
  }
});

Deno.test("engines.json that is not JSON is an error with its place", async (t) => {
  for (
    const [text, place] of [
      ['{"cpu": {},}', "1:12"],
      ['{\n  "cpu": {\n', "3:1"],
      ["", "1:1"],
      ['{"cpu": nope}', "1:10"],
      ['{"cpu": {"std": "c++20"} "ram": {}}', "1:26"],
      ["{'cpu': {}}", "1:2"],
    ] as const
  ) {
    await t.step(JSON.stringify(text), async () => {
      using dir = new TempDir();
      dir.write({ "engines/engines.json": text });
      await rejects(readEnginesFile(dir.join("engines")), (error) => {
        ok(error instanceof ClibsError);
        equal(error.code, "CLIBS_ENGINES_JSON");
        ok(error.message.startsWith(
          "Cannot read engines/engines.json: it is not JSON: ",
        ));
        equal(error.facts.at, `engines/engines.json:${place}`);
        return true;
      });
    });
  }
});

const kinds: [string, string | undefined][] = [
  ['extern "C" int f();', "ffi"],
  ['extern   "C" {', "ffi"],
  ["PYBIND11_MODULE(cpu, m) {}", "pybind11"],
  ['// PYBIND11_MODULE(cpu, m)\nextern "C" int f();', "ffi"],
  ["/* NODE_API_MODULE(x, y) */ int f();", undefined],
  ["NODE_API_MODULE(disk, Init)", "napi"],
  ["napi_value napi_register_module_v1(napi_env env, napi_value e) {", "napi"],
  ["NAPI_MODULE_INIT() {", "napi"],
  ["int f();", undefined],
  ["", undefined],
];

Deno.test("detectKind() looks past comments", async (t) => {
  for (const [source, kind] of kinds) {
    await t.step(source, () => equal(detectKind(source), kind));
  }
});

Deno.test("discoverEngines() lists sources that are not part of others", async () => {
  using space = new EngineSpace({
    "core/engines/cpu.cpp": ANSWER,
    "core/engines/part.cpp": "int part;",
    "core/engines/notes.txt": "",
    "core/engines/engines.json":
      '{"cpu": {"sources": ["part.cpp"], "policy": "build_only"}}',
  });
  deepEqual(await discoverEngines(space.options.sourceDir), [{
    name: "cpu",
    kind: "ffi",
    sources: ["core/engines/cpu.cpp", "core/engines/part.cpp"],
    policy: "build_only",
  }]);
});

const wrong: [
  string,
  Record<string, string>,
  string,
  string,
  string | undefined,
][] = [
  [
    "cpu",
    { "core/engines/cpu.cpp": "int f();" },
    "CLIBS_ENGINE_KIND",
    "Cannot tell how cpu is loaded: its source shows no kind of engine",
    'declare functions as extern "C", or set "kind" in engines.json',
  ],
  [
    "cup",
    { "core/engines/cpu.cpp": ANSWER },
    "CLIBS_ENGINE_UNKNOWN",
    "Cannot find the engine cup: it has neither a source nor a prebuilt",
    "did you mean cpu?",
  ],
  [
    "cpu",
    {},
    "CLIBS_ENGINE_SOURCES",
    "Cannot find the engine cpu: there is no folder DIR/core/engines",
    "name the folder with --source-dir (sourceDir)",
  ],
  [
    "ram",
    {
      "core/engines/cpu.cpp": ANSWER,
      "core/engines/engines.json": '{"ram": {}}',
    },
    "CLIBS_ENGINE_UNKNOWN",
    "Cannot use the engine ram of engines.json: it has no source",
    "`clibs engines list` lists them",
  ],
  [
    "cpu",
    { "core/engines/my cpu.cpp": ANSWER },
    "CLIBS_ENGINE_NAME",
    'Cannot use "my cpu.cpp" as an engine: its name is not an identifier',
    'use letters, digits and _ only; or list it under another engine\'s "sources"',
  ],
];

Deno.test("a source folder that is not there is an error", async () => {
  using space = new EngineSpace({});
  await rejects(discoverEngines(space.options.sourceDir), (error) => {
    ok(error instanceof ClibsError);
    equal(error.code, "CLIBS_ENGINE_SOURCES");
    equal(
      space.neutral(error.message),
      "Cannot find engines: there is no folder DIR/core/engines",
    );
    return true;
  });
  space.dir.write({ "core/engines/notes.txt": "" });
  deepEqual(await discoverEngines(space.options.sourceDir), []);
});

Deno.test("engines that cannot be found say why", async (t) => {
  for (const [name, files, code, message, hint] of wrong) {
    await t.step(message, async () => {
      using space = new EngineSpace(files);
      await rejects(buildEngine(name, space.options), (error) => {
        ok(error instanceof ClibsError);
        deepEqual([error.code, space.neutral(error.message), error.hint], [
          code,
          message,
          hint,
        ]);
        return true;
      });
    });
  }
});
