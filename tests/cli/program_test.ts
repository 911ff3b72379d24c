import assert from "node:assert/strict";
import { parse } from "../../cli/program.ts";

const cases: [string, unknown][] = [
  ["build", { command: "build", args: [], flags: {}, global: {} }],
  ["build a b/c", {
    command: "build",
    args: ["a", "b/c"],
    flags: {},
    global: {},
  }],
  ["build a -t x-y -f --target=z-w -j8", {
    command: "build",
    args: ["a"],
    flags: { target: ["x-y", "z-w"], force: true, jobs: 8 },
    global: {},
  }],
  ["--json -q build --color never -v", {
    command: "build",
    args: [],
    flags: {},
    global: { json: true, quiet: true, color: "never", verbose: true },
  }],
  ["--color always build --color never", {
    command: "build",
    args: [],
    flags: {},
    global: { color: "never" },
  }],
  ["build -- -f --json", {
    command: "build",
    args: ["-f", "--json"],
    flags: {},
    global: {},
  }],
  // init has a --version of its own.
  ["init u --version 1.2", {
    command: "init",
    args: ["u"],
    flags: { version: "1.2" },
    global: {},
  }],
  ["clean --dry-run", {
    command: "clean",
    args: [],
    flags: { dryRun: true },
    global: {},
  }],
  ["build help", { command: "build", args: ["help"], flags: {}, global: {} }],
];

Deno.test("parse() reads command, arguments, flags and common flags", async (t) => {
  for (const [line, expected] of cases) {
    await t.step(line, () => {
      const parsed = parse(line.split(" "));
      assert.equal(parsed.kind, "command");
      const { command, args, flags, global } = parsed as Extract<
        typeof parsed,
        { kind: "command" }
      >;
      const common = new Set(["json", "quiet", "verbose", "color", "logFile"]);
      const all = Object.entries({ ...flags, ...global });
      assert.deepEqual({
        command,
        args,
        flags: Object.fromEntries(all.filter(([name]) => !common.has(name))),
        global: Object.fromEntries(all.filter(([name]) => common.has(name))),
      }, expected);
    });
  }
});

Deno.test("parse() takes the version's flag before a command only", () => {
  assert.equal(parse(["--version"]).kind, "version");
  assert.throws(() => parse(["build", "--version"]), {
    code: "CLIBS_USAGE_FLAG",
  });
});
