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
  ["trace -q --method ptrace make -j2 --json", {
    command: "trace",
    args: ["make", "-j2", "--json"],
    flags: { method: "ptrace" },
    global: { quiet: true },
  }],
  ["--json trace --system -- check -v", {
    command: "trace",
    args: ["check", "-v"],
    flags: { system: true },
    global: { json: true },
  }],
  ["trace make check", {
    command: "trace",
    args: ["make", "check"],
    flags: {},
    global: {},
  }],
  ["trace --save t make -- check -h", {
    command: "trace",
    args: ["make", "--", "check", "-h"],
    flags: { save: "t" },
    global: {},
  }],
  ["trace -v check t.json --json", {
    command: "trace check",
    args: ["t.json"],
    flags: {},
    global: { verbose: true, json: true },
  }],
  ["build help", { command: "build", args: ["help"], flags: {}, global: {} }],
  ["engines build a b -j4 --policy build_only --allow-unverified", {
    command: "engines build",
    args: ["a", "b"],
    flags: { jobs: 4, policy: "build_only", allowUnverified: true },
    global: {},
  }],
  ["--json engines --color never build -q", {
    command: "engines build",
    args: [],
    flags: {},
    global: { json: true, color: "never", quiet: true },
  }],
  ["--color auto engines --color always list --color never", {
    command: "engines list",
    args: [],
    flags: {},
    global: { color: "never" },
  }],
  ["engines build engines list", {
    command: "engines build",
    args: ["engines", "list"],
    flags: {},
    global: {},
  }],
  ["build engines", {
    command: "build",
    args: ["engines"],
    flags: {},
    global: {},
  }],
  ["engines run --allow read --allow net=localhost a.py", {
    command: "engines run",
    args: ["a.py"],
    flags: { allow: ["read", "net=localhost"] },
    global: {},
  }],
  // Flags that begin with no- are switches like the others.
  ["engines clean", {
    command: "engines clean",
    args: [],
    flags: {},
    global: {},
  }],
  ["engines clean --no-cache --no-local-outputs --no-orphans", {
    command: "engines clean",
    args: [],
    flags: { noCache: true, noLocalOutputs: true, noOrphans: true },
    global: {},
  }],
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

const helps: [string[], string | undefined][] = [
  [[], undefined],
  [["--help"], undefined],
  [["help"], undefined],
  [["build", "--help"], "build"],
  [["help", "build"], "build"],
  [["help", "trace"], "trace"],
  [["help", "trace", "check"], "trace check"],
  [["trace", "--help"], "trace"],
  [["trace", "check", "-h"], "trace check"],
  [["help", "build", "trace"], "build"],
  [["--color", "never", "help", "build"], "build"],
  [["help", "--log-file", "fetch", "build"], "build"],
  [["engines"], "engines"],
  [["--quiet", "engines", "--color", "never"], "engines"],
  [["engines", "--help"], "engines"],
  [["help", "engines"], "engines"],
  [["engines", "build", "--help"], "engines build"],
  [["engines", "build", "cpu", "-h"], "engines build"],
  [["help", "engines", "build"], "engines build"],
  [["help", "engines build"], "engines build"],
  [["-v", "help", "engines", "-q", "fast-build"], "engines fast-build"],
];

Deno.test("parse() tells what help is wanted about", async (t) => {
  for (const [argv, topic] of helps) {
    await t.step(argv.join(" ") || "nothing", () => {
      const parsed = parse(argv);
      assert.deepEqual(
        [parsed.kind, (parsed as { topic?: string }).topic],
        ["help", topic],
      );
    });
  }
});

const mistakes: [
  string,
  { message: string; facts: Record<string, string>; hint: string | undefined },
][] = [
  ["engines biuld", {
    message: 'Cannot run "engines biuld": clibs has no such command',
    facts: { nearest: "engines build" },
    hint: "clibs engines build",
  }],
  ["--quiet engines -v biuld a --policy x", {
    message: 'Cannot run "engines biuld": clibs has no such command',
    facts: { nearest: "engines build" },
    hint: "clibs engines build",
  }],
  ["help engines fastbuild", {
    message: 'Cannot run "engines fastbuild": clibs has no such command',
    facts: { nearest: "engines fast-build" },
    hint: "clibs engines fast-build",
  }],
  ["engines help", {
    message: 'Cannot run "engines help": clibs has no such command',
    facts: {},
    hint: "clibs help engines",
  }],
  ["engins build", {
    message: 'Cannot run "engins": clibs has no such command',
    facts: { nearest: "engines" },
    hint: "clibs engines",
  }],
  ["engines --jsn", {
    message: 'Cannot run clibs engines: there is no flag "--jsn"',
    facts: { nearest: "--json" },
    hint: "clibs help engines",
  }],
  ["engines --version", {
    message: 'Cannot run clibs engines: there is no flag "--version"',
    facts: {},
    hint: "clibs help engines",
  }],
  ["engines build --polcy x", {
    message: 'Cannot run clibs engines build: there is no flag "--polcy"',
    facts: { nearest: "--policy" },
    hint: "clibs help engines build",
  }],
  ["engines clean --cache", {
    message: 'Cannot run clibs engines clean: there is no flag "--cache"',
    facts: {},
    hint: "clibs help engines clean",
  }],
  ["engines build --timeout", {
    message: "Cannot run clibs engines build: --timeout <SECONDS> has no value",
    facts: {},
    hint: "clibs help engines build",
  }],
  ["engines prune cpu", {
    message:
      "Cannot run clibs engines prune: it got more arguments than it takes",
    facts: {},
    hint: "clibs help engines prune",
  }],
  ["engines clean --mode depe", {
    message: 'Cannot use --mode "depe": it takes light, standard, deep',
    facts: {},
    hint: "write --mode deep",
  }],
];

Deno.test("parse() names both words of a command in its errors", async (t) => {
  for (const [line, { message, facts, hint }] of mistakes) {
    await t.step(line, () => {
      assert.throws(() => parse(line.split(" ")), {
        name: "UsageError",
        message,
        facts,
        hint,
      });
    });
  }
});
