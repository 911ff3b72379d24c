import assert from "node:assert/strict";
import { readConfig } from "../../lib/rules/define/config.ts";
import { lmake, pdict, version } from "../../lib/rules/define/mod.ts";
import { METHODS } from "../../lib/trace/methods.ts";
import { version as clibsVersion } from "../../lib/version.ts";
import { defined } from "./define_support.ts";

Deno.test("lmake.config is filled with defaults", () => {
  const { session } = defined(() => {
    lmake.config.backends.local.cpu = 4;
    lmake.config.console.date = false;
    lmake.config.pathMax = 99;
  });
  assert.deepEqual(readConfig(session.config), {
    backends: { local: { cpu: 4 } },
    slurm: {},
    subRepos: [],
    pathMax: 99,
    maxDepDepth: 100,
    systemDeps: "package",
    diskDatePrecision: 10,
    watch: false,
    maxErrorLines: 100,
    console: { date: false, time: true, host: false },
    caches: {},
  });
  const set = defined(() => {
    lmake.config = { backends: { slurm: { cpu: 9 } }, sources: ["a", "b/"] };
    lmake.config.backends.local.mem = "4G";
  });
  assert.match(set.session.configPlace!.file, /define_config_test\.ts$/);
  const config = readConfig(set.session.config);
  assert.deepEqual(config.backends, {
    local: { mem: "4G" },
    slurm: { cpu: 9 },
  });
  assert.deepEqual(config.sources, ["a", "b/"]);
});

const badConfigs: [unknown, string][] = [
  [{ pathMx: 3 }, "has the unknown setting pathMx"],
  [{ pathMax: 0 }, ".pathMax must be a whole number of at least 1, not 0"],
  [{ backends: { pbs: {} } }, ".backends has the unknown backend pbs"],
  [
    { backends: { local: { cpu: true } } },
    ".backends.local.cpu must be a number of at least 0, or a string such as 2G, not true",
  ],
  [
    { slurm: { intervall: 1 } },
    ".slurm has the unknown setting intervall",
  ],
  [
    { slurm: { interval: 0 } },
    ".slurm.interval must be a number of at least 0.1, not 0",
  ],
  [{ slurm: { args: "-p x" } }, '.slurm.args must be an array, not "-p x"'],
  [{ sources: "a" }, '.sources must be an array, not "a"'],
  [{ sources: [""] }, '.sources[0] must be a string that is not empty, not ""'],
  [{ sources: [], manifest: "M" }, "has both sources and manifest"],
  [
    { systemDeps: "files" },
    '.systemDeps must be one of ignore, package, file, not "files"',
  ],
  [{ watch: "all" }, '.watch must be true or false, not "all"'],
  [{ console: { dat: true } }, ".console has the unknown setting dat"],
  [{ console: { date: 1 } }, ".console.date must be true or false, not 1"],
  [
    { caches: { c: {} } },
    ".caches.c.dir must be a string that is not empty, not undefined",
  ],
  [3, "must be an object, not 3"],
];

Deno.test("readConfig() refuses unknown settings and wrong types", async (t) => {
  for (const [config, expected] of badConfigs) {
    await t.step(expected, () => {
      assert.throws(() => readConfig(config), (error: Error) => {
        const { path } = error as unknown as { path?: string };
        assert.equal(
          (path ?? "") + (path ? " " : "") + error.message,
          expected,
        );
        return true;
      });
    });
  }
});

Deno.test("userEnviron notes what is asked for, set or not", () => {
  const { session } = defined(() => {
    assert.equal(lmake.userEnviron.CC, "gcc");
    assert.equal(lmake.userEnviron.NOPE, undefined);
    assert.equal("CXX" in lmake.userEnviron, true);
    assert.equal(Object.hasOwn(lmake.userEnviron, "LD"), false);
    assert.equal(lmake.userEnviron.toString, undefined);
    assert.throws(() => Object.keys(lmake.userEnviron), {
      code: "CLIBS_LMAKE_ENVIRON",
      message: "Cannot list userEnviron: all variables would become deps",
    });
    assert.throws(() => {
      (lmake.userEnviron as Record<string, string>).CC = "x";
    }, { code: "CLIBS_LMAKE_ENVIRON" });
  }, { CC: "gcc", CXX: "g++", UNREAD: "1" });
  assert.deepEqual(Object.fromEntries(session.environUsed), {
    CC: "gcc",
    NOPE: null,
    CXX: "g++",
    LD: null,
    toString: null,
  });
});

Deno.test("lmake knows methods, backends, version and roots", () => {
  assert.deepEqual(lmake.autodeps, METHODS);
  assert.deepEqual(lmake.backends, ["local", "slurm"]);
  const [major, minor] = clibsVersion.split(".");
  assert.deepEqual(version, [major, Number(minor)]);
  const { session } = defined(() => {
    assert.match(lmake.repoRoot, /tests\/rules$/);
    assert.equal(lmake.topRepoRoot, lmake.repoRoot);
  });
  assert.equal(session.rules.size, 0);
});

Deno.test("checkVersion() needs the same major and no newer minor", () => {
  const [major, minor] = version;
  lmake.checkVersion(major);
  lmake.checkVersion(major, minor);
  for (
    const [wanted, least] of [[major, minor + 1], [String(+major + 1), 0]] as [
      string,
      number,
    ][]
  ) {
    assert.throws(() => lmake.checkVersion(wanted, least), {
      code: "CLIBS_LMAKE_VERSION",
      message:
        `Cannot read Lmakefile.ts: it expects version ${wanted}.${least} of clibs, and this is ${clibsVersion}`,
    });
  }
});

Deno.test("pdict() makes tables of maps, throughout", () => {
  const date = new Date();
  const table = pdict(
    new Map<string, unknown>([["a", [new Map([["b", { c: date }]])]]]),
  );
  assert.deepEqual(table, { a: [{ b: { c: date } }] });
  const source = { x: { y: 1 } };
  const copy = pdict(source);
  assert.notEqual(copy.x, source.x);
  assert.equal(copy.x.y, 1);
});

Deno.test("functions for jobs are there, and fail outside of one", async () => {
  await assert.rejects(async () => await lmake.depend("x"));
});
